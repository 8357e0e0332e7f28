package config

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// places says where keys were set: "carillon.toml:12", "CARILLON_HTTP_LISTEN" or "--listen".
type places map[string]string

// SetBy notes that a flag has replaced the value of keys.
func (c *Config) SetBy(flag string, keys ...string) {
	if c.places == nil {
		c.places = places{}
	}
	for _, key := range keys {
		c.places[key] = flag
	}
}

// Locate puts before an error that begins with a key where that key was set, so that an
// operator knows what to edit: "carillon.toml:12: http.listen: …".
func (c Config) Locate(err error) error {
	if err == nil {
		return nil
	}
	key := leadingKey(err.Error())
	for key != "" {
		if place := c.places[key]; place != "" {
			return fmt.Errorf("%s: %w", place, err)
		}
		key = key[:max(0, strings.LastIndexByte(key, '.'))] // an item of a list or table
	}
	return err
}

// leadingKey is what may be a key at the beginning of a message.
func leadingKey(message string) string {
	end := strings.IndexFunc(message, func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_' || r == '.')
	})
	if end < 0 {
		end = len(message)
	}
	return strings.Trim(message[:end], ".")
}

// find notes the lines of the keys of a file that was decoded without error.
func (p places) find(path string, text []byte) {
	var parser unstable.Parser
	parser.Reset(text)
	var table []string
	for parser.NextExpression() {
		e := parser.Expression()
		var names []string
		line := 0
		for it := e.Key(); it.Next(); {
			names = append(names, string(it.Node().Data))
			line = parser.Shape(it.Node().Raw).Start.Line
		}
		switch e.Kind {
		case unstable.Table:
			table = names
		case unstable.KeyValue:
			names = append(slices.Clone(table), names...)
		}
		p[strings.Join(names, ".")] = fmt.Sprintf("%s:%d", path, line)
	}
}

// fields are the keys that can be set, such as http.listen, and what they hold.
func fields(c *Config) map[string]reflect.Value {
	into := map[string]reflect.Value{}
	collect(reflect.ValueOf(c).Elem(), "", into)
	return into
}

func collect(v reflect.Value, table string, into map[string]reflect.Value) {
	for i := range v.NumField() {
		key := v.Type().Field(i).Tag.Get("toml")
		if key == "" || key == "-" {
			continue
		}
		if field := v.Field(i); field.Kind() == reflect.Struct {
			collect(field, table+key+".", into)
		} else {
			into[table+key] = field
		}
	}
}

// wantedAt says what belongs at a key; empty if there is no such key.
func wantedAt(key string, keys map[string]reflect.Value) string {
	if field, ok := keys[key]; ok {
		return wanted(field)
	}
	for known := range keys {
		if strings.HasPrefix(known, key+".") {
			return "a table, which begins with a line [" + key + "]"
		}
	}
	return ""
}

// wanted says what a value for the field looks like.
func wanted(field reflect.Value) string {
	switch field.Kind() {
	case reflect.Bool:
		return "true or false, without quotes"
	case reflect.Int, reflect.Int64:
		return "a whole number, without quotes"
	case reflect.Float64:
		return "a number, without quotes"
	case reflect.Slice:
		if field.Type().Elem().Kind() == reflect.Int {
			return "a list of numbers, such as [1, 2]"
		}
		return `a list of texts, such as ["one", "two"]`
	case reflect.Map:
		return `a table of texts, with lines such as name = "value"`
	}
	return `a text in quotes, such as "text"`
}

// similar is the key that was probably meant, as the end of a sentence; empty if none is
// close.
func similar(key string, keys map[string]reflect.Value) string {
	best, least := "", 3 // edits; more are another word
	for _, known := range slices.Sorted(maps.Keys(keys)) {
		if n := edits(key, known); n < least {
			best, least = known, n
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}

// edits is how many letters must be added, removed or replaced to make b of a, the distance
// of Levenshtein.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
