package pods

import (
	"fmt"

	"brunt/chaos/kube"
	"brunt/chaos/kube/kubeconfig"
	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/run/guard"
)

// Open opens the cluster of the workers of a plan, whose address guard.allow.chaos must allow.
func Open(w *scenarios.Workers, p *plan.Plan) (*kube.Cluster, error) {
	o := kube.Options{Check: p.ChaosAllowlist.Check}
	if p.Stack.OnPods() { // the run makes its target in that cluster
		o = kube.Options{}
	}
	c, err := kubeconfig.Open(kube.Address{Context: w.Context, Namespace: w.Namespace}, o)
	if err != nil {
		return nil, fmt.Errorf("the cluster of the workers: %w", err)
	}
	return c, nil
}

// ImageOf returns the image of the workers.
func ImageOf(w *scenarios.Workers, getenv func(string) string) (string, error) {
	name, err := guard.Image(w.Image, getenv)
	if err != nil {
		return "", fmt.Errorf("the image of the workers: %w; workers.image and BRUNT_IMAGE name another", err)
	}
	return name, nil
}
