package target

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/chaos/medium/link"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/child"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/observe/pods"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run/events"
	"brunt/scenarios/syntax"
	"brunt/targets/platform"
	"brunt/targets/platform/process"
)

// errNotReady means that the target did not become ready.
var errNotReady = errors.New("the target did not become ready")

// A Host is the run that a target belongs to.
type Host struct {
	Plan    *plan.Plan
	Log     *events.Log
	Run     string // name of the run
	LogDir  string // folder for the output of the units; empty keeps only the end of the output
	Journal *journal.Journal
	Units   map[string]string               // receives the values of ${unit.…}
	Answers func(ctx context.Context) error // requests the steps of the ready block once, from a target that already runs
	// checks whether a host:port accepts connections from where the load is made; nil asks from this machine
	Reach func(ctx context.Context, hostport string) error
	// returns the timelines of faults and of conditions, which are told of restarts and of changes of networks
	Timelines func() []*timeline.Timeline
	// AskStep runs the step of a question, like AskStep of [chaos.Host].
	AskStep func(ctx context.Context, step *syntax.Node, u chaos.Unit, timeout time.Duration) (value string, err error)

	Env     func(service string) map[string]string // further variables of the processes of a service
	Proxies *child.Shared                          // the process of the proxies; nil runs them in this process
	Cluster Cluster                                // for a target of pods that the run makes
}

// A System is the target of a run, brought up by the run or already running.
type System struct {
	Containers *dryrun.Containers // the containers and pods that the target names
	host       *Host
	group      group // nil for a target that already runs
	links      []*chaos.Link
	counters   *link.Counters    // on links between containers; nil if the run counts no calls there
	entry      string            // host:port of the target, before a link is put in between
	base       string            // base URL of a target that another process runs; otherwise empty
	asked      map[string]string // maps the host:port of the target or of an endpoint, as loads use it, to its link

	journaled int                         // the journal entry that takes the target down
	sweep     func(context.Context) error // removes the rest of a target that did not come up; may be nil
	watcher   *watcher                    // reads the containers' events; may be nil
	pods      *pods.Watcher               // watches the pods; nil if the target has none
	began     time.Time
	pace      *platform.Pace // limits the rate of questions to the target as a whole

	LostLogs []string // units whose output could not be kept, with the reasons
}

// New prepares a target.
func New(h *Host) *System {
	return &System{Containers: dryrun.NewContainers(h.Plan), host: h, began: time.Now(), pace: platform.NewPace()}
}

// A group is a target that a run has brought up: processes or containers.
type group interface {
	Up(ctx context.Context) error
	Down(ctx context.Context) error
	Addresses() map[string]string // values of ${unit.…}
	// Addr returns the host:port of a unit; empty if it does not listen.
	Addr(unit string) string
	// units returns its units for faults.
	units() []chaos.Unit
}

// A processGroup is a target of processes.
type processGroup struct{ *process.Group }

func (p processGroup) units() []chaos.Unit {
	var out []chaos.Unit
	for _, u := range p.Processes() {
		out = append(out, unit{u})
	}
	return out
}

// Up creates the links, starts the target and waits until it is ready.
func (s *System) Up(ctx context.Context) error {
	h := s.host
	if h.Plan.Stack != nil {
		for i := range h.Plan.Stack.Services {
			h.Plan.Scenario.Secrets.Shown(h.Plan.Stack.Services[i].Name) // not secret, because brunt shows it
		}
	}
	err := s.up(ctx)
	for _, u := range s.Units() {
		h.Plan.Scenario.Secrets.Shown(u.Name(), u.Service())
	}
	return err
}

func (s *System) up(ctx context.Context) error {
	h := s.host
	if h.Plan.Stack == nil {
		s.entry = h.Plan.Scope.External
		if err := s.Containers.Choose(ctx); err != nil {
			return fmt.Errorf("%w: %w", errNotReady, err)
		}
		if s.entry == "" && len(h.Plan.Scope.Endpoints) == 0 { // only a fault on a process or a container
			return nil
		}
		if err := s.loadLink(ctx); err != nil {
			return err
		}
		if err := s.endpointLinks(ctx); err != nil {
			return err
		}
		if s.entry != "" {
			if err := s.ready(ctx); err != nil {
				return err
			}
		}
		return s.endpointsReady(ctx, h.Plan.SetupEndpoints())
	}
	var err error
	switch h.Plan.Stack.Platform {
	case platform.Docker:
		err = s.contain(ctx)
	case platform.Kubernetes:
		err = s.bringPods(ctx)
	default:
		err = s.spawn(ctx)
	}
	if err != nil {
		return err
	}
	maps.Copy(h.Units, s.group.Addresses())
	if err := s.endpointLinks(ctx); err != nil {
		return err
	}
	return s.endpointsReady(ctx, h.Plan.SetupEndpoints())
}

// restarted tells the timelines that a container, given by its id, or a process, given by its unit, was started.
func (h *Host) restarted(of string) {
	for _, t := range h.Timelines() {
		t.OnRestart(of)
	}
}

// spawn starts a target of processes.
func (s *System) spawn(ctx context.Context) error {
	h := s.host
	st, err := process.New(s.asking(nil), process.Options{
		Run: h.Run, LogDir: h.LogDir, Secrets: h.Plan.Scenario.Secrets, Link: s.link, Env: h.Env,
		Spawned: func(unit string, pid int) error {
			undo, err := journal.ProcessUndo(pid)
			if err != nil { // the target has already ended
				return nil
			}
			return h.Journal.Extend(s.journaled, undo)
		},
		Event: func(event, unit, text string) {
			h.Log.Event(result.Event{Event: event, Unit: unit, Text: text})
			if event == "unit.start" {
				h.restarted(unit)
			}
		},
	})
	if err != nil {
		return err
	}
	s.group = processGroup{st}
	s.entry = st.Addr(syntax.UnitName(h.Plan.Stack.Entry, 0))
	for _, e := range h.Plan.Stack.Edges() {
		if err := s.addLink(ctx, e.From, e.To, st.Addr(e.To)); err != nil {
			return err
		}
	}
	if err := s.loadLink(ctx); err != nil {
		return err
	}
	if s.journaled, err = h.Journal.Intent(chaos.Intent{
		What: "the processes of the stack", Undo: []chaos.Undo{journal.ProcessesUndo(h.Run)},
	}); err != nil {
		return err
	}
	if err := st.Up(ctx); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%w: %w", errNotReady, err)
	}
	return nil
}

// loadLink puts a link between the load and its target when a fault needs one. The control run has
// it as well, so that both runs differ only by the faults.
func (s *System) loadLink(ctx context.Context) error {
	to, upstream := chaos.TargetName, s.entry
	if s.group != nil {
		to = syntax.UnitName(s.host.Plan.Stack.Entry, 0)
	}
	if hit, _ := s.host.Plan.NeedsLink(chaos.LoadName, to); !hit {
		return nil
	}
	if s.group == nil {
		var err error
		if upstream, err = s.host.reach(ctx, s.host.Plan.Upstream); err != nil {
			return fmt.Errorf("%w: %w", errNotReady, err)
		}
		if upstream != s.host.Plan.Upstream {
			s.host.Log.Note("the link to the target leads to %s, an address that %s had when the run began", upstream,
				s.host.Plan.Upstream)
		}
	}
	return s.linkLoad(ctx, to, s.entry, upstream)
}

// linkLoad puts a link between the load and a destination that it addresses by the host:port asked.
func (s *System) linkLoad(ctx context.Context, to, asked, upstream string) error {
	if err := s.addLink(ctx, chaos.LoadName, to, upstream); err != nil {
		return err
	}
	if s.asked == nil {
		s.asked = map[string]string{}
	}
	s.asked[asked] = s.links[len(s.links)-1].Proxy.Addr()
	return nil
}

// reach returns the address of a running target, for links that connect to it for the load and must
// keep to the same blast radius.
func (h *Host) reach(ctx context.Context, hostport string) (string, error) {
	addrs, err := h.Plan.Reach(ctx, hostport)
	if err != nil {
		return "", err
	}
	return addrs[0].String(), nil
}

func (s *System) addLink(ctx context.Context, from, to, upstream string) error {
	_, http := s.host.Plan.NeedsLink(from, to)
	listen := ""
	if from == chaos.LoadName && !s.host.Plan.Scope.HasEndpoint(to) {
		listen = s.host.Plan.Listen
	}
	seed := s.host.Plan.Scenario.Seed ^ load.Hash(chaos.LinkName(from, to))
	datagrams := from == chaos.LoadName && s.host.Plan.Scope.Datagrams(to)
	p, err := s.host.proxy(ctx, child.Config{
		Listen: listen, Upstream: upstream, Seed: seed, HTTP: http, Datagrams: datagrams,
	})
	if err != nil {
		return fmt.Errorf("the link %s -> %s: %w", from, to, err)
	}
	s.links = append(s.links, &chaos.Link{
		From: from, To: to, Carries: s.host.Plan.Scope.Carries(from, to, upstream), Proxy: p, Reads: http,
		Datagrams: datagrams,
	})
	return nil
}

// proxy starts a proxy, in a process of its own if the run has a command for that.
func (h *Host) proxy(ctx context.Context, c child.Config) (chaos.Proxy, error) {
	if h.Proxies == nil {
		return proxy.Start(proxy.Config{
			Listen: c.Listen, Upstream: func() string { return c.Upstream }, Seed: c.Seed, HTTP: c.HTTP,
			Datagrams: c.Datagrams,
		})
	}
	p, err := h.Proxies.Process(ctx)
	if err != nil {
		return nil, err
	}
	return p.Proxy(ctx, c)
}

func (s *System) link(e platform.Edge) (string, bool) {
	for _, l := range s.links {
		if l.From == e.From && l.To == e.To {
			return l.Proxy.Addr(), true
		}
	}
	return "", false
}

// ready waits for a running target: until it answers as its ready block says, or accepts connections
// if it has none.
func (s *System) ready(ctx context.Context) error {
	name := s.entry
	if s.host.Plan.Scenario.Target.OnlyEndpoints() {
		name = endpointAt(s.host.Plan.Scope.Endpoints[0].Name, s.entry)
	}
	return s.host.await(ctx, name, s.asks)
}

// endpointAt names an endpoint in messages.
func endpointAt(name, addr string) string { return fmt.Sprintf("the endpoint %q at %s", name, addr) }

// await calls ask until it succeeds, within the time limit for the target to be ready. After a while it reports what
// it waits for. If ctx has ended, the error is its cause.
func (h *Host) await(ctx context.Context, what string, ask func(context.Context) error) error {
	ready := h.Plan.Scenario.Target.Ready
	if ready == nil {
		ready = new(scenarios.Ready)
	}
	within := quantity.FormatDuration(ready.WithinOr())
	err := platform.Await(ctx, platform.Wait{Within: ready.WithinOr(), Ask: ask, Tell: func(err error) {
		h.Log.Event(result.Event{
			Event: "target.waiting", Text: fmt.Sprintf("%s is not ready yet, up to %s: %v", what, within, err),
		})
	}})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w: %s not within %s: %w", errNotReady, what, within, err)
}

// asks checks once whether the target is ready.
func (s *System) asks(ctx context.Context) error {
	if len(s.host.Plan.Ready) > 0 {
		return s.host.Answers(ctx)
	}
	if r := s.host.Plan.ReadyOf(""); r != nil {
		return s.askTarget(ctx, r)
	}
	if s.host.Plan.Scope.Datagrams(chaos.TargetName) {
		return nil // nothing accepts connections there
	}
	return s.host.accepts(ctx, s.host.Plan.FirstHop())
}

// accepts checks whether a host:port accepts connections from where the load is made.
func (h *Host) accepts(ctx context.Context, hostport string) error {
	if h.Reach != nil {
		return h.Reach(ctx, hostport)
	}
	return Accepts(ctx, h.Plan, hostport)
}

// Accepts checks whether a host:port accepts connections from this machine, as a load of the plan would make them.
func Accepts(ctx context.Context, p *plan.Plan, hostport string) error {
	addr, err := (&Host{Plan: p}).reach(ctx, hostport)
	if err != nil {
		return err
	}
	return platform.Check(ctx, addr, scenarios.Ready{TCP: true})
}

// Reached returns a target that another process brought up and takes down. The arguments are the results of
// [System.Base] there.
func Reached(base string, resolve map[string]string) *System {
	return &System{base: base, asked: resolve}
}

// Base returns the URL of relative paths, and the resolve that leads connections through a link.
func (s *System) Base() (base string, resolve map[string]string) {
	if s.host == nil { // of [Reached]; a target of endpoints alone has no URL
		return s.base, maps.Clone(s.asked)
	}
	if s.group == nil {
		base, _ = s.host.Plan.Scenario.Target.URL.Static()
	} else {
		base = "http://" + s.entry
	}
	return base, maps.Clone(s.asked)
}

// Units returns the units for faults.
func (s *System) Units() []chaos.Unit {
	if s.group == nil {
		return s.Containers.Units()
	}
	return s.group.units()
}

// unit is a unit of processes for faults.
type unit struct{ *process.Process }

func (u unit) Service() string  { return u.Unit.Service }
func (u unit) Supervised() bool { return u.Restarts() }

func (u unit) Traits() chaos.UnitTraits {
	return chaos.UnitTraits{Addr: u.Addr, Ask: u.Ask, Crash: u.Crash}
}

// Down ends the target and the links, and removes everything that they left.
func (s *System) Down(ctx context.Context) error {
	var errs []error
	s.watcher.stop()
	s.pods.Stop()
	s.keepLogs(context.WithoutCancel(ctx))
	if s.group != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err := s.group.Down(ctx)
		if s.sweep != nil && s.sweep(ctx) == nil {
			err = nil // the rest was removed
		}
		errs = append(errs, err)
		if s.journaled != 0 && errors.Join(errs...) == nil {
			errs = append(errs, s.host.Journal.Done(s.journaled, chaos.Reverted))
		}
	}
	errs = append(errs, s.counters.Close())
	if s.host.Proxies != nil { // the process closes its links when it ends, even if it no longer answers
		errs = append(errs, s.host.Proxies.Close())
	} else {
		for _, l := range s.links {
			errs = append(errs, l.Proxy.Close())
		}
	}
	return errors.Join(append(errs, s.Containers.Close())...)
}

// brokenWithin is the time limit for all questions of [System.Broken] together.
const brokenWithin = 2 * time.Second

// Broken names the links whose proxy itself failed and ended a connection or lost datagrams while no fault was active,
// and says how. It works even if ctx has ended, and takes two seconds at most.
func (s *System) Broken(ctx context.Context) (out []string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), brokenWithin)
	defer cancel()
	for _, l := range s.Counted() {
		if err := l.Proxy.Broken(ctx); err != nil {
			out = append(out, fmt.Sprintf("%s, without a fault: %v", l.Name(), err))
		}
	}
	return out
}

// Links returns the links, for faults.
func (s *System) Links() []*chaos.Link { return s.links }

// Counted returns the links on which traffic is counted: all, and those between containers that have only a counter.
func (s *System) Counted() []*chaos.Link { return slices.Concat(s.links, s.counters.Links()) }

// Addr returns the host:port of a unit that the run has started; empty if it does not listen.
func (s *System) Addr(unit string) string { return s.group.Addr(unit) }

// Describe says where the target can be reached, and where its links lead.
func (s *System) Describe() string {
	var out []string
	if s.group != nil {
		out = append(out, fmt.Sprintf("%d units run", len(s.group.units())))
	}
	if s.entry != "" {
		out = append(out, "the target is at "+s.entry)
	}
	if s.asked[s.entry] != "" {
		out = append(out, "the link to it listens on "+s.asked[s.entry])
	}
	if len(out) == 0 {
		return "nothing is to be started"
	}
	return strings.Join(out, ", ")
}
