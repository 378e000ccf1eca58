package target

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/targets/platform"
	manifests "brunt/targets/platform/kube"
)

// A Cluster has the functions of a run that a target of pods needs.
type Cluster struct {
	Image func() (string, error) // returns the name of brunt's image
	// Guard starts the watchdog in the cluster, and Leave ends it and the agents.
	Guard func(ctx context.Context, c *kube.Cluster, at cluster.Place) error
	Leave func(ctx context.Context) error
}

// Inside describes how processes in the cluster of a target reach it. The zero value is for a target that is not in a
// cluster.
type Inside struct {
	Base  string
	Units map[string]string // the values of ${unit.…}
}

// Times of pods.
const (
	warnWithin = 10 * time.Second // time limit for the question for warnings
	podsWithin = 2 * time.Minute  // default time limit for pods to be ready; an image may be fetched first
	podsEvery  = 200 * time.Millisecond
	user       = 65532 // user id of the pods
)

// podGroup is a target of pods that the run makes.
type podGroup struct {
	host       *Host
	containers *dryrun.Containers // the target's pods, which are its units
	c          *kube.Cluster
	at         cluster.Place
	k          *scenarios.Kubernetes
	undo       []chaos.Undo
	entered    int                      // the entry of the journal that the watchdog in the cluster knows
	doors      map[string]*cluster.Door // by unit
	in         Inside
}

var _ group = (*podGroup)(nil)

// bringPods makes the target in a cluster. Every object carries the run's label.
func (s *System) bringPods(ctx context.Context) error {
	h := s.host
	g := &podGroup{
		host: h, containers: s.Containers, k: h.Plan.Scenario.Target.Kubernetes, doors: map[string]*cluster.Door{},
	}
	var err error
	g.c, g.at, err = cluster.Connect(ctx, kube.Address{Context: g.k.Context, Namespace: g.k.Namespace},
		plan.PodRights(g.k, h.Plan.Scope, h.Plan.Parts())...)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotReady, plan.ExplainRights(err, g.k, h.Plan.Scope, h.Plan.Parts()))
	}
	s.group = g
	for _, of := range g.made() {
		g.undo = append(g.undo, cluster.DeleteUndo(g.at, of, h.Run))
	}
	if s.journaled, err = h.Journal.Intent(chaos.Intent{What: "the pods of the stack", Undo: g.undo}); err != nil {
		return err
	}
	if err := g.Up(ctx); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%w: %w", errNotReady, err)
	}
	s.entry = g.Addr(syntax.UnitName(h.Plan.Stack.Entry, 0))
	return s.loadLink(ctx)
}

// made lists the objects to delete to remove the target: the namespaces with everything in them, or each object if
// the namespace existed before.
func (g *podGroup) made() []kube.Ref {
	out := g.namespaceRefs()
	if !g.k.Makes {
		out = append(out, g.objects()...)
	}
	return out
}

// namespaceRefs lists the namespaces that the run makes, the last one first.
func (g *podGroup) namespaceRefs() (out []kube.Ref) {
	for _, name := range slices.Backward(g.k.Made()) {
		out = append(out, kube.Ref{API: "v1", Resource: "namespaces", Name: name})
	}
	return out
}

// objects lists the objects of the target in its namespace.
func (g *podGroup) objects() (out []kube.Ref) {
	stack := g.host.Plan.Stack
	for _, name := range stack.Names() {
		out = append(out, kube.Ref{API: "apps/v1", Resource: scenarios.StatefulSets, Namespace: g.k.Namespace, Name: name})
	}
	for _, name := range append(stack.Names(), manifests.EntryName(*stack)) {
		out = append(out, kube.Ref{API: "v1", Resource: "services", Namespace: g.k.Namespace, Name: name})
	}
	return out
}

func (g *podGroup) labels() map[string]string {
	return cluster.OwnLabels(g.host.Run, cluster.StackPart)
}

func (g *podGroup) Up(ctx context.Context) error {
	h := g.host
	image, err := h.Cluster.Image()
	if err != nil {
		return err
	}
	objects, err := manifests.Manifests(*h.Plan.Stack, manifests.Options{
		Image: image, PullSecrets: cluster.PullSecrets(g.k.PullSecrets), Labels: g.labels(), Pod: kube.Restricted(user),
		Container: kube.RestrictedContainer(),
	})
	if err != nil {
		return err
	}
	if err := g.namespaces(ctx); err != nil {
		return err
	}
	if err := h.Cluster.Guard(ctx, g.c, g.at); err != nil {
		return err
	}
	if g.k.Watchdog != scenarios.NoWatchdog {
		if g.entered, err = h.Journal.Intent(chaos.Intent{
			What: "the pods of the stack, for the watchdog there", Undo: g.undo,
		}); err != nil {
			return err
		}
	}
	var address string
	for i := range objects.Services {
		is, err := kube.Services(g.c, g.k.Namespace).Create(ctx, &objects.Services[i], false)
		if err != nil {
			return fmt.Errorf("create the service %s: %w", objects.Services[i].Name, err)
		}
		if is.Name == manifests.EntryName(*h.Plan.Stack) {
			address = is.Spec.ClusterIP
		}
	}
	for i := range objects.Sets {
		if _, err := kube.StatefulSets(g.c, g.k.Namespace).Create(ctx, &objects.Sets[i], false); err != nil {
			return fmt.Errorf("create the stateful set %s: %w", objects.Sets[i].Name, err)
		}
	}
	all, err := g.ready(ctx, image)
	if err != nil {
		return err
	}
	if err := g.reach(all, address); err != nil {
		return err
	}
	return g.containers.Choose(ctx)
}

// namespaces makes the namespaces that the scenario does not name. The first one owns the second, so that both are
// removed together.
func (g *podGroup) namespaces(ctx context.Context) error {
	var owner []kube.OwnerReference
	for _, name := range g.k.Made() {
		ns := &kube.Namespace{ObjectMeta: kube.ObjectMeta{Name: name, Labels: g.labels(), OwnerReferences: owner}}
		if name == g.k.AgentNamespace { // an agent is root on its node
			ns.Labels["pod-security.kubernetes.io/enforce"] = "privileged"
		}
		is, err := kube.Namespaces(g.c).Create(ctx, ns, false)
		if err != nil {
			return fmt.Errorf("create the namespace %s: %w", name, err)
		}
		owner = []kube.OwnerReference{{APIVersion: "v1", Kind: "Namespace", Name: is.Name, UID: is.UID}}
	}
	return nil
}

// list lists the pods of the target by name, without pods that are being deleted.
func (g *podGroup) list(ctx context.Context) (map[string]*kube.Pod, error) {
	all, err := kube.Pods(g.c, g.k.Namespace).List(ctx, kube.Query{
		Labels: cluster.RunLabel + "=" + g.host.Run + "," + cluster.PartLabel + "=" + cluster.StackPart,
	})
	out := map[string]*kube.Pod{}
	for i := range all {
		if all[i].DeletionTimestamp == nil {
			out[all[i].Name] = &all[i]
		}
	}
	return out, err
}

// ready waits until all pods are ready, by the reports of their nodes.
func (g *podGroup) ready(ctx context.Context, image string) (map[string]*kube.Pod, error) {
	within := podsWithin
	if r := g.host.Plan.Scenario.Target.Ready; r != nil && r.Within > 0 {
		within = r.Within.D()
	}
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	seen := map[string]bool{}
	for {
		all, err := g.list(limited)
		var waits []string
		for name, unit := range g.unitsByPod() {
			pod := all[name]
			switch {
			case pod == nil:
				waits = append(waits, unit+" has no pod yet")
			case cluster.IsReady(pod):
				if !seen[unit] {
					seen[unit] = true
					g.host.Log.Event(result.Event{Event: "unit.ready", Unit: unit})
				}
			default:
				why, vain := cluster.WaitsFor(pod, unit, image)
				if vain {
					return nil, errors.New(why)
				}
				waits = append(waits, why)
			}
		}
		slices.Sort(waits)
		if err == nil && len(waits) == 0 {
			return all, nil
		}
		select {
		case <-time.After(podsEvery):
		case <-limited.Done():
			if err == nil || limited.Err() != nil && len(waits) > 0 {
				err = errors.New(strings.Join(waits, "; "))
			}
			return nil, fmt.Errorf("not ready within %s: %w%s", quantity.FormatDuration(within), err,
				g.warning(context.WithoutCancel(ctx)))
		}
	}
}

// unitsByPod returns the units by the names of their pods.
func (g *podGroup) unitsByPod() map[string]string {
	out := map[string]string{}
	for _, s := range g.host.Plan.Stack.Services {
		for i := range s.Replicas {
			out[manifests.PodName(s.Name, i)] = syntax.UnitName(s.Name, i)
		}
	}
	return out
}

// warning returns the last warning of the cluster, such as about a quota.
func (g *podGroup) warning(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, warnWithin)
	defer cancel()
	events, err := kube.Events(g.c, g.k.Namespace).List(ctx, kube.Query{Fields: "type=Warning"})
	if err != nil || len(events) == 0 {
		return ""
	}
	last := slices.MaxFunc(events,
		func(a, b kube.ObjectEvent) int { return a.LastTimestamp.Compare(b.LastTimestamp.Time) })
	return fmt.Sprintf("; the cluster says of %s: %s %s", last.InvolvedObject.Name, last.Reason,
		strings.Join(strings.Fields(last.Message), " "))
}

// reach opens the doors to the pods, and records how the load reaches them in the cluster. address is the address of
// the entry's service.
func (g *podGroup) reach(all map[string]*kube.Pod, address string) error {
	g.in.Units = map[string]string{}
	var own []netip.Addr
	p := g.host.Plan
	for _, s := range p.Stack.Services {
		port := strconv.Itoa(s.Port)
		for i := range s.Replicas {
			name, unit := manifests.PodName(s.Name, i), syntax.UnitName(s.Name, i)
			d, err := cluster.OpenDoor(func(ctx context.Context) (net.Conn, error) {
				return g.c.Dial(ctx, g.k.Namespace, name, s.Port)
			})
			if err != nil {
				return err
			}
			g.doors[unit] = d
			at := net.JoinHostPort(all[name].Status.PodIP, port)
			platform.SetAddress(g.in.Units, "unit."+unit, at)
			if i == 0 {
				platform.SetAddress(g.in.Units, "unit."+s.Name, at)
			}
			for _, ip := range all[name].Status.PodIPs {
				if a, err := netip.ParseAddr(ip.IP); err == nil {
					own = append(own, a.Unmap())
				}
			}
		}
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return fmt.Errorf("the service %s has no address: %w", manifests.EntryName(*p.Stack), err)
	}
	own = append(own, ip.Unmap())
	p.LoadAllowlist.Own.Add(own...)
	p.ChaosAllowlist.Own.Add(own...)
	g.in.Base = "http://" + net.JoinHostPort(address, strconv.Itoa(p.Stack.Service(p.Stack.Entry).Port))
	return nil
}

// Inside returns how processes in the cluster of the target reach it.
func (s *System) Inside() Inside {
	if g, ok := s.group.(*podGroup); ok {
		return Inside{g.in.Base, maps.Clone(g.in.Units)}
	}
	return Inside{}
}

func (g *podGroup) Addresses() map[string]string {
	out := map[string]string{}
	for unit, d := range g.doors {
		platform.SetAddress(out, "unit."+unit, d.Addr())
		if service, index, ok := chaos.SplitUnit(unit); ok && index == 0 {
			platform.SetAddress(out, "unit."+service, d.Addr())
		}
	}
	return out
}

func (g *podGroup) Addr(unit string) string {
	if d := g.doors[unit]; d != nil {
		return d.Addr()
	}
	return ""
}

func (g *podGroup) units() []chaos.Unit { return g.containers.Units() }

// Down implements [group]. If agents or faults left something to be undone, the watchdog stays, and its namespace
// with it.
func (g *podGroup) Down(ctx context.Context) error {
	for unit, d := range g.doors {
		_ = d.Close()
		delete(g.doors, unit)
	}
	defer g.c.Close()
	var errs []error
	for _, of := range g.objects() {
		_, err := cluster.DeleteOwn(ctx, g.c, of, g.host.Run)
		if kube.Is(err, kube.Forbidden) && g.k.Makes { // the namespace is already gone
			err = nil
		}
		errs = append(errs, err)
	}
	if err := chaos.JoinErrors(errs...); err != nil {
		return err
	}
	if g.entered != 0 {
		if err := g.host.Journal.Done(g.entered, chaos.Reverted); err != nil {
			return err
		}
		g.entered = 0
	}
	if err := g.host.Cluster.Leave(ctx); err != nil {
		return err
	}
	for _, of := range g.namespaceRefs() {
		if _, err := cluster.DeleteOwn(ctx, g.c, of, g.host.Run); err != nil {
			return err
		}
	}
	return g.gone(ctx)
}

// gone waits until all objects of the target are gone.
func (g *podGroup) gone(ctx context.Context) error {
	_, err := cluster.Until(ctx, func() (string, error) {
		for _, name := range g.k.Made() {
			if ns, err := kube.Namespaces(g.c).Get(ctx, name); !kube.Is(err, kube.NotFound) &&
				(err != nil || ns.Labels[cluster.RunLabel] == g.host.Run) {
				return "", cmp.Or(err, fmt.Errorf("the namespace %s is not gone yet; kubectl delete namespace %[1]s removes it",
					name))
			}
		}
		if g.k.Makes {
			return "", nil
		}
		all, err := g.list(ctx)
		if err == nil && len(all) > 0 {
			err = fmt.Errorf("%s are still there in the namespace %s", syntax.Amount(len(all), "pod"), g.k.Namespace)
		}
		return "", err
	})
	return err
}
