package plan_test

import (
	"strings"
	"testing"

	"brunt/scenarios/plan"
)

// TestCompileBare_From: the end of a link is a setting of a fault alone, although a fault of a timeline has a key of
// that name.
func TestCompileBare_From(t *testing.T) {
	for _, c := range []struct{ settings, want string }{
		{"from=container/a to=container/b delay=10ms for=1s", ""},
		{"from=container/a to=container/b delay=10ms at=1s", `"at" needs a timeline`},
	} {
		_, err := plan.CompileBare(plan.Bare{Kind: "network.latency", Settings: strings.Fields(c.settings)})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", c.settings, err)
		}
	}
}
