package drills_test

import (
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/result"
	"brunt/scenarios/result/programme"
	"brunt/scenarios/slo"
)

// alone is a URL of which brunt knows nothing else; project is the containers of one.
var (
	alone   = drills.System{Links: []string{"load->target"}, Loads: []string{"requests"}, Breaks: drills.LinkOnly}
	project = drills.System{
		Replicas: map[string]int{"api": 1, "store": 1}, Links: []string{"load->target"}, Breaks: drills.Containers,
	}
)

// TestOffer: the load's own link is not offered as one between services, nor all packets of a container where a fault
// answers requests.
func TestOffer(t *testing.T) {
	for _, c := range []struct {
		drill, role string
		system      drills.System
		want        string
	}{
		{"slow-dependency", "dependency", alone, ""},
		{"slow-dependency", "dependency", system, "web->store, web->names"},
		{
			"slow-dependency", "dependency", project,
			"CALLER->CALLEE of api, store; or for all packets of a service api, store",
		},
		{"http-5xx", "replicas", project, "CALLER->CALLEE of api, store"},
		{"idempotency", "store", alone, "load->target"},
		{"replica-crash", "replica", system, "web"},
	} {
		t.Run(c.drill+" "+c.want, func(t *testing.T) {
			d, err := drills.Find(c.drill, nil)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(d.Roles, func(r drills.Role) bool { return r.Name == c.role })
			if got := d.Roles[i].Offer(c.system); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if err := d.Fits(c.system); c.want == "" &&
				(err == nil || !strings.Contains(err.Error(), "no link between services")) {
				t.Errorf("it fits: %v", err)
			}
		})
	}
}

// TestBind_Leader: only a service whose leader can be found plays a store that elects one.
func TestBind_Leader(t *testing.T) {
	stores := drills.System{
		Replicas: map[string]int{"db": 3, "kv": 3, "small": 2}, Leaders: []string{"db", "small"}, Ledger: true,
		Breaks: drills.Processes,
	}
	unknown := stores
	unknown.Leaders = nil
	for _, c := range []struct {
		drill  string
		system drills.System
		part   string
		err    string
	}{
		{"leader-lost", stores, "db", ""},
		{"leader-lost", stores, "kv", "`leaders` of the scenario does not say how the leader of kv is found"},
		{"leader-lost", stores, "small", "small has 2 of the 3 replicas"},
		{"leader-lost", unknown, "db", "does not say how the leader of db is found"},
		{"leader-lost", unknown, "", "no service with 3 replicas in `leaders`"},
		{"quorum-lost", unknown, "kv", ""}, // it asks for none
	} {
		d, err := drills.Find(c.drill, nil)
		if err != nil {
			t.Fatal(err)
		}
		roles := map[string]string{}
		if c.part != "" {
			roles["store"] = c.part
		}
		if err := d.Bind(c.system, roles); (err == nil) != (c.err == "") ||
			err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s on %q: %v, want %q", c.drill, c.part, err, c.err)
		}
	}
}

// TestBind_Containers: a link between services of containers need not be declared, and a drill on a URL may name the
// load's link.
func TestBind_Containers(t *testing.T) {
	d, err := drills.Find("slow-dependency", nil)
	if err != nil {
		t.Fatal(err)
	}
	for part, ok := range map[string]bool{
		"api->store": true, "api[0]->store": true, "load->target": true, "store": true, "api->api": false, "api->db": false,
	} {
		if err := d.Bind(project, map[string]string{"dependency": part}); (err == nil) != ok {
			t.Errorf("%s: %v", part, err)
		}
	}
	if err := d.Bind(system, map[string]string{"dependency": "store->web"}); err == nil {
		t.Error("a link of processes that is not declared plays a role")
	}
}

// TestCoverage_Containers: a link between containers that a run names counts, though no scenario declares it.
func TestCoverage_Containers(t *testing.T) {
	m := drills.NewMatrix([]drills.Tried{{Name: "run", Result: &result.Result{
		Faults: []result.FaultRecord{
			{
				Name: "f", Kind: "network.latency", Units: []string{"api[0]"}, Links: []string{"api[0]->store[0]"}, Verified: 1,
				Traffic: 9,
			},
		},
		Objectives: []result.ObjectiveResult{{
			Text: "errors < 1% in f", Phase: slo.ParsePhase("f"),
			Verdict: scenarios.Pass, Measured: 0,
		}},
	}}})
	c := m.Coverage(&project)
	if c.Held != 1 || c.Modes != 14 {
		t.Errorf("%d of %d held, want 1 of 14", c.Held, c.Modes)
	}
	if !slices.ContainsFunc(c.Untried,
		func(p programme.UntriedPart) bool {
			return p.Name == "api->store" && slices.Equal(p.Effects, []string{"cut", "errors"})
		}) {
		t.Errorf("%v", c.Untried)
	}
	if len(project.Links) != 1 {
		t.Errorf("the system has got links: %q", project.Links)
	}
}

// TestBind_Apart: two roles are two loads, or two units.
func TestBind_Apart(t *testing.T) {
	d, err := drills.Find("rate-limit", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := drills.System{Loads: []string{"greedy", "others", "spent"}}
	if err := d.Bind(s, map[string]string{"greedy": "greedy", "others": "others", "refused": "spent"}); err != nil {
		t.Error(err)
	}
	err = d.Bind(s, map[string]string{"greedy": "greedy", "others": "greedy", "refused": "spent"})
	if err == nil || !strings.Contains(err.Error(),
		"role others: the load greedy is the role greedy already, and the drill rate-limit needs one for each; add one to the scenario's `load`") {
		t.Errorf("one load in two roles: %v", err)
	}
	s.Loads = s.Loads[:1]
	if err := d.Fits(s); err == nil || err.Error() !=
		"it needs a load for each of its roles greedy, others, refused, and the scenario has 1" {
		t.Errorf("one load for three roles: %v", err)
	}
	if d, err = drills.Find("rolling-restart", nil); err != nil {
		t.Fatal(err)
	}
	s.Replicas, s.Breaks = map[string]int{"web": 3}, drills.Processes
	for second, want := range map[string]string{
		"web[2]": "", "web[1]": "role second: the unit web[1] is the role first already",
	} {
		err := d.Bind(s, map[string]string{"first": "web[1]", "second": second, "writers": "greedy"})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("units web[1] and %s: %v, want %q", second, err, want)
		}
	}
}

// TestSystemName: the name of a drill is no part of that of a system.
func TestSystemName(t *testing.T) {
	for name, want := range map[string]string{
		"shop: replica-crash": "shop", "a: b: slow": "a: b", "shop: mine": "shop: mine", "replica-crash": "replica-crash",
		"shop": "shop",
	} {
		if got := drills.SystemName(name); got != want {
			t.Errorf("%q of %q, want %q", got, name, want)
		}
	}
}
