package kube_test

import (
	"fmt"
	"slices"
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
	}{
		{kube.Present, 100, "again\n", false}, {kube.Former, 11, "first\nlast\n", false}, {kube.Former, 6, "first\n", true},
	} {
		var got strings.Builder
		cut, err := c.Log(t.Context(), "default", "web", "app", row.of, time.Now(), &got, row.most)
		if err != nil || cut != row.cut || got.String() != row.want {
			t.Errorf("%q, cut %t, %v; want %q, cut %t", got.String(), cut, err, row.want, row.cut)
		}
	}
	_, err := c.Log(t.Context(), "default", "web", "side", kube.Former, time.Now(), &strings.Builder{}, 10)
	if err == nil || !strings.Contains(err.Error(), `"side"`) {
		t.Errorf("%v, want the refusal of the server", err)
	}
}

// TestObjects_WatchOn: a caller learns first which of the objects that it has are gone since it read them, and then the
// others as they are now: a replacement comes after the object that it replaces.
func TestObjects_WatchOn(t *testing.T) {
	s := kubetest.Start(t)
	c := open(t, kube.Address{Kubeconfig: s.Kubeconfig(t, "")})
	maps := kube.ConfigMaps(c, "default")
	var had []kube.ConfigMap
	for _, name := range []string{"kept", "gone"} {
		had = append(had, *must[*kube.ConfigMap](t)(maps.Create(t.Context(), configMap(name, "", nil), false)))
	}
	if err := maps.Delete(t.Context(), "gone", kube.Deletion{}); err != nil {
		t.Fatal(err)
	}
	must[*kube.ConfigMap](t)(maps.Create(t.Context(), configMap("new", "", nil), false))
	var seen []string
	if err := maps.WatchOn(t.Context(), kube.Query{}, had, func(e kube.Event[kube.ConfigMap]) bool {
		seen = append(seen, fmt.Sprint(e.Object.Name, " ", e.Gone))
		return len(seen) < 3
	}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"gone true", "kept false", "new false"}; !slices.Equal(seen, want) {
		t.Errorf("%q, want %q", seen, want)
	}
}
