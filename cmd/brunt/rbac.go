package main

import (
	"fmt"
	"strings"

	"brunt/chaos/kube"
	"brunt/scenarios/run/workers/pods"

	"github.com/spf13/cobra"
)

func rbacCommand() *cobra.Command {
	var f sourceFlags
	var to string
	c := &cobra.Command{
		Use:   "rbac SCENARIO",
		Short: "Print the least roles of Kubernetes with which a scenario runs",
		Long: `Print the manifest of the least roles of Kubernetes with which a scenario runs: for its workers, where
they are pods. --for binds the roles to a user, a group or a service account. No cluster is asked.
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
			if !p.Scenario.Workers.Elsewhere() {
				return usagef("%s needs no rights of a cluster: its `workers` are not on kubernetes", args[0])
			}
			_, err = fmt.Fprint(stdout(c), kube.Roles("brunt", pods.Rights(p.Scenario.Workers.Namespace), subject))
			return err
		},
	}
	c.Flags().StringVar(&to, "for", "", "who gets the roles: a user, group:NAME, or serviceaccount:NAMESPACE/NAME")
	f.register(c)
	return c
}

// subjectOf reads who gets roles.
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
