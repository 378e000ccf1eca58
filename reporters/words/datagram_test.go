package words

import (
	"strings"
	"testing"
)

// TestFaultClause_Loss: on a link the fault acts on datagrams, and on units on packets.
func TestFaultClause_Loss(t *testing.T) {
	r := onURL(t)
	for want, unit := range map[string]string{
		"the link from load to names was losing datagrams": "load->names", "was losing packets": "web[0]",
	} {
		f := aFault("lossy", "network.loss", unit)
		if got := faultClause(r, &f).String(); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", unit, got, want)
		}
	}
}

// TestFaultClause_Peers: links within a service are those of the unit that was cut off, with its role.
func TestFaultClause_Peers(t *testing.T) {
	r := onURL(t)
	for _, c := range []struct {
		want, role string
		links      []string
	}{
		{"the links of the leader db[0] were cut", "leader", []string{"db[0]->db[1]", "db[0]->db[2]", "db[1]->db[0]"}},
		{"the links of db[0] were cut", "", []string{"load->db[0]", "db[1]->db[0]"}},
		{"the link from db[0] to db[1] was cut", "leader", []string{"db[0]->db[1]"}},
		{"the links from db[0] to db[1] and from db[2] to db[3] were cut", "", []string{"db[0]->db[1]", "db[2]->db[3]"}},
		{"the links from web to db were cut", "", []string{"web[0]->db[0]", "web[0]->db[1]"}},
	} {
		f := aFault("cut", "network.partition", c.links...)
		f.Role = c.role
		if got := faultClause(r, &f).String(); !strings.Contains(got, c.want) {
			t.Errorf("%s of %q: %q, want %q", c.role, c.links, got, c.want)
		}
	}
}
