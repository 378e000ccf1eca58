package kube_test

import (
	"strings"
	"testing"
	"time"

	"brunt/chaos/kube"
	"brunt/chaos/kube/kubetest"
)

// TestCluster_Log reads what containers have printed: of both lives, up to a bound, and of one that has no former life.
func TestCluster_Log(t *testing.T) {
	s := kubetest.Start(t)
	s.Printed = map[string]string{"web/app/false": "again\n", "web/app/true": "first\nlast\n"}
	c := open(t, kube.Address{Kubeconfig: s.Kubeconfig(t, "")})
	for _, row := range []struct {
		of   kube.Life
		most int64
		want string
		cut  bool
	}{{kube.Present, 100, "again\n", false}, {kube.Former, 11, "first\nlast\n", false}, {kube.Former, 6, "first\n", true}} {
		var got strings.Builder
		if cut, err := c.Log(t.Context(), "default", "web", "app", row.of, time.Now(), &got, row.most); err != nil || cut != row.cut || got.String() != row.want {
			t.Errorf("%q, cut %t, %v; want %q, cut %t", got.String(), cut, err, row.want, row.cut)
		}
	}
	if _, err := c.Log(t.Context(), "default", "web", "side", kube.Former, time.Now(), &strings.Builder{}, 10); err == nil || !strings.Contains(err.Error(), `"side"`) {
		t.Errorf("%v, want the refusal of the server", err)
	}
}
