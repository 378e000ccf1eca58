package main

import (
	"fmt"
	"slices"
	"strings"

	"brunt/chaos/kube"
	"brunt/scenarios/plan"
	"brunt/scenarios/run/workers/pods"

	"github.com/spf13/cobra"
)

func rbacCommand() *cobra.Command {
	var f sourceFlags
	var to string
	var table bool
	c := &cobra.Command{
		Use:   "rbac SCENARIO",
		Short: "Print the least roles of Kubernetes with which a scenario runs",
		Long: `Print the manifest of the least roles of Kubernetes with which a scenario runs: for its workers, where
they are pods, and for its faults, where they hit pods, workloads and nodes, with the watchdog there.
--for binds the roles to a user, a group or a service account. --table prints in place of the manifest what each right
is for. No cluster is asked.
` + "`brunt doctor SCENARIO`" + ` asks the cluster which of these rights you lack.`,
		Example: `  brunt rbac scenario.yaml --for ann
  brunt rbac scenario.yaml --for serviceaccount:ci/runner`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			subject, err := subjectOf(to)
			if err != nil {
				return err
			}
			p, err := compile(args[0], &f)
			if err != nil {
				return err
			}
			uses := clusterUses(p)
			if len(uses) == 0 {
				return usagef("%s needs no rights of a cluster: its `workers` are not on kubernetes, and its target names no "+
					"pods there", args[0])
			}
			if table {
				_, err = fmt.Fprintln(stdout(c), strings.Join(kube.UseTable(uses), "\n"))
				return err
			}
			var rights []kube.Right
			for _, u := range uses {
				rights = append(rights, u.Right)
			}
			text, err := kube.RoleManifest("brunt", rights, subject)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(stdout(c), text)
			return err
		},
	}
	c.Flags().StringVar(&to, "for", "", "who gets the roles: a user, group:NAME, or serviceaccount:NAMESPACE/NAME")
	c.Flags().BoolVar(&table, "table", false, "print a table of the rights, and what each is for")
	f.register(c)
	return c
}

// clusterUses returns the rights that a plan needs in clusters, and what each is for.
func clusterUses(p *plan.Plan) (out []kube.Use) {
	if p.Scenario.Workers.Elsewhere() {
		out = pods.Uses(p.Scenario.Workers.Namespace)
	}
	if k := p.Scenario.Target.Kubernetes; k != nil {
		for _, u := range plan.PodUses(k, p.Scope, p.Parts()) {
			i := slices.IndexFunc(out, func(other kube.Use) bool { return other.Right == u.Right })
			if i < 0 {
				out = append(out, u)
			} else {
				out[i].For += ", " + u.For
			}
		}
	}
	return out
}

// subjectOf parses the subject that gets roles.
func subjectOf(text string) (kube.Subject, error) {
	kind, name, found := strings.Cut(text, ":")
	switch {
	case found && kind == "group" && name != "":
		return kube.Subject{Kind: "Group", Name: name}, nil
	case found && kind == "serviceaccount":
		namespace, name, _ := strings.Cut(name, "/")
		if namespace == "" || name == "" {
			return kube.Subject{}, usagef("--for serviceaccount:NAMESPACE/NAME, not %q", text)
		}
		return kube.Subject{Kind: "ServiceAccount", Name: name, Namespace: namespace}, nil
	}
	return kube.Subject{Kind: "User", Name: text}, nil
}
