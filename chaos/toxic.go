package chaos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"brunt/chaos/proxy"
	"brunt/scenarios"
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
	for _, l := range t.links {
		if t.watch {
			c, err := l.Proxy.Established(ctx)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("%s: opening a connection to watch: %w", l.Name(), err), h.out())
			}
			h.before = append(h.before, c)
		}
	}
	for _, l := range t.links {
		in, err := l.Proxy.Add(t.toxic)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", l.Name(), err), h.out())
		}
		h.in = append(h.in, in)
	}
	return h, nil
}

// out takes every toxic out, the last first, and closes what was opened to watch.
func (h *heldToxic) out() error {
	var errs []error
	for i := len(h.in) - 1; i >= 0; i-- {
		errs = append(errs, h.in[i].Remove())
	}
	for _, c := range h.before {
		c.Close()
	}
	return errors.Join(errs...)
}

// mostProved bounds on how many links the effect is looked for.
const mostProved = 8

// Verify implements [Held]: the effect is found on the links themselves, by a
// connection of brunt's own that goes the way that those of the victims go.
func (h *heldToxic) Verify(ctx context.Context) (string, error) {
	var found []string
	for i, l := range h.links[:min(len(h.links), mostProved)] {
		var before *proxy.Line
		if h.watch {
			before = h.before[i]
		}
		text, err := h.prove(ctx, l, before)
		if err != nil {
			return "", fmt.Errorf("%s: %w", l.Name(), err)
		}
		found = append(found, l.Name()+": "+text)
	}
	return strings.Join(found, "; "), nil
}

// Revert implements [Held].
func (h *heldToxic) Revert(context.Context) (Outcome, error) {
	if err := h.out(); err != nil {
		return Failed, err
	}
	return Reverted, nil
}

// Gone implements [Held]. On a busy machine a clean link can look slow for a moment,
// so it is asked again for as long as ctx allows.
func (h *heldToxic) Gone(ctx context.Context) (string, error) {
	var found []string
	for _, l := range h.links[:min(len(h.links), mostProved)] {
		text, err := h.undone(ctx, l)
		for err != nil && ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(silence):
			}
			var again error
			if text, again = h.undone(ctx, l); again == nil || ctx.Err() == nil {
				err = again
			}
		}
		if err != nil {
			return "", fmt.Errorf("%s: %w", l.Name(), err)
		}
		found = append(found, l.Name()+": "+text)
	}
	return strings.Join(found, "; "), nil
}

// Met implements [Meter].
func (h *heldToxic) Met() Traffic {
	t := Traffic{Unit: "bytes"}
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

// toxicPlan finds the links of an edge and makes the step.
func toxicPlan(e *Edge, env Env, t *toxic) ([]Step, error) {
	links, err := e.links(env)
	if err != nil {
		return nil, err
	}
	t.links = links
	return []Step{t}, nil
}

// orAll is a share; one that is not written is all.
func orAll(s *scenarios.Share) float64 {
	if s == nil {
		return 1
	}
	return float64(*s)
}
