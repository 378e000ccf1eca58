package result_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"brunt/scenarios/result"
)

func TestNum(t *testing.T) {
	for _, c := range []struct {
		n    result.Num
		want string
	}{
		{0, "0"},
		{0.2, "0.2"},
		{1.0000000004, "1"},
		{1.0000000006, "1.000000001"},
		{1e6, "1000000"},
		{1e21, "1000000000000000000000"},
		{result.NaN, "null"},
		{result.Num(math.Inf(1)), "null"},
		{result.Num(math.Inf(-1)), "null"},
		{-1.5, "-1.5"},
		{result.Sec(1500 * time.Millisecond), "1.5"},
	} {
		b, err := json.Marshal(c.n)
		if err != nil || string(b) != c.want {
			t.Errorf("%g is %s, want %s: %v", float64(c.n), b, c.want, err)
		}
		var back result.Num
		if err := json.Unmarshal(b, &back); err != nil || back.Known() != c.n.Known() ||
			back.Known() && math.Abs(float64(back-c.n)) > 1e-9 {
			t.Errorf("%s reads as %g: %v", b, float64(back), err)
		}
	}
	var n result.Num
	if err := json.Unmarshal([]byte(`"x"`), &n); err == nil {
		t.Error("a text is not a number")
	}
}
