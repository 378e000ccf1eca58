package kube_test

import (
	"crypto/rand"
	"net/netip"
	"strings"
	"testing"

	"brunt/chaos/kube"
	"brunt/scenarios/suite"
)

// namespaces: the deletion of a namespace takes with it what is in it, and a namespace that it owns; services have
// addresses unless they are headless.
func (b *bed) namespaces(t *testing.T) {
	outer := "brunt-outer-" + strings.ToLower(rand.Text()[:6])
	inner := outer + "-inner"
	get := must[*kube.Namespace](t)
	ns := get(kube.Namespaces(b.Cluster).Create(t.Context(),
		&kube.Namespace{ObjectMeta: kube.ObjectMeta{Name: outer}}, false))
	get(kube.Namespaces(b.Cluster).Create(t.Context(), &kube.Namespace{ObjectMeta: kube.ObjectMeta{
		Name: inner,
		OwnerReferences: []kube.OwnerReference{{
			APIVersion: "v1", Kind: "Namespace", Name: outer, UID: ns.UID,
		}},
	}}, false))
	for _, name := range []string{"", kube.ClusterIPNone} {
		s := must[*kube.Service](t)(kube.Services(b.Cluster, outer).Create(t.Context(), &kube.Service{
			ObjectMeta: kube.ObjectMeta{GenerateName: "s-"},
			Spec: kube.ServiceSpec{
				ClusterIP: name, Selector: map[string]string{"app": "none"},
				Ports: []kube.ServicePort{{Port: 80}},
			},
		}, false))
		if _, err := netip.ParseAddr(s.Spec.ClusterIP); (err == nil) != (name == "") {
			t.Errorf("the service asked for the address %q and has %q", name, s.Spec.ClusterIP)
		}
	}
	if err := kube.Namespaces(b.Cluster).Delete(t.Context(), outer, kube.Deletion{UID: string(ns.UID)}); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "both namespaces are gone", func() bool {
		_, first := kube.Namespaces(b.Cluster).Get(t.Context(), outer)
		_, second := kube.Namespaces(b.Cluster).Get(t.Context(), inner)
		return kube.Is(first, kube.NotFound) && kube.Is(second, kube.NotFound)
	})
	if left, err := kube.Services(b.Cluster, outer).List(t.Context(), kube.Query{}); err != nil || len(left) > 0 {
		t.Errorf("%d services are left, %v", len(left), err)
	}
}
