package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/netns"
	"brunt/chaos/netns/remote"
	"brunt/chaos/rpc"
	"brunt/chaos/selector"
)

// agentUnit is the unit as the agent knows it: the engine's description of it.
type agentUnit struct {
	Unit  string    `json:"unit"`
	Of    string    `json:"service"`
	ID    string    `json:"container"`
	Began time.Time `json:"started"`
	First int       `json:"pid"` // in the PID namespace of the engine's machine
	Again bool      `json:"supervised,omitempty"`
}

var _ chaos.Contained = (*agentUnit)(nil)

func (u *agentUnit) Name() string { return u.Unit }

func (u *agentUnit) Service() string { return u.Of }

// PID returns the process, as long as it belongs to the container. If brunt does not know the process, the agent finds
// it.
func (u *agentUnit) PID() int {
	if u.First == 0 {
		u.First = container.First(u.ID)
	}
	if !container.IsOf(u.First, u.ID) {
		return 0
	}
	return u.First
}

func (u *agentUnit) Ready(context.Context) error { return nil } // brunt checks this from outside

func (u *agentUnit) Supervised() bool { return u.Again }

func (u *agentUnit) Stop(context.Context, time.Duration) error { return selector.ErrNotStarted }

func (u *agentUnit) Start(context.Context) error { return selector.ErrNotStarted }

func (u *agentUnit) ContainerID() chaos.ContainerID { return chaos.ContainerAt(u.ID, u.Began) }

func (u *agentUnit) Addresses() []netip.Addr { return nil }

func (u *agentUnit) Listens() []uint16 { return nil }

func (u *agentUnit) Traits() chaos.UnitTraits { return chaos.UnitTraits{Contained: u} }

// Options are the abilities of an agent. The zero value serves only operations on its own network.
type Options struct {
	Find       func(kind string) (chaos.Descriptor, bool) // finds the faults that it can inject into processes
	Operations chaos.Operations                           // undos that it can execute
	Network    *netns.Namespace                           // nil: the network of this process
	Journal    chaos.Recorder                             // of faults in processes; nil records nothing
	Also       rpc.Operations                             // further operations
}

// server is the state of an agent: the faults in its network, and the steps that it has planned.
type server struct {
	Options
	network remote.Server

	mu    sync.Mutex
	steps []*serverStep
	ended bool // no more faults are injected
}

// serverStep is a planned step. Its mu is locked before the server's.
type serverStep struct {
	chaos.Step
	mu   sync.Mutex // locked during the injection, so that a revert waits for its end
	held chaos.Held // nil if it is not injected

	journal chaos.Recorder
	entry   int // of the journal; 0: it is closed, or there is none
}

// begins records the undo of the step.
func (s *serverStep) begins() (err error) {
	if s.journal == nil {
		return nil
	}
	if undo := s.Undo(); len(undo) > 0 {
		s.entry, err = s.journal.Intent(chaos.Intent{Fault: "agent", What: s.String(), Undo: undo})
	}
	return err
}

// over records that the step is reverted.
func (s *serverStep) over(o chaos.Outcome) error {
	if s.entry == 0 {
		return nil
	}
	err := s.journal.Done(s.entry, o)
	s.entry = 0
	return err
}

// revert reverts the step.
func (s *serverStep) revert(ctx context.Context, h chaos.Held) (chaos.Outcome, error) {
	out, err := h.Revert(ctx)
	if err == nil {
		s.mu.Lock()
		err = s.over(out)
		s.mu.Unlock()
	}
	return out, err
}

// at returns step n, or nil if there is none.
func (l *server) at(n int) *serverStep {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < 0 || n >= len(l.steps) {
		return nil
	}
	return l.steps[n]
}

func (s *serverStep) in() chaos.Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held
}

// Serve runs an agent: it executes the requests in the lines of in, and reverts everything when in or ctx ends, or when
// in is silent for ten seconds.
func Serve(ctx context.Context, o Options, in io.Reader, out io.Writer) error {
	l := server{Options: o}
	l.network.Open = sync.OnceValues(func() (*netns.Namespace, error) {
		if o.Network != nil {
			return o.Network, nil
		}
		return netns.Open("/proc/self/ns/net") // until the process ends
	})
	err := rpc.Serve(ctx, in, out, l.operations())
	if err != nil && ctx.Err() != nil { // the end was requested
		err = nil
	}
	return errors.Join(err, l.end())
}

// end reverts everything, the last step first.
func (l *server) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), chaos.UndoWithin)
	defer cancel()
	l.mu.Lock()
	l.ended = true
	steps := slices.Clone(l.steps)
	l.mu.Unlock()
	var errs []error
	for _, s := range slices.Backward(steps) {
		if h := s.in(); h != nil {
			_, err := s.revert(ctx, h)
			errs = append(errs, err)
		}
	}
	return errors.Join(append(errs, l.network.End())...)
}

// operations returns all operations of an agent.
func (l *server) operations() rpc.Operations {
	return rpc.Join(l.network.Operations(), l.Also,
		opPlan.By(l.Plan),
		opUndo.By(func(ctx context.Context, undo []chaos.Undo) (stepReply, error) {
			o, err := l.Operations.Revert(ctx, undo)
			return stepReply{Outcome: o}, err
		}),
		opInject.By(func(ctx context.Context, at stepRequest) (stepReply, error) { return l.inject(ctx, at.N) }),
		opRevert.By(l.revert),
		opVerify.By(l.ofHeld(func(ctx context.Context, h chaos.Held) (string, error) { return h.Verify(ctx) })),
		opGone.By(l.ofHeld(func(ctx context.Context, h chaos.Held) (string, error) { return h.Gone(ctx) })),
		opLater.By(l.ofHeld(func(ctx context.Context, h chaos.Held) (string, error) {
			if later := h.Traits().Later; later != nil {
				return later(ctx), nil
			}
			return "", nil
		})),
		opLacks.By(l.ofHeld(func(ctx context.Context, h chaos.Held) (string, error) {
			return h.Traits().Lacks(ctx), nil
		})),
		opEnded.By(func(ctx context.Context, at stepRequest) (s stepReply, err error) {
			_, err = l.ofHeld(func(ctx context.Context, h chaos.Held) (string, error) {
				if ended := h.Traits().Ended; ended != nil {
					if how := ended(ctx); how != nil {
						s = endedReply(how)
					}
				}
				return "", nil
			})(ctx, at)
			return s, err
		}),
	)
}

var errNotIn = errors.New("it is not in")

// ofHeld returns an operation on an injected step that answers with a text.
func (l *server) ofHeld(
	do func(ctx context.Context, h chaos.Held) (string, error),
) func(context.Context, stepRequest) (stepReply, error) {
	return func(ctx context.Context, at stepRequest) (s stepReply, err error) {
		step := l.at(at.N)
		if step == nil {
			return s, errNotIn
		}
		h := step.in()
		if h == nil {
			return s, errNotIn
		}
		s.Text, err = do(ctx, h)
		if part, ok := errors.AsType[chaos.NotShownError](err); ok {
			s.NotShown, err = part.What, nil
		}
		if errors.Is(err, chaos.ErrNoAnswer) {
			s.NoAnswer, err = err.Error(), nil
		}
		return s, err
	}
}

// revert reverts a step. If its injection was refused, nothing is left.
func (l *server) revert(ctx context.Context, at stepRequest) (s stepReply, err error) {
	step := l.at(at.N)
	if step == nil {
		return s, errNotIn
	}
	h := step.in()
	if h == nil {
		return stepReply{Outcome: chaos.None}, nil
	}
	s.Outcome, err = step.revert(ctx, h)
	return s, err
}

// Plan plans the requested fault for the one unit.
func (l *server) Plan(ctx context.Context, w planRequest) (planReply, error) {
	d, ok := l.Find(w.Kind)
	if !ok || d.Agent == nil {
		return planReply{}, fmt.Errorf("the agent does not inject %s: it is another version of brunt than its caller", w.Kind)
	}
	f := d.New()
	if err := json.Unmarshal(w.Fault, f); err != nil {
		return planReply{}, fmt.Errorf("the settings of %s: %w", w.Kind, err)
	}
	self, err := os.Executable()
	if err != nil {
		return planReply{}, err
	}
	steps, err := f.Plan(ctx, chaos.Env{
		Targets: chaos.Targets{Units: []chaos.Unit{w.Unit}}, Host: chaos.Host{Run: w.Run, Stress: []string{self, "stress"}},
	})
	if err != nil {
		return planReply{}, err
	}
	if len(steps) != 1 {
		return planReply{}, fmt.Errorf("%s takes %d steps, and an agent injects one", w.Kind, len(steps))
	}
	s := steps[0]
	l.mu.Lock()
	defer l.mu.Unlock()
	l.steps = append(l.steps, &serverStep{Step: s, journal: l.Journal})
	return planReply{N: len(l.steps) - 1, What: s.String(), Via: s.Via(), Undo: s.Undo()}, nil
}

func (l *server) inject(ctx context.Context, n int) (stepReply, error) {
	step := l.at(n)
	if step == nil {
		return stepReply{}, fmt.Errorf("there is no step %d", n)
	}
	step.mu.Lock()
	defer step.mu.Unlock()
	l.mu.Lock()
	ended := l.ended
	l.mu.Unlock()
	if ended {
		return stepReply{}, errors.New("everything is taken back already")
	}
	if err := step.begins(); err != nil {
		return stepReply{}, err
	}
	h, err := step.Inject(ctx)
	step.held = h // set even if only a part is injected
	if err != nil {
		out, rerr := chaos.None, error(nil)
		if h != nil {
			out, rerr = h.Revert(context.WithoutCancel(ctx))
		}
		if rerr == nil {
			rerr = step.over(out)
		}
		err = chaos.JoinErrors(err, rerr)
		return stepReply{}, err
	}
	of := h.Traits()
	return stepReply{Takes: of.Takes, EndsUnit: of.EndsUnit, Lacks: of.Lacks != nil}, nil
}
