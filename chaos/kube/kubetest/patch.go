package kubetest

import (
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A change is an operation of a JSON patch (RFC 6902).
type change struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

var (
	errNone = errors.New("nothing is there")
	errTest = errors.New("the test failed")
)

// apply changes a document.
func (c change) apply(doc object) error {
	keys := strings.Split(strings.TrimPrefix(c.Path, "/"), "/")
	for i := range keys {
		keys[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(keys[i])
	}
	_, err := c.in(doc, keys)
	return err
}

// in applies the change at a path of keys below a value, and returns the changed value.
func (c change) in(of any, keys []string) (any, error) {
	value, err := child(of, keys[0])
	if len(keys) > 1 {
		if err != nil {
			return nil, err
		}
		if value, err = c.in(value, keys[1:]); err != nil {
			return nil, err
		}
		return change{Op: "replace", Value: value}.at(of, keys[0])
	}
	if c.Op == "test" {
		if err != nil || !reflect.DeepEqual(value, c.Value) {
			return nil, errTest
		}
		return of, nil
	}
	if err != nil && c.Op != "add" {
		return nil, err
	}
	return c.at(of, keys[0])
}

// at adds, replaces or removes the value of a key, or an item of a list.
func (c change) at(of any, key string) (any, error) {
	switch of := of.(type) {
	case map[string]any:
		if c.Op == "remove" {
			delete(of, key)
		} else {
			of[key] = c.Value
		}
		return of, nil
	case []any:
		i, err := strconv.Atoi(key)
		switch {
		case c.Op == "add" && key == "-":
			return append(of, c.Value), nil
		case err != nil || i < 0 || i >= len(of):
			return nil, errNone
		case c.Op == "remove":
			return slices.Delete(of, i, i+1), nil
		case c.Op == "replace":
			of[i] = c.Value
			return of, nil
		}
	}
	return nil, errNone
}

// child returns the value of a key of a map, or of an index of a list.
func child(of any, key string) (any, error) {
	switch v := of.(type) {
	case map[string]any:
		if value, ok := v[key]; ok {
			return value, nil
		}
	case []any:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(v) {
			return v[i], nil
		}
	}
	return nil, errNone
}
