package chaos_test

import (
	"testing"

	"brunt/chaos"
)

// TestScope_CarriesMySQL: an endpoint says that a link carries MySQL, and so does the port of a link between units.
func TestScope_CarriesMySQL(t *testing.T) {
	sc := chaos.Scope{External: "10.0.0.1:4000", Endpoints: []chaos.Endpoint{
		{Name: "db", Addr: "10.0.0.1:4000", Scheme: "mysql"}, {Name: "pg", Addr: "10.0.0.2:5432", Scheme: "postgres"},
	}}
	for _, c := range []struct {
		from, to, upstream string
		want               bool
	}{
		{"load", "db", "10.0.0.1:4000", true},
		{"load", "target", "10.0.0.1:4000", true},
		{"load", "pg", "10.0.0.2:5432", false},
		{"web[0]", "db[0]", "127.0.0.1:4000", false},
		{"web[0]", "store[0]", "172.17.0.2:3306", true},
		{"web[0]", "store[0]", "172.17.0.2:33060", false},
	} {
		if got := sc.CarriesMySQL(c.from, c.to, c.upstream); got != c.want {
			t.Errorf("%s -> %s at %s: %v", c.from, c.to, c.upstream, got)
		}
	}
}
