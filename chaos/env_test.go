package chaos_test

import (
	"slices"
	"testing"

	"brunt/chaos"
)

// TestScope_Carries: an endpoint says what a link carries, and so do the port of a link between units and the load.
func TestScope_Carries(t *testing.T) {
	sc := chaos.Scope{
		External: "10.0.0.1:4000", FromLoad: chaos.Formats{"pages/2"}, AtPort: chaos.Ports{3306: {"rows"}},
		Endpoints: []chaos.Endpoint{
			{Name: "db", Addr: "10.0.0.1:4000", Carries: chaos.Formats{"rows", "tables"}}, {Name: "web", Addr: "10.0.0.2:80"},
		},
	}
	encrypted := sc
	encrypted.Encrypted = true
	for _, c := range []struct {
		sc                 chaos.Scope
		from, to, upstream string
		want               chaos.Formats
	}{
		{sc, "load", "db", "10.0.0.1:4000", chaos.Formats{"rows", "tables", "pages/2"}},
		{sc, "load", "target", "10.0.0.1:4000", chaos.Formats{"rows", "tables", "pages/2"}},
		{sc, "load", "web", "10.0.0.2:80", chaos.Formats{"pages/2"}},
		{encrypted, "load", "web", "10.0.0.2:80", nil},
		{encrypted, "load", "db", "10.0.0.1:4000", chaos.Formats{"rows", "tables"}},
		{sc, "web[0]", "db[0]", "127.0.0.1:4000", nil},
		{sc, "web[0]", "store[0]", "172.17.0.2:3306", chaos.Formats{"rows"}},
		{sc, "web[0]", "store[0]", "[fd00::2]:3306", chaos.Formats{"rows"}},
		{sc, "web[0]", "store[0]", "172.17.0.2:33060", nil},
		{sc, "web[0]", "store[0]", "store", nil},
		{sc, "load", "web[0]", "127.0.0.1:3306", chaos.Formats{"rows", "pages/2"}},
	} {
		if got := c.sc.Carries(c.from, c.to, c.upstream); !slices.Equal(got, c.want) {
			t.Errorf("%s -> %s at %s: %v, want %v", c.from, c.to, c.upstream, got, c.want)
		}
	}
}
