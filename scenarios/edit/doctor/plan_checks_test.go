package doctor

import (
	"errors"
	"testing"

	"brunt/chaos"
)

// TestAmong: which services a fault may ask for their leader, by the names in its settings.
func TestAmong(t *testing.T) {
	for _, c := range []struct {
		name  string
		named []string
		want  bool // of the service db
	}{
		{"by a zone alone", nil, true},
		{"a service", []string{"db"}, true},
		{"a unit", []string{"db[1]"}, true},
		{"another service", []string{"web"}, false},
		{"a link to it", []string{"web", "db"}, true},
		{"a link from a zone", []string{"zone/a", "web"}, true},
		{"a link to a zone", []string{"web", "zone/b"}, true},
		{"the load's link to another", []string{"load", "web"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := among(c.named, "db"); got != c.want {
				t.Errorf("db is among %v: %t, want %t", c.named, got, c.want)
			}
		})
	}
}

// TestCheck_Lacks checks that what this machine can't inject is bad where brunt itself would have to, with a remedy.
func TestCheck_Lacks(t *testing.T) {
	no := errors.New("control groups can't be written")
	for _, c := range []struct {
		name      string
		w         chaos.Capability
		otherwise bool
		want      CheckState
		fix       string
	}{
		{"it can", chaos.Capability{Via: "cgroup v2"}, false, Fine, ""},
		{"it can't", chaos.Capability{Err: no, Fix: "run brunt as root"}, false, Bad, "run brunt as root"},
		{"without a remedy", chaos.Capability{Err: no}, false, Bad, "leave the fault out"},
		{"an agent does", chaos.Capability{Err: no, Fix: "run brunt as root"}, true, Fine, ""},
		{"no agent can", chaos.Capability{Err: no, Fix: "use Linux", Required: true}, true, Bad, "use Linux"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := Check{Name: "fault slow", State: Fine, Found: "it would be slow"}
			k.lacks(c.w, c.otherwise)
			if k.State != c.want || k.Fix != c.fix || (k.Found == no.Error()) != (c.want == Bad) {
				t.Errorf("%+v", k)
			}
		})
	}
}
