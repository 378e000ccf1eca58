package run

import "testing"

// TestGarbage: the garbage stays as it was while the live heap grows a little, and grows with one that grows much.
// Stacks and globals may add up to 32 MiB of it.
func TestGarbage(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first int
		base  uint64
		live  uint64
		roots uint64 // stacks and globals
		want  int
	}{
		{"as at first", 100, 8, 8, 0, 100},
		{"a quarter more", 100, 8, 10, 0, 80},
		{"far more", 100, 8, 80, 0, 60},
		{"less", 100, 8, 4, 0, 100},
		{"another setting", 400, 8, 10, 0, 320},
		{"no collector", -1, 8, 10, 0, 0},
		{"in the first minute", 100, 0, 80, 0, 100},
		{"few stacks", 100, 0, 20, 12, 100},
		{"many stacks", 100, 0, 20, 108, 25},
		{"many stacks, another setting", 200, 0, 20, 108, 50},
		{"many stacks, no collector", -1, 0, 20, 108, 0},
		{"a heap as large as the stacks", 100, 0, 60, 60, 50},
		{"many stacks after a minute", 100, 8, 10, 118, 25},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := garbage{base: tt.base << 20, first: tt.first}
			if got := g.want(tt.live<<20, (tt.live+tt.roots)<<20); got != tt.want {
				t.Errorf("%d percent of garbage; want %d", got, tt.want)
			}
		})
	}
}
