// Package strictjson reads JSON that decides something: text that two readers could
// take for two things is refused. encoding/json takes the last of equal keys, keys
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

// Unmarshal is json.Unmarshal for objects whose keys are exactly those of v, each at
// most once, at every level. Keys that are not there leave their fields as they are.
// Only pointers, slices and maps may be null. Errors name the value by its path, such
// as "decoder.cell".
func Unmarshal(data []byte, v any) error { return unmarshal(data, v, false) }

// UnmarshalKnown is Unmarshal that skips what v knows nothing of: other keys, unless
// they differ from one of v in case alone, and null.
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
		return nil // it knows itself
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
	case reflect.Map:
		return object(data, path, func(key string, value json.RawMessage) error {
			return check(value, t.Elem(), join(path, key), skip)
		})
	case reflect.Struct:
		return object(data, path, func(key string, value json.RawMessage) error {
			f, err := field(t, key)
			if err == nil && f == nil && !skip {
				err = fmt.Errorf("unknown field %s", quote(key))
			}
			if err != nil {
				return fmt.Errorf("%s%w", at(path), err)
			}
			if f == nil {
				return nil
			}
			return check(value, f, join(path, key), skip)
		})
	}
	return nil
}

// field returns the type of the field of t that has this key, nil if there is none.
func field(t reflect.Type, key string) (reflect.Type, error) {
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
	return nil, nil
}

// object calls value with each key of an object and what it has.
func object(data json.RawMessage, path string, value func(key string, value json.RawMessage) error) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("%san object is expected", at(path))
	}
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		key := t.(string) // in valid JSON
		if seen[key] {
			return fmt.Errorf("%sfield %s is there twice", at(path), quote(key))
		}
		seen[key] = true
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		if err := value(key, raw); err != nil {
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
