package targets

import (
	"reflect"
	"sync"
)

// Shared holds values that the steps of a plan share: one value of each type. The zero value is ready to use.
type Shared struct {
	mu     sync.Mutex
	values map[reflect.Type]any
}

// Share returns the shared value of type T, which is initially the zero value. With a nil s nothing is shared.
func Share[T any](s *Shared) *T {
	if s == nil {
		return new(T)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = map[reflect.Type]any{}
	}
	key := reflect.TypeFor[T]()
	v, ok := s.values[key].(*T)
	if !ok {
		v = new(T)
		s.values[key] = v
	}
	return v
}
