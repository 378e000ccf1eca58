package scenarios_test

import (
	"errors"
	"net/netip"
	"testing"

	"brunt/scenarios"
)

func TestReach(t *testing.T) {
	var r scenarios.Reach
	for _, e := range []string{"10.1.0.0/16", "192.0.2.7", "[2001:db8::1]", "192.0.2.9:5432", "API.Test", "db.test:5432"} {
		if err := r.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range []string{"*", "*.test", "a b", "http://a/", ""} {
		if err := r.Add(e); !errors.As(err, new(*scenarios.ReachError)) {
			t.Errorf("%q: %v", e, err)
		}
	}
	for _, c := range []struct {
		to, host string
		want     bool
	}{
		{"127.0.0.1:1", "", true},
		{"[::1]:1", "", true},
		{"[::ffff:127.0.0.1]:1", "", true},
		{"10.1.2.3:1", "", true},
		{"[::ffff:10.1.2.3]:1", "", true},
		{"10.2.2.3:1", "", false},
		{"192.0.2.7:1", "", true},
		{"192.0.2.8:1", "", false},
		{"[2001:db8::1]:1", "", true},
		{"[2001:db8::2]:1", "", false},
		{"192.0.2.9:5432", "", true},
		{"192.0.2.9:5433", "", false},
		{"192.0.2.50:1", "api.test", true},
		{"192.0.2.50:1", "www.api.test", false},
		{"192.0.2.50:5432", "DB.test", true},
		{"192.0.2.50:5433", "db.test", false},
		{"192.0.2.50:1", "", false},
	} {
		if got := r.Holds(netip.MustParseAddrPort(c.to), c.host); got != c.want {
			t.Errorf("%s by %q: %v", c.to, c.host, got)
		}
	}
	if !r.NamesAddresses() || new(scenarios.Reach).NamesAddresses() ||
		new(scenarios.Reach).Holds(netip.MustParseAddrPort("10.1.2.3:1"), "a") {
		t.Error("the zero value is not nothing")
	}
}
