package syntax_test

import (
	"testing"

	"brunt/scenarios/syntax"
)

func TestPos(t *testing.T) {
	for _, c := range []struct {
		pos  syntax.Pos
		want string
	}{
		{syntax.Pos{"a.yaml", 3, 7}, "a.yaml:3:7"},
		{syntax.Pos{File: "--set rate"}, "--set rate"},
		{syntax.Pos{}, "scenario"},
	} {
		if got := c.pos.String(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}
