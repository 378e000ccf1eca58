package link

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"brunt/chaos"
	"brunt/chaos/netns"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/child"
	"brunt/chaos/selector"
	"brunt/scenarios/syntax"
)

// Toxic is a step that puts a toxic on links. It ends with the proxies, which end with brunt. If the proxies are in a
// process of their own and brunt is stopped, the watchdog takes the toxic off.
type Toxic struct {
	Links    []*chaos.Link
	What     string // description of the action
	Toxic    proxy.Toxic
	Evidence Evidence
	// Datagrams takes the place of Evidence on links of datagrams; nil: the toxic has no effect on them.
	Datagrams *DatagramEvidence
	// Back, if not nil, is an edge the other way: its links are hit too that have one of Links as their opposite.
	Back   *selector.Edge
	Counts string // unit of affected: connections, or what the toxic selects, such as requests; empty is bytes

	callees []chaos.Unit        // by link: its end, if that is a process that brunt started; nil: it is not
	watched []proxy.Line        // opened by Prepare
	found   []netns.ProbeResult // on links of datagrams, before the toxic

	asked     bool   // which servers speak TLS, see leaveEncrypted
	encrypted string // says which ones, for Verify

	lease netns.Lease          // of the toxic in the process of the proxies; from Lasting on
	now   func() time.Duration // the run's clock; nil in a dry run
}

// Evidence says how to prove a toxic on a link, by a connection of brunt's own that takes the route of the victims'.
type Evidence struct {
	// Prove proves the effect on a link, and Undone that it is over. With Watch, before is a connection that was opened
	// before the toxic, or nil where none could be.
	Prove  func(ctx context.Context, l *chaos.Link, before proxy.Line) (string, error)
	Undone func(ctx context.Context, l *chaos.Link) (string, error)
	Watch  bool          // open a connection before the toxic
	Takes  time.Duration // of Prove, beyond the usual
}

// heldToxic is an injected toxic.
type heldToxic struct {
	*Toxic
	in     []proxy.Toxicity
	before []proxy.Line
	ran    []atomic.Bool // by link with a callee: that has run while the toxic was on
}

var _ chaos.Held = (*heldToxic)(nil)

func (t *Toxic) String() string { return t.What + " on " + t.names() }
func (t *Toxic) Via() string    { return "proxy" }

func (t *Toxic) Undo() []chaos.Undo { return undoToxic(t.lease.Key, t.Links) }

// Units implements [chaos.Step]: the units are links.
func (t *Toxic) Units() []string {
	var out []string
	for _, l := range t.Links {
		out = append(out, l.Name())
	}
	return out
}

func (t *Toxic) names() string { return strings.Join(t.Units(), ", ") }

// Prepare asks which servers speak TLS, and opens the connections to watch.
func (t *Toxic) Prepare(ctx context.Context) (release func() error, err error) {
	if err := t.leaveEncrypted(ctx, (*chaos.Link).Name); err != nil {
		return nil, err
	}
	if !t.Evidence.Watch {
		return nil, nil
	}
	release = func() error { return (&heldToxic{before: t.watched}).out() }
	if t.watched, err = t.lines(ctx); err != nil {
		return nil, chaos.JoinErrors(err, release())
	}
	return release, nil
}

func (t *Toxic) Inject(ctx context.Context) (chaos.Held, error) {
	if err := t.leaveEncrypted(ctx, (*chaos.Link).Name); err != nil {
		return nil, err
	}
	if t.Datagrams != nil {
		if err := t.probeBefore(ctx); err != nil {
			return nil, err
		}
	}
	h := &heldToxic{Toxic: t, before: t.watched, ran: make([]atomic.Bool, len(t.callees))}
	if t.watched = nil; t.Evidence.Watch && h.before == nil {
		var err error
		if h.before, err = t.lines(ctx); err != nil {
			return nil, chaos.JoinErrors(err, h.out())
		}
	}
	in := make([]proxy.Toxicity, len(t.Links))
	err := atOnce(len(in), func(i int) (err error) {
		l := t.Links[i]
		if in[i], err = add(l.Proxy, t.lease, t.Toxic); err != nil {
			err = fmt.Errorf("%s: %w", l.Name(), err)
		}
		return err
	})
	h.in = slices.DeleteFunc(in, func(x proxy.Toxicity) bool { return x == nil })
	if err != nil {
		return nil, chaos.JoinErrors(err, h.out())
	}
	h.down()
	return h, nil
}

// down returns the callees that have not run since the toxic was added, sorted. Nil means that a callee of a link has.
func (h *heldToxic) down() (units []string) {
	some := false
	for i := range h.in {
		if h.met(i) {
			some = true
		} else {
			units = append(units, h.callees[i].Name())
		}
	}
	if some {
		return nil
	}
	slices.Sort(units)
	return slices.Compact(units)
}

// met reports whether calls on a link can have met the toxic: its callee has run since the toxic was added.
func (h *heldToxic) met(link int) bool {
	if link >= len(h.callees) || h.callees[link] == nil {
		return true
	}
	if h.callees[link].PID() != 0 {
		h.ran[link].Store(true)
	}
	return h.ran[link].Load()
}

// shownLater says that a callee has run since, for the calls that Verify has not shown to meet the toxic.
func (h *heldToxic) shownLater(context.Context) string {
	if h.down() != nil {
		return ""
	}
	return "a callee ran while it was in"
}

// opensWithin bounds the time to open a connection to watch.
const opensWithin = time.Second

// lines opens a connection to watch on each of the first links. It is nil where another fault prevents
// the connection.
func (t *Toxic) lines(ctx context.Context) ([]proxy.Line, error) {
	ctx, cancel := context.WithTimeout(ctx, opensWithin)
	defer cancel()
	out := make([]proxy.Line, min(len(t.Links), mostProved))
	return out, t.each(func(i int, l *chaos.Link) (err error) {
		if l.Datagrams {
			return nil
		}
		another := len(l.Proxy.Toxics()) > 0 // it may be removed while the connection opens
		if out[i], err = l.Proxy.Established(ctx); another || len(l.Proxy.Toxics()) > 0 {
			return nil
		}
		return err
	})
}

// each calls do for the first links, concurrently.
func (t *Toxic) each(do func(i int, l *chaos.Link) error) error {
	return atOnce(min(len(t.Links), mostProved), func(i int) error {
		if err := do(i, t.Links[i]); err != nil {
			return fmt.Errorf("%s: %w", t.Links[i].Name(), err)
		}
		return nil
	})
}

// out removes every toxic, all at once, and closes the watched connections.
func (h *heldToxic) out() error {
	err := atOnce(len(h.in), func(i int) error { return h.in[i].Remove() })
	for _, c := range h.before {
		if c != nil {
			c.Close()
		}
	}
	h.before = nil
	return err
}

// mostProved bounds the links on which the effect is proved.
const mostProved = 8

// find calls prove for the first links, concurrently, and joins the results.
func (t *Toxic) find(prove func(i int, l *chaos.Link) (string, error)) (string, error) {
	found := make([]string, min(len(t.Links), mostProved))
	err := t.each(func(i int, l *chaos.Link) error {
		text, err := prove(i, l)
		found[i] = l.Name() + ": " + text
		return err
	})
	if err != nil {
		return "", err
	}
	return strings.Join(found, "; "), nil
}

func (h *heldToxic) Traits() chaos.HeldTraits {
	return chaos.HeldTraits{Takes: h.Evidence.Takes, Affected: h.affected, Ended: h.ended, Later: h.shownLater}
}

// lasting gives the toxic the lease of its occurrence.
func (t *Toxic) lasting(env chaos.Env) *Toxic {
	t.now, t.lease = env.Now, env.Lease()
	return t
}

// ended tells whether the process of the proxies has taken the toxic off at the end of its lease, and whether brunt's
// proxy itself failed under it: that ended a connection, or lost datagrams, which the fault may have spared.
func (h *heldToxic) ended(ctx context.Context) error {
	h.down()
	for i, in := range h.in {
		s := in.Status(ctx)
		if s.Lifted > 0 && h.now != nil {
			return chaos.TakenBackError{At: h.now() - s.Lifted, By: "the process of the proxies"}
		}
		if s.Broken != "" {
			return fmt.Errorf("%s: %s", h.Links[i].Name(), s.Broken)
		}
	}
	return nil
}

// Verify implements [chaos.Held]: it proves the effect on the links, by a connection of brunt's own
// that takes the same route as those of the victims. No call takes it to a callee that does not run.
func (h *heldToxic) Verify(ctx context.Context) (string, error) {
	text, err := h.find(func(i int, l *chaos.Link) (string, error) {
		if l.Datagrams {
			return h.Datagrams.prove(ctx, l, h.found[i])
		}
		var before proxy.Line
		if i < len(h.before) {
			before = h.before[i]
		}
		return h.Evidence.Prove(ctx, l, before)
	})
	if text += h.encrypted; err == nil {
		err = h.unread(ctx)
	}
	if down := h.down(); err == nil && down != nil {
		err = chaos.NotShownError{What: "that calls meet it: " + strings.Join(down, ", ") + " did not run"}
	}
	return text, err
}

func (h *heldToxic) Revert(context.Context) (chaos.Outcome, error) {
	if err := h.out(); err != nil {
		return chaos.Failed, err
	}
	return chaos.Reverted, nil
}

// Gone implements [chaos.Held]. On a busy machine a clean link may be slow for a moment, so the proof
// is repeated until ctx ends. While another fault is on the link the result is unknown.
func (h *heldToxic) Gone(ctx context.Context) (string, error) {
	return h.find(func(_ int, l *chaos.Link) (string, error) { return h.cleared(ctx, l) })
}

func (h *heldToxic) cleared(ctx context.Context, l *chaos.Link) (string, error) {
	var last error
	for {
		most := proof.ProofWithin
		if len(l.Proxy.Toxics()) > 0 { // the other toxics may block everything
			most = proof.Silence
		}
		once, cancel := context.WithTimeout(ctx, most)
		undone := h.Evidence.Undone
		if l.Datagrams {
			undone = h.Datagrams.undone
		}
		text, err := undone(once, l)
		cancel()
		switch {
		case err == nil:
			return text, nil
		case errors.Is(err, child.ErrEnded):
			return "the process of the proxy has ended, and the fault with it", nil
		case len(l.Proxy.Toxics()) > 0:
			return "it is off, and another fault is on the link", nil
		case last == nil || ctx.Err() == nil: // keeps the cause, not the end of ctx
			last = err
		}
		select {
		case <-ctx.Done():
			return "", last
		case <-time.After(proof.Silence):
		}
	}
}

// connections is the unit of Traffic that counts connections.
const connections = "connections"

// affected counts the requests that the toxic selected, or else the bytes that passed it. It counts connections where
// none sent a byte: the toxic held or reset them before. Links to a callee that did not run do not count.
func (h *heldToxic) affected() chaos.Traffic {
	var seen proxy.Traffic
	var unknown bool
	for i, in := range h.in {
		if !h.met(i) {
			continue
		}
		s := in.Seen()
		unknown = unknown || child.Unknown(in)
		seen.Connections += s.Connections
		seen.Forward += s.Forward
		seen.Back += s.Back
		seen.Hit += s.Hit
	}
	t := chaos.Traffic{Unit: cmp.Or(h.Counts, "bytes"), N: seen.Forward + seen.Back}
	switch {
	case h.Counts != "" && h.Counts != connections:
		t.N = seen.Hit
	case t.N == 0 && seen.Connections > 0:
		t.Unit, t.N = connections, seen.Connections
	}
	t.Unknown = unknown && t.N == 0 // what was counted before met it in any case
	return t
}

// Directed says which bytes of a link a fault hits.
type Directed struct {
	Direction string `yaml:"direction,oneof=request|response|both"` // of the bytes; zero is the fault's own
}

func (d Directed) DirectionOr(zero proxy.Direction) proxy.Direction {
	switch d.Direction {
	case "request":
		return proxy.Forward
	case "response":
		return proxy.Back
	case "both":
		return proxy.Both
	}
	return zero
}

// Flow returns the packets of an edge that the fault hits.
func (d Directed) Flow(zero selector.Flow) selector.Flow {
	switch d.Direction {
	case "request":
		return selector.FlowThere
	case "response":
		return selector.FlowBack
	case "both":
		if zero == selector.FlowOnce {
			return selector.FlowBoth
		}
	}
	return zero
}

// CheckDirection refuses a direction for packets of an edge without from and to.
func CheckDirection(e *selector.Edge, d Directed, sc chaos.Scope, m *syntax.Mistakes) {
	if d.Direction != "" && d.Direction != "both" && e.From+e.To == "" && e.ByPackets(sc.Contained) {
		m.Add(e.Of("direction"), "%s is a direction from one end to the other; it wants from or to", d.Direction)
	}
}

// Plan finds the links of an edge and makes the step.
func Plan(ctx context.Context, e *selector.Edge, env chaos.Env, t *Toxic) ([]chaos.Step, error) {
	if e.ByPackets(env.Contained) { // containers, for a fault that cannot be done to packets
		return divert(ctx, e, env, t, t.parses())
	}
	links, err := e.Links(ctx, env)
	if err != nil {
		return nil, err
	}
	t.Links = t.withBack(links, env)
	for _, l := range t.Links {
		t.callees = append(t.callees, startedProcess(env.Units, l.To))
	}
	if err := t.checkDatagrams(); err != nil {
		return nil, err
	}
	t.lasting(env)
	if whose := e.Whose(); whose != "" && env.Dry {
		t.What += " (for " + whose + " alone)"
	}
	return []chaos.Step{t}, nil
}

// startedProcess returns the unit of a name, if it is a process that brunt started; else nil.
func startedProcess(units []chaos.Unit, name string) chaos.Unit {
	for _, u := range units {
		if t := u.Traits(); u.Name() == name && t.Contained == nil && t.Node == nil {
			return u
		}
	}
	return nil
}

// withBack adds the links the other way to links.
func (t *Toxic) withBack(links []*chaos.Link, env chaos.Env) []*chaos.Link {
	if t.Back == nil {
		return links
	}
	out := slices.Clone(links)
	for _, l := range env.Links {
		opposite := func(k *chaos.Link) bool { return k.From == l.To && k.To == l.From }
		if t.Back.On(l.From, l.To, env.Zones) && slices.ContainsFunc(links, opposite) {
			out = append(out, l)
		}
	}
	return out
}
