package kube_test

import (
	"strings"
	"testing"

	"brunt/chaos/kube"

	"sigs.k8s.io/yaml"
)

// TestRoles_Names reads roles as kubectl does: names that YAML takes for numbers and switches are texts.
func TestRoles_Names(t *testing.T) {
	for _, name := range []string{"123", "on", "1e3", "null", "0x1f", "true", "shop"} {
		text, err := kube.RoleManifest("brunt", []kube.Right{
			{Verb: "get", Resource: "pods", Namespace: name},
			{Verb: "list", Resource: "pods", Namespace: name},
			{Verb: "get", Group: "apps", Resource: "deployments", Name: name, Namespace: name},
			{Verb: "get", Resource: "nodes"},
		}, kube.Subject{Kind: "ServiceAccount", Name: name, Namespace: name})
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for _, part := range strings.Split(text, "---\n")[1:] {
			var o struct {
				APIVersion, Kind string
				Metadata         struct{ Name, Namespace string }
				Rules            []kube.PolicyRule
				Subjects         []struct{ Kind, Name, Namespace string }
			}
			if err := yaml.UnmarshalStrict([]byte(part), &o); err != nil && !strings.Contains(err.Error(), "roleRef") {
				t.Fatalf("%s: %v\n%s", name, err, part)
			}
			kinds = append(kinds, o.Kind)
			if strings.HasPrefix(o.Kind, "Role") && o.Metadata.Namespace != name {
				t.Errorf("%s: the namespace is %q", name, o.Metadata.Namespace)
			}
			for _, s := range o.Subjects {
				if s.Name != name || s.Namespace != name {
					t.Errorf("%s: %+v", name, s)
				}
			}
			if o.Kind == "Role" && (len(o.Rules) != 2 || strings.Join(o.Rules[0].Verbs, " ") != "get list" ||
				o.Rules[1].ResourceNames[0] != name) {
				t.Errorf("%s: rules %+v", name, o.Rules)
			}
		}
		if got := strings.Join(kinds, " "); got != "ClusterRole ClusterRoleBinding Role RoleBinding" {
			t.Errorf("%s: %s", name, got)
		}
	}
}
