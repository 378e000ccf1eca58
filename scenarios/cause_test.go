package scenarios_test

import (
	"fmt"
	"testing"

	"brunt/scenarios"
)

// colors and sizes are families of causes, the second with numbers of 20 bits.
var (
	colors = scenarios.CauseFamily{First: 9 << 16, Name: func(n int32) string { return fmt.Sprint("color ", n) }}
	sizes  = scenarios.CauseFamily{First: 1 << 25, Bits: 20, Name: func(n int32) string { return fmt.Sprint("size ", n) }}
)

func TestCauses(t *testing.T) {
	names := scenarios.Causes{
		Checks: []string{"within", "body"}, Families: []scenarios.CauseFamily{colors, sizes},
	}
	for _, c := range []struct {
		cause scenarios.Cause
		want  string
	}{
		{scenarios.NoCause, ""},
		{scenarios.Timeout, "timeout"},
		{scenarios.Refused, "refused"},
		{scenarios.Reset, "reset"},
		{scenarios.NameNotFound, "dns"},
		{scenarios.NotAllowed, "not allowed"},
		{scenarios.Redirects, "redirects"},
		{scenarios.Other, "other"},
		{scenarios.FixedCauses, "other"},
		{colors.Cause(0), "color 0"},
		{colors.Cause(0xffff), "color 65535"},
		{colors.Cause(0x10000), "color 0"},
		{colors.First + 0x10000, "other"},
		{sizes.Cause(0xfffff), "size 1048575"},
		{sizes.First + 1<<20, "other"},
		{0xffffffff, "other"},
		{scenarios.Status(503), "status 503"},
		{scenarios.Status(0), "status 0"},
		{scenarios.Check(0), "check within"},
		{scenarios.Check(1), "check body"},
		{scenarios.Check(2), "check 2"},
		{scenarios.Extraction(1), "extract body"},
		{scenarios.Extraction(9), "extract 9"},
	} {
		if got := names.Name(c.cause); got != c.want {
			t.Errorf("%#x is %q, want %q", uint32(c.cause), got, c.want)
		}
	}
	seen := map[string]bool{}
	for c := range scenarios.FixedCauses {
		if name := c.String(); seen[name] {
			t.Errorf("two causes are %q", name)
		} else {
			seen[name] = true
		}
	}
	for k := range scenarios.Kinds {
		if k.String() == "" {
			t.Errorf("kind %d has no name", k)
		}
	}
}

// A cause that only a family can name is no word of the fixed list, as of "other": retries are asked for by those.
func TestCause_String(t *testing.T) {
	for c, want := range map[scenarios.Cause]string{
		scenarios.Other: "other", scenarios.Status(503): "status 503", colors.Cause(3): "cause 0x90003",
		scenarios.Check(1): "cause 0x20001",
	} {
		if got := c.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
