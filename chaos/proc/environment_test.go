package proc_test

import (
	"slices"
	"strings"
	"testing"

	"brunt/chaos/proc"
)

func TestEnvironment(t *testing.T) {
	t.Setenv("SHOP_PASSWORD", "hunter2")
	t.Setenv("GODEBUG", "x=1")
	got := proc.Environment("BRUNT_RUN=r")
	if !slices.Contains(got, "GODEBUG=x=1") || !slices.Contains(got, "BRUNT_RUN=r") ||
		strings.Contains(strings.Join(got, "\n"), "hunter2") {
		t.Errorf("%q", got)
	}
}
