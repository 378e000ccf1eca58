package proxied

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"

	"brunt/chaos"
	"brunt/chaos/proxy"
	"brunt/chaos/selector"
)

// Toxic is a step that puts a toxic on links. It dies with brunt, as the proxies
// do.
type Toxic struct {
	Links []*chaos.Link
	What  string // what is done, for people
	Toxic proxy.Toxic
	// Prove finds the toxic's effect on a link, and undone that it is over. Before
	// holds a connection that was open before the toxic came, where watch asks for one.
	Prove  func(ctx context.Context, l *chaos.Link, before *proxy.Line) (string, error)
	Undone func(ctx context.Context, l *chaos.Link) (string, error)
	Watch  bool
	Takes  time.Duration // for prove, beyond what any takes
	counts string        // what of the load meets it: empty is bytes, else connections
}

// heldToxic is a toxic that is in.
type heldToxic struct {
	*Toxic
	in     []*proxy.Toxicity
	before []*proxy.Line
}

var _ chaos.Meter = (*heldToxic)(nil)

func (t *Toxic) String() string     { return t.What + " on " + t.names() }
func (t *Toxic) Via() string        { return "proxy" }
func (t *Toxic) Undo() []chaos.Undo { return nil }

// Units implements [Step]: links are what is hit.
func (t *Toxic) Units() []string {
	var out []string
	for _, l := range t.Links {
		out = append(out, l.Name())
	}
	return out
}

func (t *Toxic) names() string { return strings.Join(t.Units(), ", ") }

// Inject implements [Step].
func (t *Toxic) Inject(ctx context.Context) (chaos.Held, error) {
	h := &heldToxic{Toxic: t}
	if t.Watch {
		var err error
		if h.before, err = t.lines(ctx); err != nil {
			return nil, chaos.JoinErrors(err, h.out())
		}
	}
	for _, l := range t.Links {
		in, err := l.Proxy.Add(t.Toxic)
		if err != nil {
			return nil, chaos.JoinErrors(fmt.Errorf("%s: %w", l.Name(), err), h.out())
		}
		h.in = append(h.in, in)
	}
	return h, nil
}

// opensWithin is how long opening a connection to watch may take.
const opensWithin = time.Second

// Lines opens a connection to watch on each of the first links. Where another fault
// keeps it from being opened there is none.
func (t *Toxic) lines(ctx context.Context) ([]*proxy.Line, error) {
	ctx, cancel := context.WithTimeout(ctx, opensWithin)
	defer cancel()
	out := make([]*proxy.Line, min(len(t.Links), mostProved))
	return out, t.each(func(i int, l *chaos.Link) (err error) {
		another := len(l.Proxy.Toxics()) > 0 // it may be gone when it has done its part
		if out[i], err = l.Proxy.Established(ctx); another || len(l.Proxy.Toxics()) > 0 {
			return nil
		}
		return err
	})
}

// Each does something with the first links, all at once.
func (t *Toxic) each(do func(i int, l *chaos.Link) error) error {
	links := t.Links[:min(len(t.Links), mostProved)]
	errs := make([]error, len(links))
	var wg sync.WaitGroup
	for i, l := range links {
		wg.Go(func() {
			if err := do(i, l); err != nil {
				errs[i] = fmt.Errorf("%s: %w", l.Name(), err)
			}
		})
	}
	wg.Wait()
	return chaos.JoinErrors(errs...)
}

// out takes every toxic out, the last first, and closes what was opened to watch.
func (h *heldToxic) out() error {
	var errs []error
	for i := len(h.in) - 1; i >= 0; i-- {
		errs = append(errs, h.in[i].Remove())
	}
	for _, c := range h.before {
		if c != nil {
			c.Close()
		}
	}
	h.before = nil
	return chaos.JoinErrors(errs...)
}

// mostProved bounds on how many links the effect is looked for.
const mostProved = 8

// Find looks at the first links, all at once, and says what it finds on each.
func (t *Toxic) find(look func(i int, l *chaos.Link) (string, error)) (string, error) {
	found := make([]string, min(len(t.Links), mostProved))
	err := t.each(func(i int, l *chaos.Link) error {
		text, err := look(i, l)
		found[i] = l.Name() + ": " + text
		return err
	})
	if err != nil {
		return "", err
	}
	return strings.Join(found, "; "), nil
}

// Takes implements [Slow].
func (h *heldToxic) Takes() time.Duration { return h.Toxic.Takes }

// Verify implements [Held]: the effect is found on the links themselves, by a
// connection of brunt's own that goes the way that those of the victims go.
func (h *heldToxic) Verify(ctx context.Context) (string, error) {
	return h.find(func(i int, l *chaos.Link) (string, error) {
		var before *proxy.Line
		if i < len(h.before) {
			before = h.before[i]
		}
		return h.Prove(ctx, l, before)
	})
}

// Revert implements [Held].
func (h *heldToxic) Revert(context.Context) (chaos.Outcome, error) {
	if err := h.out(); err != nil {
		return chaos.Failed, err
	}
	return chaos.Reverted, nil
}

// Gone implements [Held]. On a busy machine a clean link can look slow for a moment,
// so it is asked again for as long as ctx allows. While another fault is on the link
// there is no telling.
func (h *heldToxic) Gone(ctx context.Context) (string, error) {
	return h.find(func(_ int, l *chaos.Link) (string, error) { return h.cleared(ctx, l) })
}

// LooksFor is how long one look at a link takes at most.
const LooksFor = 2 * time.Second

func (h *heldToxic) cleared(ctx context.Context, l *chaos.Link) (string, error) {
	var last error
	for {
		most := LooksFor
		if len(l.Proxy.Toxics()) > 0 { // nothing may come through
			most = Silence
		}
		once, cancel := context.WithTimeout(ctx, most)
		text, err := h.Undone(once, l)
		cancel()
		switch {
		case err == nil:
			return text, nil
		case len(l.Proxy.Toxics()) > 0:
			return "it is off, and another fault is on the link", nil
		case last == nil || ctx.Err() == nil: // what was wrong, not that time is up
			last = err
		}
		select {
		case <-ctx.Done():
			return "", last
		case <-time.After(Silence):
		}
	}
}

// Met implements [Meter].
func (h *heldToxic) Affected() chaos.Traffic {
	t := chaos.Traffic{Unit: cmp.Or(h.counts, "bytes")}
	for _, in := range h.in {
		seen := in.Seen()
		t.N += seen.Forward + seen.Back
		if seen.Forward+seen.Back == 0 {
			t.N += seen.Connections // that were held or reset before they said anything
		}
	}
	return t
}

// way is which bytes of a link a fault is about.
type Way struct {
	Direction string `yaml:"direction,oneof=request|response|both"` // of the bytes; zero is the fault's own
}

func (w Way) DirectionOr(zero proxy.Direction) proxy.Direction {
	switch w.Direction {
	case "request":
		return proxy.Forward
	case "response":
		return proxy.Back
	case "both":
		return proxy.Both
	}
	return zero
}

// Flow is which packets of an edge a fault is about.
func (w Way) Flow(zero selector.Flow) selector.Flow {
	switch w.Direction {
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

// CheckWay refuses a direction of packets that have none.
func CheckWay(e *selector.Edge, w Way, sc chaos.Scope, m *syntax.Mistakes) {
	if w.Direction != "" && w.Direction != "both" && e.From+e.To == "" && e.ByPackets(sc.Contained) {
		m.Add(e.Of("direction"), "%s is a direction from one end to the other; it wants from or to", w.Direction)
	}
}

// ToxicPlan finds the links of an edge and makes the step.
func ToxicPlan(ctx context.Context, e *selector.Edge, env chaos.Env, t *Toxic) ([]chaos.Step, error) {
	if e.ByPackets(env.Contained) { // of a fault that is done to no packets
		return divert(ctx, e, env, t, strings.HasPrefix(env.Block.Kind, "http."))
	}
	links, err := e.Links(ctx, env)
	if err != nil {
		return nil, err
	}
	t.Links = links
	if e.Pick.Leader && env.Dry {
		t.What += " (for the leader alone)"
	}
	return []chaos.Step{t}, nil
}

// OrAll is a share; one that is not written is all.
func OrAll(s *quantity.Share) float64 {
	if s == nil {
		return 1
	}
	return float64(*s)
}
