package kube

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

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

// A Use is a right, and what it is for.
type Use struct {
	Right
	For string // such as "the watchdog"; empty: that is not known
}

// UseTable returns the lines of a table of uses: the verbs, the resource, the namespace, and what the rights are for.
// Uses that differ only in their verbs share a line.
func UseTable(uses []Use) (lines []string) {
	var text strings.Builder
	t := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  verbs\tresource\tnamespace\tfor")
	for i := 0; i < len(uses); {
		of, verbs := uses[i], []string(nil)
		for ; i < len(uses); i++ {
			same := uses[i]
			if same.Verb = of.Verb; same != of {
				break
			}
			verbs = append(verbs, uses[i].Verb)
		}
		resource := of.Resource
		if of.Group != "" {
			resource += "." + of.Group
		}
		if of.Name != "" {
			resource += " " + of.Name
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", strings.Join(verbs, ", "), resource, cmp.Or(of.Namespace, "-"), of.For)
	}
	_ = t.Flush() // a Builder takes everything
	for line := range strings.Lines(text.String()) {
		lines = append(lines, strings.TrimRight(line, " \n"))
	}
	return lines
}

// A Subject is the user, group or service account that gets rights.
type Subject struct {
	Kind      string `json:"kind"`               // User, Group or ServiceAccount
	APIGroup  string `json:"apiGroup,omitempty"` // of users and groups; RoleManifest sets it
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"` // of a service account
}

// RoleManifest returns the manifest of the smallest roles with some rights: a Role for each namespace, and a
// ClusterRole for objects in no namespace. It binds the roles to a subject, unless the subject's name is empty.
func RoleManifest(name string, rights []Right, to Subject) (string, error) {
	if to.Kind != "ServiceAccount" {
		to.APIGroup = rbacGroup
	}
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
				"kind": kind + "Binding", "roleRef": RoleRef{APIGroup: rbacGroup, Kind: kind, Name: name},
				"subjects": []Subject{to},
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
