package kube

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// String describes a right.
func (r Right) String() string {
	out := r.Verb + " " + r.Resource
	if r.Name != "" {
		out += " " + r.Name
	}
	if r.Namespace != "" {
		out += " in the namespace " + r.Namespace
	}
	return out
}

// Rule returns the line of a role that grants a right.
func Rule(r Right) string {
	names := ""
	if r.Name != "" {
		names = fmt.Sprintf("resourceNames: [%q], ", r.Name)
	}
	return fmt.Sprintf("- {apiGroups: [%q], resources: [%s], %sverbs: [%s]}", r.Group, r.Resource, names, r.Verb)
}

// A Subject is the user, group or service account that gets rights.
type Subject struct {
	Kind      string // User, Group or ServiceAccount
	Name      string
	Namespace string // of a service account
}

// Roles returns the manifest of the smallest roles with some rights: a Role for each namespace, and a ClusterRole for
// objects in no namespace. It binds the roles to a subject, unless the subject's name is empty.
func Roles(name string, rights []Right, to Subject) (string, error) {
	by := map[string][]Right{}
	for _, r := range rights {
		by[r.Namespace] = append(by[r.Namespace], r)
	}
	var out strings.Builder
	for _, ns := range slices.Sorted(maps.Keys(by)) {
		kind, meta := "ClusterRole", map[string]any{"name": name}
		if ns != "" {
			kind, meta["namespace"] = "Role", ns
		}
		objects := []map[string]any{{"kind": kind, "rules": rules(by[ns])}}
		if to.Name != "" {
			objects = append(objects, map[string]any{
				"kind": kind + "Binding", "roleRef": map[string]any{"apiGroup": rbacGroup, "kind": kind, "name": name},
				"subjects": []any{to.object()},
			})
		}
		for _, o := range objects {
			o["apiVersion"], o["metadata"] = rbacGroup+"/v1", meta
			text, err := yaml.Marshal(o) // it quotes a namespace such as 123 or on
			if err != nil {
				return "", err
			}
			out.WriteString("---\n" + string(text))
		}
	}
	return out.String(), nil
}

// rbacGroup is the group of the API that roles belong to.
const rbacGroup = "rbac.authorization.k8s.io"

// object returns the subject as it stands in a binding.
func (s Subject) object() map[string]any {
	out := map[string]any{"kind": s.Kind, "name": s.Name}
	if s.Kind == "ServiceAccount" {
		out["namespace"] = s.Namespace
	} else {
		out["apiGroup"] = rbacGroup
	}
	return out
}

// rules returns the rules of a role: one for the verbs of each resource.
func rules(rights []Right) (out []PolicyRule) {
	slices.SortStableFunc(rights, func(a, b Right) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Name, b.Name))
	})
	for i, r := range rights {
		if i > 0 && rights[i-1].Group == r.Group && rights[i-1].Resource == r.Resource && rights[i-1].Name == r.Name {
			last := &out[len(out)-1]
			last.Verbs = append(last.Verbs, r.Verb)
			continue
		}
		rule := PolicyRule{APIGroups: []string{r.Group}, Resources: []string{r.Resource}, Verbs: []string{r.Verb}}
		if r.Name != "" {
			rule.ResourceNames = []string{r.Name}
		}
		out = append(out, rule)
	}
	return out
}
