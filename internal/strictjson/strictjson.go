// Package strictjson reads JSON on which something depends: what two readers could
// understand differently is refused. encoding/json takes the last of equal keys, keys
// in another case, null for anything, and arrays of another length.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Unmarshal is json.Unmarshal for objects that have no keys but those of v, each at
// most once, at every level. Fields without a key stay as they are. Only pointers,
// slices and maps may be null. Errors name the value by its path, such as
// "decoder.cell".
func Unmarshal(data []byte, v any) error { return unmarshal(data, v, false) }

// UnmarshalKnown is Unmarshal that skips null and the keys that v does not have, but
// for those that differ from one of v in case alone.
func UnmarshalKnown(data []byte, v any) error { return unmarshal(data, v, true) }

func unmarshal(data []byte, v any, skip bool) error {
	if !utf8.Valid(data) {
		return errors.New("not UTF-8")
	}
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return err // of the syntax: what follows sees valid JSON
	}
	if err := check(raw, reflect.TypeOf(v), "", skip); err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// check compares the keys in data with those of the type that it is for.
func check(data json.RawMessage, t reflect.Type, path string, skip bool) error {
	kind := t.Kind()
	if reflect.PointerTo(t).Implements(unmarshaler) {
		return nil // it checks itself
	}
	if bytes.Equal(data, []byte("null")) {
		if path != "" && (skip || kind == reflect.Pointer || kind == reflect.Slice || kind == reflect.Map) {
			return nil
		}
		return fmt.Errorf("%snull is no value", at(path))
	}
	switch kind {
	case reflect.Pointer:
		return check(data, t.Elem(), path, skip)
	case reflect.Slice, reflect.Array:
		var list []json.RawMessage
		if err := json.Unmarshal(data, &list); err != nil {
			return nil // json.Unmarshal says it better
		}
		if kind == reflect.Array && len(list) != t.Len() {
			return fmt.Errorf("%s%d values; %d are expected", at(path), len(list), t.Len())
		}
		for i, e := range list {
			if err := check(e, t.Elem(), fmt.Sprintf("%s[%d]", path, i), skip); err != nil {
				return err
			}
		}
	case reflect.Map, reflect.Struct:
		return checkObject(data, t, path, skip)
	}
	return nil
}

// field returns the type of what a key of t has, nil if it is to be skipped.
func field(t reflect.Type, key string, skip bool) (reflect.Type, error) {
	if t.Kind() == reflect.Map {
		return t.Elem(), nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = f.Name
		}
		switch {
		case !f.IsExported() || name == "-":
		case name == key:
			return f.Type, nil
		case strings.EqualFold(name, key):
			return nil, fmt.Errorf("field %s; it is written %q", quote(key), name)
		}
	}
	if !skip {
		return nil, fmt.Errorf("unknown field %s", quote(key))
	}
	return nil, nil
}

// checkObject is check for an object, t being a map or struct.
func checkObject(data json.RawMessage, t reflect.Type, path string, skip bool) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("%san object is expected", at(path))
	}
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		key := token.(string) // in valid JSON
		if seen[key] {
			return fmt.Errorf("%sfield %s is there twice", at(path), quote(key))
		}
		seen[key] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return err
		}
		f, err := field(t, key, skip)
		if err != nil {
			return fmt.Errorf("%s%w", at(path), err)
		}
		if f == nil {
			continue
		}
		if err := check(value, f, join(path, key), skip); err != nil {
			return err
		}
	}
	return nil
}

func join(path, key string) string {
	if len(key) > 50 || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		key = quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func at(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

// quote writes a key as one short word of a message.
func quote(key string) string { return fmt.Sprintf("%.50q", key) }
