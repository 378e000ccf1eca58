package play

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios/drills"
)

// TestSystemOf_Counted: a sweep hits a service of one container once, as a whole, and not one of its containers as
// well.
func TestSystemOf_Counted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	text := "version: 1\ntarget: {url: \"http://127.0.0.1:9\", units: {store: {container: shop-db-1}, web: {project: " +
		"shop, service: web}}}\n" +
		"load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 30s, flow: [{get: /}]}}\nslo: [errors < 1%]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := compile(Source{Path: file})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		counted map[string]int
		want    bool // one of the store's containers is hit as well
	}{{nil, true}, {map[string]int{"store": 1, "web": 2}, false}} {
		subject := Subject{counted: c.counted}
		s := subject.systemOf(p)
		all := s.Sweep(nil)
		has := func(name string) bool {
			return slices.ContainsFunc(all, func(one drills.Swept) bool { return one.Name == name })
		}
		if has("crash-one-of-store") != c.want || !has("crash-store") || !has("crash-one-of-web") {
			t.Errorf("counted %v: %+v", c.counted, all)
		}
	}
}

// TestProver_RealSystems: a drill that tests prove on real systems is not proved on the built-in one.
func TestProver_RealSystems(t *testing.T) {
	p := &Prover{Subject: Subject{Compile: compile}}
	trials, err := p.Lay(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range trials {
		if !one.Drill.Proof.OnBuiltin() {
			t.Errorf("%s is laid over %s", one.Drill.Name, one.System())
		}
	}
	if _, err := p.Lay([]string{"leader-lost"}); err == nil ||
		!strings.Contains(err.Error(), "proved on etcd, galera, jetstream, patroni, redis by the tests of brunt") {
		t.Error(err)
	}
}
