package plugin

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/targets"
	"brunt/targets/dial"
)

// usualCalls is how many calls a plug-in has at a time, unless connections.max_streams says it.
const usualCalls = 1000

// client has the plug-ins of one load: connections.max processes, or one.
type client struct {
	*targets.Pool[*slot]
	o       targets.Options
	at      *url.URL
	started atomic.Int64
	lanes   []*lane
}

// newClient creates the client of one load.
func newClient(o targets.Options, d *targets.Descriptor) (targets.Client, error) {
	u, err := o.Endpoint(d)
	if err != nil {
		return nil, err
	}
	if err = dial.Complete(&o); err != nil {
		return nil, err
	}
	c := &client{o: o, at: u, lanes: make([]*lane, max(1, o.Connections.Max))}
	k := &c.o.Connections // of the slots of a process, from here on
	if k.Max = k.MaxStreams; k.Max == 0 {
		k.Max = usualCalls
	}
	k.Reuse, k.MaxAge = scenarios.Connections{}.Reuse, 0
	c.Pool = targets.NewPool[*slot](&c.o)
	c.Cut = func(*slot) {} // the end of the run ends the calls
	for i := range c.lanes {
		l := &lane{client: c}
		l.places = c.To(targets.Connector[*slot]{Dial: l.dial})
		c.lanes[i] = l
	}
	return c, nil
}

// Opened returns how many processes were started.
func (c *client) Opened() int64 { return c.started.Load() }

func (c *client) Open(vu int) (targets.Session, error) {
	return &session{client: c, lane: c.lanes[vu%len(c.lanes)], user: vu}, nil
}

// slot is the place of one call in a process.
type slot struct {
	targets.Lease
	p *process
}

func (*slot) Close() error { return nil }

// lane is a process, and after its death the next one.
type lane struct {
	client *client
	places *targets.Places[*slot]
	by     atomic.Pointer[endpoint] // the same for all calls

	mu     sync.Mutex
	now    *process      // the last one; nil: none was started
	deaths int           // of processes that lived for less than young
	next   time.Duration // no further process starts before
}

// Restarts: the first ones are at once, of a plug-in that has answered five, of another one. Then each further one
// waits twice as long, until a process grows old.
const (
	young     = 10 * time.Second
	atOnce    = 5
	leastWait = 100 * time.Millisecond
	mostWait  = 5 * time.Second
)

// dial returns a slot in the running process. It starts one if none runs.
func (l *lane) dial(ctx context.Context, _ uint64) (*slot, error) {
	p, err := l.process(ctx)
	if err != nil {
		return nil, err
	}
	return &slot{p: p}, nil
}

// process returns the running process, once it is ready.
func (l *lane) process(ctx context.Context) (*process, error) {
	targets.StagesOf(ctx).Enter(scenarios.InLogin)
	p, err := l.running(ctx)
	if err != nil {
		return nil, err
	}
	select {
	case <-p.ready:
		return p, nil
	case <-p.failed:
		return nil, p.err
	case <-ctx.Done():
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil, ctx.Err()
		}
		return nil, &targets.Error{
			Cause: scenarios.Timeout, Text: "the plug-in has said no hello, " +
				quantity.FormatSeconds((l.client.o.Now() - p.began).Seconds()) + " after its start",
		}
	}
}

// running returns the running process, or begins to start one.
func (l *lane) running(ctx context.Context) (*process, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.client
	if l.now != nil && !l.now.over() {
		return l.now, nil
	}
	if wait := l.next - c.o.Now(); l.now != nil && wait > 0 {
		text := fmt.Sprintf("the plug-in has ended %d times soon after its start, and is started again in %s", l.deaths,
			quantity.FormatDuration(wait.Round(time.Millisecond)))
		if why := l.now.err; why != nil {
			text += ": " + why.Error()
		}
		return nil, &targets.Error{Cause: scenarios.Refused, Text: text}
	}
	// The socket sends nothing: it only says that the address may be reached, and which one it is.
	socket, err := c.o.Network.DialUDP(ctx, c.at.Host, 0)
	if err != nil {
		return nil, err
	}
	to := socket.RemoteAddr().String()
	_ = socket.Close()
	p := newProcess(l)
	if !c.Go(func() { p.run(l.by.Load(), to) }) {
		return nil, targets.ErrAborted
	}
	l.now = p
	return p, nil
}

// ended sets when the next process may start.
func (l *lane) ended(p *process) {
	now := l.client.o.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.next = now; now-p.began >= young {
		l.deaths = 0
		return
	}
	free := 1
	if p.answered() {
		free = atOnce
	}
	if l.deaths++; l.deaths > free {
		l.next = now + min(mostWait, leastWait<<min(l.deaths-free-1, 10))
	}
}

// bind starts the plug-in, so that one that can't be started, or that does not know a call, is known before the load.
func bind(ctx context.Context, of scenarios.Call, by targets.Client) error {
	k, l := of.(*call), by.(*client).lanes[0]
	l.by.CompareAndSwap(nil, k.by)
	p, err := l.process(ctx)
	if err != nil {
		return err
	}
	if len(p.calls) > 0 && !slices.Contains(p.calls, k.call) {
		return errors.New("the plug-in knows no call " + targets.Quote(k.call) + "; it knows " + strings.Join(p.calls, ", "))
	}
	return nil
}
