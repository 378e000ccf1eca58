package kube_test

import (
	"crypto/rand"
	"net/netip"
	"strings"
	"testing"

	"brunt/chaos/kube"
	"brunt/scenarios/suite"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// namespaces: the deletion of a namespace takes with it what is in it, and a namespace that it owns; services have addresses unless they are
// headless.
func (b *bed) namespaces(t *testing.T) {
	outer := "brunt-outer-" + strings.ToLower(rand.Text()[:6])
	inner := outer + "-inner"
	get := must[*corev1.Namespace](t)
	ns := get(b.Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: outer}}, false))
	get(b.Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: inner, OwnerReferences: []metav1.OwnerReference{{
		APIVersion: "v1", Kind: "Namespace", Name: outer, UID: ns.UID,
	}}}}, false))
	for _, name := range []string{"", corev1.ClusterIPNone} {
		s := must[*corev1.Service](t)(b.Services(outer).Create(t.Context(), &corev1.Service{
			ObjectMeta: metav1.ObjectMeta{GenerateName: "s-"},
			Spec:       corev1.ServiceSpec{ClusterIP: name, Selector: map[string]string{"app": "none"}, Ports: []corev1.ServicePort{{Port: 80}}},
		}, false))
		if _, err := netip.ParseAddr(s.Spec.ClusterIP); (err == nil) != (name == "") {
			t.Errorf("the service asked for the address %q and has %q", name, s.Spec.ClusterIP)
		}
	}
	if err := b.Namespaces().Delete(t.Context(), outer, kube.Deletion{UID: string(ns.UID)}); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "both namespaces are gone", func() bool {
		_, first := b.Namespaces().Get(t.Context(), outer)
		_, second := b.Namespaces().Get(t.Context(), inner)
		return kube.Is(first, kube.NotFound) && kube.Is(second, kube.NotFound)
	})
	if left, err := b.Services(outer).List(t.Context(), kube.Query{}); err != nil || len(left) > 0 {
		t.Errorf("%d services are left, %v", len(left), err)
	}
}
