package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// prefix of every variable: CARILLON_ + table + key, in capitals, joined by underscores.
const prefix = "CARILLON_"

// overlay sets fields from variables such as CARILLON_TURN_REALM=example.com. Lists are
// separated by commas, tables of strings are NAME=VALUE separated by commas. A variable
// with our prefix that names no key is an error, like an unknown key in the file.
func overlay(c *Config, environ []string) error {
	keys := map[string]string{}
	all := fields(c)
	for key := range all {
		keys[variable(key)] = key
	}
	for _, setting := range environ {
		name, value, _ := strings.Cut(setting, "=")
		if !strings.HasPrefix(name, prefix) {
			continue
		}
		key, ok := keys[name]
		if !ok {
			return fmt.Errorf("environment: unknown key %s%s", name, similarVariable(name, all))
		}
		if err := set(all[key], value); err != nil {
			return fmt.Errorf("environment: %s: %w", name, err)
		}
		c.places[key] = "environment: " + name
	}
	return nil
}

// variable is the name of the variable that sets a key.
func variable(key string) string { return prefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_")) }

// similarVariable is [similar] for the name of a variable.
func similarVariable(name string, all map[string]reflect.Value) string {
	variables := map[string]reflect.Value{}
	for key, field := range all {
		variables[variable(key)] = field
	}
	return similar(name, variables)
}

func set(field reflect.Value, value string) error {
	switch field.Kind() {
	case reflect.String:
		field.SetString(value)
	case reflect.Bool:
		b, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", value)
		}
		field.SetBool(b)
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", value)
		}
		field.SetInt(n)
	case reflect.Float64:
		f, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", value)
		}
		field.SetFloat(f)
	case reflect.Slice:
		return setList(field, value)
	case reflect.Map:
		return setTable(field, value)
	default:
		return fmt.Errorf("cannot be set from the environment")
	}
	return nil
}

func setList(field reflect.Value, value string) error {
	list := reflect.MakeSlice(field.Type(), 0, 1)
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		v := reflect.New(field.Type().Elem()).Elem()
		if err := set(v, item); err != nil {
			return err
		}
		list = reflect.Append(list, v)
	}
	field.Set(list)
	return nil
}

func setTable(field reflect.Value, value string) error {
	table := reflect.MakeMap(field.Type())
	for item := range strings.SplitSeq(value, ",") {
		name, secret, ok := strings.Cut(strings.TrimSpace(item), "=")
		if !ok {
			return fmt.Errorf("want NAME=VALUE, separated by commas")
		}
		table.SetMapIndex(reflect.ValueOf(name), reflect.ValueOf(secret))
	}
	field.Set(table)
	return nil
}
