package chaos_test

import (
	"testing"

	"brunt/chaos"
)

func TestProtectedUnits(t *testing.T) {
	p := &chaos.Protected{Services: []string{"store", "target"}, Units: []string{"web[1]"}, PIDs: []int{12}}
	for name, want := range map[string]string{
		"store[0]": "store[0]", "store[7]": "store[7]", "web[1]": "web[1]", "web[0]": "", "pid 12": "pid 12", "pid 1": "",
		"pid 123":          "",
		"web[0]->store[0]": "store[0]", "web[1]->users[0]": "web[1]", "web[0]->users[0]": "", "load->target": "target",
		"stores[0]": "", "": "",
	} {
		if got, yes := p.Has(name); got != want || yes != (want != "") {
			t.Errorf("%q: %q, %v; want %q", name, got, yes, want)
		}
	}
}
