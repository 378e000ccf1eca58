package pods

import (
	"context"
	"fmt"
	"strings"

	"brunt/chaos/kube"
)

// Rights are what workers in a namespace take.
func Rights(namespace string) []kube.Right {
	right := func(verb, group, resource string) kube.Right {
		return kube.Right{Verb: verb, Group: group, Resource: resource, Namespace: namespace}
	}
	return []kube.Right{
		right("create", "batch", "jobs"), right("delete", "batch", "jobs"),
		right("list", "", "pods"), right("watch", "", "pods"), right("delete", "", "pods"),
		right("get", "", "pods/portforward"), right("create", "", "pods/portforward"), // a WebSocket is a get, and a create from 1.35 on
		right("list", "", "events"),
	}
}

// A missingRight is a right that the caller lacks.
type missingRight struct {
	kube.Right
	Why string // as the cluster says it; may be empty
}

// lacking asks the cluster for each right, and returns those that the caller lacks.
func lacking(ctx context.Context, c *kube.Cluster, rights []kube.Right) (out []missingRight, err error) {
	for _, r := range rights {
		may, why, err := c.May(ctx, r)
		if err != nil {
			return nil, err
		}
		if !may {
			out = append(out, missingRight{r, why})
		}
	}
	return out, nil
}

// lackError reports all rights that the caller lacks, with the lines of a role that grant them.
func lackError(c *kube.Cluster, all []missingRight) error {
	var b strings.Builder
	fmt.Fprintf(&b, "the cluster %s does not let you:", c.Server())
	for _, m := range all {
		fmt.Fprintf(&b, "\n  %s; this line of a role grants it: %s", m.Right, kube.Rule(m.Right))
	}
	b.WriteString("\n`brunt rbac SCENARIO` prints the whole roles")
	return fmt.Errorf("%s", b.String())
}
