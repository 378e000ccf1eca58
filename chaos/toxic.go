package chaos

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"brunt/chaos/proxy"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// toxic is a step that puts a toxic on links. It dies with brunt, as the proxies
// do.
type toxic struct {
	links []*Link
	what  string // what is done, for people
	toxic proxy.Toxic
	// prove finds the toxic's effect on a link, and undone that it is over. Before
	// holds a connection that was open before the toxic came, where watch asks for one.
	prove  func(ctx context.Context, l *Link, before *proxy.Line) (string, error)
	undone func(ctx context.Context, l *Link) (string, error)
	watch  bool
	takes  time.Duration // for prove, beyond what any takes
	counts string        // what of the load meets it: empty is bytes, else connections
}

// heldToxic is a toxic that is in.
type heldToxic struct {
	*toxic
	in     []*proxy.Toxicity
	before []*proxy.Line
}

var _ Meter = (*heldToxic)(nil)

func (t *toxic) String() string { return t.what + " on " + t.names() }
func (t *toxic) Via() string    { return "proxy" }
func (t *toxic) Undo() []Undo   { return nil }

// Units implements [Step]: links are what is hit.
func (t *toxic) Units() []string {
	var out []string
	for _, l := range t.links {
		out = append(out, l.Name())
	}
	return out
}

func (t *toxic) names() string { return strings.Join(t.Units(), ", ") }

// Inject implements [Step].
func (t *toxic) Inject(ctx context.Context) (Held, error) {
	h := &heldToxic{toxic: t}
	if t.watch {
		var err error
		if h.before, err = t.lines(ctx); err != nil {
			return nil, also(err, h.out())
		}
	}
	for _, l := range t.links {
		in, err := l.Proxy.Add(t.toxic)
		if err != nil {
			return nil, also(fmt.Errorf("%s: %w", l.Name(), err), h.out())
		}
		h.in = append(h.in, in)
	}
	return h, nil
}

// opensWithin is how long opening a connection to watch may take.
const opensWithin = time.Second

// lines opens a connection to watch on each of the first links. Where another fault
// keeps it from being opened there is none.
func (t *toxic) lines(ctx context.Context) ([]*proxy.Line, error) {
	ctx, cancel := context.WithTimeout(ctx, opensWithin)
	defer cancel()
	out := make([]*proxy.Line, min(len(t.links), mostProved))
	return out, t.each(func(i int, l *Link) (err error) {
		another := len(l.Proxy.Toxics()) > 0 // it may be gone when it has done its part
		if out[i], err = l.Proxy.Established(ctx); another || len(l.Proxy.Toxics()) > 0 {
			return nil
		}
		return err
	})
}

// each does something with the first links, all at once.
func (t *toxic) each(do func(i int, l *Link) error) error {
	links := t.links[:min(len(t.links), mostProved)]
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
	return also(errs...)
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
	return also(errs...)
}

// mostProved bounds on how many links the effect is looked for.
const mostProved = 8

// find looks at the first links, all at once, and says what it finds on each.
func (t *toxic) find(look func(i int, l *Link) (string, error)) (string, error) {
	found := make([]string, min(len(t.links), mostProved))
	err := t.each(func(i int, l *Link) error {
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
func (h *heldToxic) Takes() time.Duration { return h.takes }

// Verify implements [Held]: the effect is found on the links themselves, by a
// connection of brunt's own that goes the way that those of the victims go.
func (h *heldToxic) Verify(ctx context.Context) (string, error) {
	return h.find(func(i int, l *Link) (string, error) {
		var before *proxy.Line
		if i < len(h.before) {
			before = h.before[i]
		}
		return h.prove(ctx, l, before)
	})
}

// Revert implements [Held].
func (h *heldToxic) Revert(context.Context) (Outcome, error) {
	if err := h.out(); err != nil {
		return Failed, err
	}
	return Reverted, nil
}

// Gone implements [Held]. On a busy machine a clean link can look slow for a moment,
// so it is asked again for as long as ctx allows. While another fault is on the link
// there is no telling.
func (h *heldToxic) Gone(ctx context.Context) (string, error) {
	return h.find(func(_ int, l *Link) (string, error) { return h.cleared(ctx, l) })
}

// looksFor is how long one look at a link takes at most.
const looksFor = 2 * time.Second

func (h *heldToxic) cleared(ctx context.Context, l *Link) (string, error) {
	var last error
	for {
		most := looksFor
		if len(l.Proxy.Toxics()) > 0 { // nothing may come through
			most = silence
		}
		once, cancel := context.WithTimeout(ctx, most)
		text, err := h.undone(once, l)
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
		case <-time.After(silence):
		}
	}
}

// Met implements [Meter].
func (h *heldToxic) Met() Traffic {
	t := Traffic{Unit: cmp.Or(h.counts, "bytes")}
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
type way struct {
	Direction string `yaml:"direction,oneof=request|response|both"` // of the bytes; zero is the fault's own
}

func (w way) of(zero proxy.Direction) proxy.Direction {
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

// flow is which packets of an edge a fault is about.
func (w way) flow(zero flow) flow {
	switch w.Direction {
	case "request":
		return flowThere
	case "response":
		return flowBack
	case "both":
		if zero == flowOnce {
			return flowBoth
		}
	}
	return zero
}

// checkWay refuses a direction of packets that have none.
func (e *Edge) checkWay(w way, sc Scope, m *syntax.Mistakes) {
	if w.Direction != "" && w.Direction != "both" && e.From+e.To == "" && e.byPackets(sc.contained) {
		m.Add(e.Of("direction"), "%s is a direction from one end to the other; it wants from or to", w.Direction)
	}
}

// toxicPlan finds the links of an edge and makes the step.
func toxicPlan(ctx context.Context, e *Edge, env Env, t *toxic) ([]Step, error) {
	if e.byPackets(env.contained) { // of a fault that is done to no packets
		return divert(ctx, e, env, t, strings.HasPrefix(env.Block.Kind, "http."))
	}
	links, err := e.links(ctx, env)
	if err != nil {
		return nil, err
	}
	t.links = links
	if e.Pick.leader && env.Dry {
		t.what += " (for the leader alone)"
	}
	return []Step{t}, nil
}

// orAll is a share; one that is not written is all.
func orAll(s *quantity.Share) float64 {
	if s == nil {
		return 1
	}
	return float64(*s)
}
