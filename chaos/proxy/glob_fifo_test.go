package proxy

import (
	"strings"
	"testing"
	"time"
)

func TestGlob(t *testing.T) {
	for _, tc := range []struct {
		pattern, path string
		want          bool
	}{
		{"*", "", true},
		{"*", "/a/b", true},
		{"/a", "/a", true},
		{"/a", "/ab", false},
		{"/a", "", false},
		{"/a*", "/a", true},
		{"*a", "/bca", true},
		{"*a", "/ab", false},
		{"/a*b", "/ab", true},
		{"/a*b", "/a", false},
		{"/a*a", "/a", false},
		{"a*b*c", "abc", true},
		{"a*b*c", "aXbYc", true},
		{"a*b*c", "acb", false},
		{"**", "x", true},
	} {
		if got := glob(strings.Split(tc.pattern, "*"), tc.path); got != tc.want {
			t.Errorf("%q fits %q: %v", tc.path, tc.pattern, got)
		}
	}
}

func TestFifo(t *testing.T) {
	var q fifo
	in, out := 0, 0
	for i := range 10_000 {
		if i%7 < 4 || q.len() == 0 {
			q.push(Item{last: in%2 == 0, Arrived: time.Unix(int64(in), 0)})
			in++
		} else {
			if it := q.pop(); it.Arrived.Unix() != int64(out) {
				t.Fatalf("item %d came as number %d", it.Arrived.Unix(), out)
			}
			out++
		}
		if q.len() != in-out {
			t.Fatalf("%d items, want %d", q.len(), in-out)
		}
	}
}
