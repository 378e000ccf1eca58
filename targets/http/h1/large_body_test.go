package h1_test

import (
	"errors"
	"io"
	"runtime"
	"testing"

	"brunt/scenarios/budget"
	"brunt/targets"
	"brunt/targets/http/h1"
)

// zeros is a body without an end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// TestAnswer_LargeBody: a body of 100 MiB is counted without being held, where no check reads it and where it is over
// the limit; without a length before it, no more than the limit is held.
func TestAnswer_LargeBody(t *testing.T) {
	const size = 100 << 20
	budget.Raise(size) // as max_body of a step does
	for _, c := range []struct {
		name     string
		length   int64
		most     int
		tooLarge bool
		held     uint64 // bytes
	}{
		{"no check reads it", size, 0, false, 1 << 20},
		{"over the limit, by its length", size, h1.MaxBody, true, 1 << 20},
		{"over the limit, in chunks", -1, 1 << 20, true, 8 << 20},
		{"over a small limit, in chunks", -1, 1 << 10, true, 1 << 20},
		{"within the limit", size, size, false, 1 << 30},
	} {
		a := h1.Answers.New().(*h1.Answer)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := a.Take(io.LimitReader(zeros{}, size), c.length, c.most)
		runtime.ReadMemStats(&after)
		if large := errors.As(err, new(*targets.Error)); large != c.tooLarge || !large && err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if a.Size != size {
			t.Errorf("%s: %d bytes were counted", c.name, a.Size)
		}
		if held := after.TotalAlloc - before.TotalAlloc; held > c.held {
			t.Errorf("%s: %d bytes were allocated", c.name, held)
		}
		a.Release()
	}
}
