package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"brunt/chaos/kube"
	"brunt/chaos/kube/kubeconfig"
	"brunt/chaos/proc"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// A Place is a namespace of a cluster, as data.
type Place struct {
	Kubeconfig string `json:"kubeconfig,omitempty"` // files, as $KUBECONFIG listed them
	Context    string `json:"context"`
	Namespace  string `json:"namespace"`
	UID        string `json:"cluster"` // of the namespace kube-system, which lives as long as the cluster
}

// String returns the place as guard.allow.chaos names it.
func (p Place) String() string { return scenarios.ClusterName(p.Context, p.Namespace) }

// Connect opens the cluster that a context of the kubeconfig leads to, and identifies it. If the caller lacks some of
// the rights, the error names all that are missing.
func Connect(ctx context.Context, at kube.Address, rights ...kube.Right) (*kube.Cluster, Place, error) {
	if at.Kubeconfig == "" {
		at.Kubeconfig = namedFiles()
	}
	c, err := kubeconfig.Open(at, kube.Options{})
	if no, ok := errors.AsType[kubeconfig.NoContextError](err); ok {
		if near := syntax.Nearest(no.Context, no.Known); near != "" {
			err = fmt.Errorf("%w; %s", err, syntax.Suggestion(near))
		}
	}
	if err != nil {
		return nil, Place{}, fmt.Errorf("%s: %w", scenarios.ClusterName(at.Context, at.Namespace), err)
	}
	p := Place{Kubeconfig: at.Kubeconfig, Context: at.Context, Namespace: at.Namespace}
	if err = c.Require(ctx, rights); err == nil {
		p.UID, err = c.Identity(ctx)
	}
	if err != nil {
		c.Close()
		return nil, Place{}, fmt.Errorf("%s: %w", p, err)
	}
	return c, p, nil
}

// namedFiles returns $KUBECONFIG with absolute paths: an undo may be executed in another directory.
func namedFiles() string {
	var out []string
	for _, file := range filepath.SplitList(os.Getenv("KUBECONFIG")) {
		if abs, err := filepath.Abs(file); err == nil && file != "" {
			out = append(out, abs)
		}
	}
	return strings.Join(out, string(filepath.ListSeparator))
}

// Open opens the cluster of a place again, for an undo. It must be the same one.
func (p Place) Open(ctx context.Context) (*kube.Cluster, error) {
	at := kube.Address{Kubeconfig: p.Kubeconfig, Context: p.Context, Namespace: p.Namespace}
	if os.Getenv("KUBERNETES_SERVICE_HOST") != "" {
		if _, err := kubeconfig.Open(at, kube.Options{}); err != nil { // a pod of brunt's own has no kubeconfig
			at = kube.Address{Context: kube.InCluster, Namespace: p.Namespace}
		}
	}
	c, is, err := Connect(ctx, at)
	if err != nil {
		return nil, err
	}
	if is.UID != p.UID {
		c.Close()
		return nil, fmt.Errorf("%s leads to another cluster now (its kube-system has the UID %s, and had %s)", p, is.UID,
			p.UID)
	}
	return c, nil
}

// RunLabel is the label of the objects that brunt makes in a cluster. Its value is the run.
const RunLabel = "brunt.dev/run"

// PartLabel is the label that names the part of brunt to which an object belongs.
const PartLabel = "brunt.dev/part"

// WatchdogPart is the value of [PartLabel] for the watchdog of a run. No fault on a node ends its pod: it tolerates
// every taint.
const WatchdogPart = "watchdog"

// StackPart is the value of [PartLabel] for objects that a run made for a built-in stack. Faults hit them like any
// other.
const StackPart = "stack"

// AgentPart is the value of [PartLabel] for an agent of a run on a node. It tolerates every taint too, and belongs to
// no workload.
const AgentPart = "agent"

// ProtectedNamespace returns why no fault may hit anything in a namespace, or nil.
func ProtectedNamespace(name string) error {
	for _, prefix := range []string{"kube-", "openshift-"} {
		if strings.HasPrefix(name, prefix) {
			return fmt.Errorf("namespace %s: %w: those of %s* are of the cluster itself", name, proc.ErrProtected, prefix)
		}
	}
	return nil
}
