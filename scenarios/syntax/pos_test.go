package syntax

import "testing"

func TestPos(t *testing.T) {
	for _, c := range []struct {
		pos  Pos
		want string
	}{
		{Pos{"a.yaml", 3, 7}, "a.yaml:3:7"},
		{Pos{File: "--set rate"}, "--set rate"},
		{Pos{}, "scenario"},
	} {
		if got := c.pos.String(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
