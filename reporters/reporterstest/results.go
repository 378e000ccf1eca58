package reporterstest

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"brunt/reporters"
	"brunt/scenarios/result"
)

// Each runs f on every fixture; with -short only on the most different ones.
func Each(t *testing.T, f func(t *testing.T, r *result.Result)) {
	if testing.Short() {
		Some(t, f)
		return
	}
	on(t, slices.Sorted(maps.Keys(Results())), f)
}

// Some runs f on the most different fixtures, for slow tests.
func Some(t *testing.T, f func(t *testing.T, r *result.Result)) {
	on(t, []string{"hostile", "infinite", "empty", "short"}, f)
}

func on(t *testing.T, names []string, f func(t *testing.T, r *result.Result)) {
	all := Results()
	for _, name := range names {
		t.Run(name, func(t *testing.T) { f(t, all[name]) })
	}
}

// Render returns the output of a reporter for a result. An error fails the test.
func Render(t *testing.T, rep reporters.Reporter, r *result.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := rep.Report(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
