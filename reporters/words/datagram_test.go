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
