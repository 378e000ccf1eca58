package doctor

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/cluster"
	"brunt/chaos/netns"
	"brunt/chaos/timeline"
	"brunt/scenarios/connect"
	"brunt/scenarios/k6"
	"brunt/scenarios/machine"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/run/workers/pods"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets/platform"
	"brunt/targets/platform/compose"
	"brunt/targets/platform/docker"
)

// Needs checks whether this machine and the target can run the plan. It starts nothing and changes nothing on the
// machine.
func Needs(ctx context.Context, p *plan.Plan) []Check {
	checks := []Check{fileNeeds(p)}
	switch {
	case p.Stack == nil:
		checks = append(checks, targetNeeds(ctx, p))
	case p.Stack.Platform == platform.Docker, p.Stack.OnPods():
	default:
		checks = append(checks, commandNeeds(p)...)
		checks = append(checks, portNeeds(p)...)
	}
	checks = append(checks, endpointNeeds(ctx, p)...)
	for i := range p.Loads {
		if lp := &p.Loads[i]; lp.Script != nil {
			checks = append(checks, k6Program("load "+lp.Name, Bad, lp.Script.Binary, lp.Script.Missing))
		}
	}
	if p.Contained {
		checks = append(checks, engineNeeds(ctx, p)...)
	}
	checks = append(checks, admission(ctx, p, &p.Scenario.Workers, scaledNeeds)...)
	checks = append(checks, faultNeeds(ctx, p)...)
	checks = append(checks, journalNeeds(p)...)
	return append(checks, questionNeeds(ctx, p)...)
}

// faultNeeds says of each condition and each fault what it would hit here and now, or why it would fail.
func faultNeeds(ctx context.Context, p *plan.Plan) (out []Check) {
	all, wrong := dryrun.Forecasts(ctx, p)
	capabilities := sync.OnceValue(netns.Capabilities)
	for i, e := range slices.Concat(p.Conditions, p.Faults) {
		c := faultCheck(&all[i], wrong)
		for _, part := range e.Parts() {
			if err := p.TryFault(part, capabilities); err != nil {
				c.State, c.Found, c.Fix = Bad, err.Error(), "see the table of mechanisms below, or leave the fault out"
			}
			if d, _ := catalog.Find(part.Kind); d.Capability != nil {
				w := d.Capability()
				c.lacks(w, p.NeedsAgent(part) || p.Scope.Cluster != nil || w.Own && p.Stack != nil)
			}
		}
		if c.Found != "" {
			out = append(out, c)
		}
	}
	return out
}

// faultCheck says what a fault would hit. wrong says that the target can't be found, which has a check of its own:
// there is nothing to say of its faults.
func faultCheck(f *dryrun.Forecast, wrong error) Check {
	c := Check{Name: "fault " + f.Fault, State: Fine}
	switch {
	case wrong != nil:
	case f.Why() == "":
		if c.Found = f.Hits(); f.Skipped != "" {
			c.State, c.Found, c.Fix = Limited, "it would be skipped: "+f.Skipped, "name a unit that is there"
		}
	case f.Is(chaos.ErrNoUnit):
		c.State, c.Found, c.Fix = Bad, f.Why(), "name a unit that is there, or start it"
	case f.Is(fs.ErrPermission):
		c.State, c.Found, c.Fix = Bad, f.Why(), "run brunt as root"
	default:
		c.State, c.Found, c.Fix = Bad, f.Why(), "mend that, or leave the fault out"
	}
	return c
}

// lacks makes the check of a fault bad if this machine can't inject the fault. otherwise says that it need not: an
// agent does so, if any can, or the units are brunt's own.
func (c *Check) lacks(w chaos.Capability, otherwise bool) {
	if w.Err == nil || otherwise && !w.Required {
		return
	}
	c.State, c.Found, c.Fix = Bad, w.Err.Error(), cmp.Or(w.Fix, "leave the fault out")
}

// journalNeeds names the faults for which the journal keeps a secret.
func journalNeeds(p *plan.Plan) []Check {
	var out []Check
	for _, e := range p.Parts() {
		if plan.KeepsSecret(p.Scenario, e) {
			out = append(out, Check{
				"fault " + e.Name, Limited,
				"a secret that the scenario itself writes is in the journal, which only this user and root can read, until the " +
					"fault " +
					"is taken back", plan.NamedSecret,
			})
		}
	}
	return out
}

// questionNeeds tries the questions that a run would ask the target and its monitoring.
func questionNeeds(ctx context.Context, p *plan.Plan) []Check {
	var out []Check
	for _, t := range dryrun.Try(ctx, p) {
		c := Check{Name: t.What, State: Fine, Found: t.String()}
		switch {
		case t.Err != nil:
			c.State, c.Fix = Bad, "install the program, or mend the command"
		case t.Mute != nil:
			c.State, c.Fix = Limited, "before the run, start the server that is asked, or mend the question"
		}
		out = append(out, c)
	}
	return out
}

// k6Program checks whether brunt-k6 is installed.
func k6Program(name string, without CheckState, path string, err error) Check {
	if err != nil {
		return Check{name, without, "scripts of k6 can't be run: " + err.Error(), "`" + k6.Build + "`, in brunt's tree"}
	}
	return Check{name, Fine, path, ""}
}

// fileNeeds compares the largest number of requests in flight with the limit of open files.
func fileNeeds(p *plan.Plan) Check {
	want, fixed := p.FilesNeeded()
	soft, hard := machine.RaiseFileLimit(want)
	c := Check{
		Name: "scenario's files", State: Fine, Found: fmt.Sprintf("%d at most, and this process may have %d", want, soft),
	}
	switch {
	case soft >= want:
	case soft >= fixed:
		c.Found += ": loads without a max_in_flight get one that fits"
	default:
		c.State = Limited
		c.Fix = fmt.Sprintf("lower max_in_flight, or raise the hard limit of %d (`ulimit -Hn`, LimitNOFILE in systemd)", hard)
	}
	return c
}

// targetNeeds checks whether the address of the target accepts connections.
func targetNeeds(ctx context.Context, p *plan.Plan) Check {
	if p.FirstHop() == "" { // every step has a whole URL or goes to an endpoint
		return Check{Name: "target", State: Fine, Found: "is named by the steps"}
	}
	return accepts(ctx, p, "target", p.FirstHop())
}

// endpointNeeds checks whether the endpoints of steps accept connections, if their addresses are known.
func endpointNeeds(ctx context.Context, p *plan.Plan) []Check {
	var out []Check
	urls := p.Endpoints(&template.Env{})
	for _, name := range p.UsedEndpoints() {
		text, known := urls[name]
		if !known {
			continue
		}
		if addr, err := p.HopTo(text); err == nil && (p.Stack != nil || addr != p.FirstHop()) {
			out = append(out, accepts(ctx, p, "endpoint "+name, addr))
		}
	}
	return out
}

// accepts checks whether an address accepts connections. A name of the cluster of the workers has a meaning there
// alone: [Admission] looks for it.
func accepts(ctx context.Context, p *plan.Plan, name, hostport string) Check {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return Check{name, Bad, err.Error(), "give it a host and a port"}
	}
	if p.Scenario.Workers.Elsewhere() && pods.NamesService(host) {
		return Check{name, Fine, hostport + " is a name of the workers' cluster, and the first worker is asked", ""}
	}
	addrs, err := p.Reach(ctx, hostport)
	if err != nil {
		return Check{name, Bad, err.Error(), "mend the name, or give its address by the load's resolve"}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	for _, a := range addrs {
		var conn net.Conn
		if conn, err = connect.To(a.String()).Dial(ctx, "tcp", a.String()); err == nil {
			_ = conn.Close()
			return Check{name, Fine, hostport + " accepts connections", ""}
		}
	}
	return Check{name, Bad, err.Error(), "start it; brunt starts nothing that has a URL"}
}

// commandNeeds looks for the programs of the target's processes.
func commandNeeds(p *plan.Plan) []Check {
	var out []Check
	for _, s := range p.Stack.Services {
		if len(s.Command) == 0 {
			continue
		}
		name, known := s.Command[0].Static()
		if !known || len(p.Self) > 0 && name == p.Self[0] { // brunt itself needs no check
			continue
		}
		path, err := dryrun.FindProgram(name, s.Dir)
		if err != nil {
			out = append(out, Check{"service " + s.Name, Bad, err.Error(), "build or install it, or mend the command"})
			continue
		}
		out = append(out, Check{"service " + s.Name, Fine, path, ""})
	}
	return out
}

// portNeeds checks whether the fixed ports of services are free.
func portNeeds(p *plan.Plan) []Check {
	var taken []string
	asked := 0
	for _, s := range p.Stack.Services {
		for i := range s.Replicas {
			if s.Port == 0 {
				continue
			}
			asked++
			addr := fmt.Sprintf("127.0.0.1:%d", s.Port+i)
			l, err := net.Listen("tcp", addr)
			if err != nil {
				taken = append(taken, addr)
				continue
			}
			_ = l.Close()
		}
	}
	switch {
	case asked == 0:
		return nil
	case len(taken) > 0:
		slices.Sort(taken)
		return []Check{{
			"ports of services", Bad, "in use: " + strings.Join(taken, ", "),
			"end the program that listens there, or leave the port out: brunt finds a free one",
		}}
	}
	return []Check{{"ports of services", Fine, fmt.Sprintf("%d wanted, all free", asked), ""}}
}

// podNeeds checks what the plan needs of the pods that were found.
func podNeeds(ctx context.Context, p *plan.Plan, t *cluster.Target) []Check {
	n := podsOf(t)
	var found []string
	for _, name := range t.Services() {
		found = append(found, fmt.Sprintf("%s (%d)", name, n[name]))
	}
	out := []Check{{
		"target's cluster", Fine,
		fmt.Sprintf("%s at %s, with the pods of %s", t.Place, t.Server(), strings.Join(found, ", ")), "",
	}}
	if unnamed := t.Unnamed(); len(unnamed) > 0 {
		out = append(out, Check{
			"target's cluster", Limited, "the names of these workloads can't name a service: " + strings.Join(unnamed, ", "),
			"give them names under target.kubernetes.services",
		})
	}
	out = append(out, askNeeds(p, t)...)
	source, err := t.UsageSource(ctx, p.Scenario.Target.Kubernetes.Usage)
	switch {
	case err != nil:
		out = append(out, Check{
			"usage of pods", Limited, err.Error(),
			"install metrics-server; or set target.kubernetes.usage: kubelet, for which `brunt rbac` prints the right",
		})
	case source != "":
		out = append(out, Check{"usage of pods", Fine, "CPU and memory by " + source, ""})
	}
	return out
}

// askNeeds names the pods that the plan asks and that have no known port, and watches that ask none.
func askNeeds(p *plan.Plan, t *cluster.Target) (out []Check) {
	const what = "questions to pods"
	for _, w := range p.Watches {
		if !slices.ContainsFunc(t.Units(), w.Asks) {
			out = append(out, Check{
				what, Bad, fmt.Sprintf("the watch %s asks %s, and there is no such unit", w.Name, w.Of),
				syntax.DidYouMean(chaos.ServiceOf(w.Of), t.Services()),
			})
		}
	}
	if !p.Scenario.Target.Kubernetes.Asks {
		return out
	}
	for _, u := range t.Units() {
		pod, ok := cluster.Of(u)
		if !ok || !asked(p, u) {
			continue
		}
		if _, err := pod.Port(); err != nil {
			out = append(out, Check{what, Bad, err.Error(), "brunt asks it through the API server, at one port"})
		}
	}
	return out
}

// asked reports whether a watch asks a unit, or a fault that picks units by their role.
func asked(p *plan.Plan, u chaos.Unit) bool {
	for _, w := range p.Watches {
		if w.Asks(u) {
			return true
		}
	}
	return slices.ContainsFunc(p.Parts(), func(e *timeline.Entry) bool {
		if e.Damage == nil || e.Traits(p.Scope).Asks == nil {
			return false
		}
		var named []string
		for _, key := range []string{"service", "from", "to"} {
			if n := e.Block.With.Get(key); n != nil && n.Value != "" {
				named = append(named, n.Value)
			}
		}
		return among(named, u.Service())
	})
}

// among reports whether a service may be among the units that a fault names. A fault that names none, or a zone, may be
// on each service: which units are in a zone is known when the run begins.
func among(named []string, service string) bool {
	return len(named) == 0 || slices.ContainsFunc(named, func(name string) bool {
		return strings.HasPrefix(name, chaos.ZonePrefix) || chaos.ServiceOf(name) == service
	})
}

// podsOf counts the pods of each service.
func podsOf(t *cluster.Target) map[string]int {
	n := map[string]int{}
	for _, u := range t.Units() {
		n[u.Service()]++
	}
	return n
}

// scaledNeeds names objectives on numbers of pods that nothing would meet, or that hold already.
func scaledNeeds(ctx context.Context, p *plan.Plan, t *cluster.Target) (out []Check) {
	n := podsOf(t)
	for _, o := range p.Scenario.SLO {
		if m := o.Metric; m.Scaled() && !plan.MayScale(p.Parts(), m.Source) && !autoscaled(ctx, t, m.Source) {
			out = append(out, Check{
				"target's cluster", Bad,
				fmt.Sprintf("nothing makes more pods of %s, so `%s` would fail: no autoscaler is of it, and no fault scales it",
					m.Source, o.Text),
				"make a HorizontalPodAutoscaler of it, or scale it by workload.scale",
			})
		}
		if m := o.Metric; m.Scaled() && float64(n[m.Source]) >= m.Until.Value {
			out = append(out, Check{
				"target's cluster", Limited, fmt.Sprintf("%s has %d pods now, so `%s` would show nothing", m.Source, n[m.Source],
					o.Text),
				"ask for more pods than there are at first",
			})
		}
	}
	return out
}

// engineNeeds checks the Docker engine and the images of the plan's containers.
func engineNeeds(ctx context.Context, p *plan.Plan) []Check {
	e, err := dryrun.NewContainers(p).Open(ctx)
	if err != nil {
		return []Check{{"scenario's engine", Bad, err.Error(), "the scenario's containers are in a Docker engine"}}
	}
	defer e.Close()
	out := []Check{{"scenario's engine", Fine, e.Address().Host, ""}}
	if p.Stack == nil {
		return out
	}
	if p.Stack.Compose != nil {
		if _, err := compose.Command(ctx); err != nil {
			return append(out, Check{"compose", Bad, err.Error(), ""})
		}
		return append(out, Check{"compose", Fine, p.Stack.Compose.Path, ""})
	}
	for _, svc := range p.Stack.Services {
		name := "service " + svc.Name
		image := svc.Container.Image
		if image == "" {
			program, err := docker.SelfPath(p.Getenv)
			if err != nil {
				return append(out, Check{name, Bad, err.Error(), "its containers run brunt itself"})
			}
			return append(out, Check{"the stack's image", Fine, "made of " + program, ""})
		}
		if err := e.HasImage(ctx, image); err != nil {
			out = append(out, Check{
				name, Limited, "the engine has no image " + image,
				"it is fetched from its registry as the run " +
					"begins, if that can be reached: build or load it first",
			})
			continue
		}
		out = append(out, Check{name, Fine, "image " + image, ""})
	}
	return out
}
