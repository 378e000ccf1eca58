package kubetest

import (
	"errors"
	"reflect"
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
	var at any = doc
	for _, key := range keys[:len(keys)-1] {
		var err error
		if at, err = child(at, key); err != nil {
			return err
		}
	}
	key := keys[len(keys)-1]
	value, err := child(at, key)
	switch c.Op {
	case "test":
		if err != nil || !reflect.DeepEqual(value, c.Value) {
			return errTest
		}
		return nil
	case "add":
	default:
		if err != nil {
			return err
		}
	}
	m, ok := at.(map[string]any)
	if !ok {
		return c.inList(at, key)
	}
	if c.Op == "remove" {
		delete(m, key)
	} else {
		m[key] = c.Value
	}
	return nil
}

// inList replaces an element of a list. Elements are neither added nor removed.
func (c change) inList(at any, key string) error {
	list, ok := at.([]any)
	i, err := strconv.Atoi(key)
	if !ok || err != nil || i < 0 || i >= len(list) || c.Op != "replace" {
		return errNone
	}
	list[i] = c.Value
	return nil
}

// child is the value of a key of a map, or of an index of a list.
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
