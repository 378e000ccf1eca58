package driver_test

import (
	"slices"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/driver"
)

// TestFor checks that a load gets the driver of its engine, else the first driver that claims it.
func TestFor(t *testing.T) {
	for _, c := range []struct {
		name    string
		load    scenarios.Load
		version bool
		unkept  string
		known   bool
	}{
		{"no engine", scenarios.Load{Executor: "constant-vus"}, false, "", true},
		{"native", scenarios.Load{Engine: "native"}, false, "", true},
		{"vegeta", scenarios.Load{Engine: "vegeta"}, true, "vegeta", true},
		{"a log", scenarios.Load{Executor: "replay"}, false, "a log", true},
		{"a log by vegeta, which refuses it", scenarios.Load{Executor: "replay", Engine: "vegeta"}, true, "vegeta", true},
		{"a script", scenarios.Load{Script: &scenarios.Script{}}, false, "", true},
		{"an engine that there is not", scenarios.Load{Engine: "wrk"}, false, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, known := driver.For(&c.load, driver.All())
			if known != c.known || (d.Version != "") != c.version || d.Unkept != c.unkept {
				t.Errorf("%+v, %t", d, known)
			}
		})
	}
	if got := driver.Engines(driver.All()); !slices.Equal(got, []string{"native", "vegeta"}) {
		t.Errorf("engines: %q", got)
	}
}
