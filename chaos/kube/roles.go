package kube

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
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

// ruleOf returns the line of a role that grants rights which differ only in their verbs.
func ruleOf(rights ...Right) string {
	r := rights[0]
	var verbs []string
	for _, of := range rights {
		verbs = append(verbs, of.Verb)
	}
	line := fmt.Sprintf("- {apiGroups: [%q], resources: [%s], ", r.Group, r.Resource)
	if r.Name != "" {
		line += fmt.Sprintf("resourceNames: [%s], ", r.Name)
	}
	return line + fmt.Sprintf("verbs: [%s]}", strings.Join(verbs, ", "))
}

// A Subject is the user, group or service account that gets rights.
type Subject struct {
	Kind      string // User, Group or ServiceAccount
	Name      string
	Namespace string // of a service account
}

// Roles returns the manifest of the smallest roles with some rights: a Role for each namespace, and a ClusterRole for
// objects in no namespace. It binds the roles to a subject, unless the subject's name is empty.
func Roles(name string, rights []Right, to Subject) string {
	by := map[string][]Right{}
	var namespaces []string
	for _, r := range rights {
		if by[r.Namespace] == nil {
			namespaces = append(namespaces, r.Namespace)
		}
		by[r.Namespace] = append(by[r.Namespace], r)
	}
	slices.Sort(namespaces)
	var out strings.Builder
	for _, ns := range namespaces {
		kind, in := "ClusterRole", ""
		if ns != "" {
			kind, in = "Role", ", namespace: "+ns
		}
		fmt.Fprintf(&out, "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: %s\nmetadata: {name: %s%s}\nrules:\n", kind,
			name, in)
		for _, rule := range rules(by[ns]) {
			fmt.Fprintln(&out, rule)
		}
		if to.Name == "" {
			continue
		}
		fmt.Fprintf(&out, "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: %sBinding\nmetadata: {name: %s%s}\n", kind,
			name, in)
		fmt.Fprintf(&out, "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: %s, name: %s}\n", kind, name)
		subject := "apiGroup: rbac.authorization.k8s.io"
		if to.Kind == "ServiceAccount" {
			subject = "namespace: " + to.Namespace
		}
		fmt.Fprintf(&out, "subjects:\n- {kind: %s, name: %q, %s}\n", to.Kind, to.Name, subject)
	}
	return out.String()
}

// rules returns the lines of a role: one for the verbs of each resource.
func rules(rights []Right) (out []string) {
	slices.SortStableFunc(rights, func(a, b Right) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Name, b.Name))
	})
	for i := 0; i < len(rights); {
		j := i + 1
		for j < len(rights) && rights[j].Group == rights[i].Group && rights[j].Resource == rights[i].Resource &&
			rights[j].Name == rights[i].Name {
			j++
		}
		out = append(out, ruleOf(rights[i:j]...))
		i = j
	}
	return out
}
