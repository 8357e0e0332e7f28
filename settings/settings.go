// Package settings treats the Config structs of all packages alike. A Config is a struct
// whose fields carry `toml` tags; a field that is a struct is a table inside it.
//
// A field that is zero (or an empty list or table) means the default, and each default
// stands in one place: the Defaults function of the package that owns the Config. A switch
// has no default but false, so it is named for what an operator turns on: no_tcp, guests.
// A field tagged "-" is not for operators, and nothing here touches it.
package settings

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Fill returns c with the fields that are zero set to what they are in defaults. Tables
// are filled field by field, lists and maps as a whole.
func Fill[C any](c, defaults C) C {
	fill(reflect.ValueOf(&c).Elem(), reflect.ValueOf(&defaults).Elem())
	return c
}

func fill(c, defaults reflect.Value) {
	for field := range c.Type().Fields() {
		if key(field) == "" {
			continue
		}
		have, otherwise := c.FieldByIndex(field.Index), defaults.FieldByIndex(field.Index)
		switch {
		case have.Kind() == reflect.Struct:
			fill(have, otherwise)
		case have.Kind() == reflect.Bool:
			// False may have been meant.
		case unset(have):
			have.Set(otherwise)
		}
	}
}

// unset treats an empty list or table as an absent one: TOML writes both.
func unset(v reflect.Value) bool {
	if v.Kind() == reflect.Slice || v.Kind() == reflect.Map {
		return v.Len() == 0
	}
	return v.IsZero()
}

// NonNegative returns an error that names the first number below zero by its key, such as
// "rates.frames is -1, want 0 or more". The keys in except may be negative; they are
// written in the same way, and the name of a table stands for all keys in it.
func NonNegative[C any](c C, except ...string) error {
	return nonNegative(reflect.ValueOf(c), "", except)
}

func nonNegative(c reflect.Value, table string, except []string) error {
	for field := range c.Type().Fields() {
		name := key(field)
		if name == "" || slices.Contains(except, table+name) {
			continue
		}
		switch v := c.FieldByIndex(field.Index); {
		case v.Kind() == reflect.Struct:
			if err := nonNegative(v, table+name+".", except); err != nil {
				return err
			}
		case v.CanInt() && v.Int() < 0, v.CanFloat() && v.Float() < 0:
			return fmt.Errorf("%s%s is %v, want 0 or more", table, name, v)
		}
	}
	return nil
}

// key is the field's name in the configuration file, or empty when it has none.
func key(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("toml"), ",")
	if name == "-" {
		return ""
	}
	return name
}
