package run

import "testing"

// TestGarbage: the garbage stays as it was while the live heap grows a little, and grows with one that grows much.
func TestGarbage(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first int
		live  uint64
		want  int
	}{
		{"as at first", 100, 8 << 20, 100},
		{"a quarter more", 100, 10 << 20, 80},
		{"far more", 100, 80 << 20, 60},
		{"less", 100, 4 << 20, 100},
		{"another setting", 400, 10 << 20, 320},
		{"no collector", -1, 10 << 20, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := garbage{base: 8 << 20, first: tt.first}
			if got := g.want(tt.live); got != tt.want {
				t.Errorf("%d percent of garbage; want %d", got, tt.want)
			}
		})
	}
}
