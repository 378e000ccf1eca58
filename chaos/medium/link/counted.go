package link

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/netns"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/child"
)

// Counters are proxies on links between containers that only count what passes, for the whole run. As during a fault, a
// table in the caller's network sends its connections to them, and the kernel removes it when their process ends. A
// fault on the same link comes after them:
//
//	posts -> counter -> store:8080     is, in a fault,     posts -> counter -> proxy of the fault -> store:8080
type Counters struct {
	held  *heldDiverted
	links []*callCounter
}

// A callCounter is the proxy of a link. It has no answer once calls may bypass it.
type callCounter struct {
	*child.Proxy
	caller *divertedFrom
	over   atomic.Bool
}

// errOver says that a counter counts no longer.
var errOver = errors.New("its calls may bypass the proxy")

// Traffic returns the traffic that passed.
func (c *callCounter) Traffic(ctx context.Context) (proxy.Traffic, error) {
	if c.over.Load() {
		return proxy.Traffic{}, errOver
	}
	return c.Proxy.Traffic(ctx)
}

// Count puts counters on links between units that are running containers. Connections from before are ended, each at a
// moment without data under way on it if there is one within two seconds. Without a shared process the proxies run in
// this one.
func Count(ctx context.Context, shared *child.Shared, links []chaos.EdgeName, units []chaos.Unit) (
	c *Counters, err error,
) {
	s := &diverted{Toxic: &Toxic{}, http: true}
	if s.from, err = callers(ctx, links, units); err != nil {
		return nil, err
	}
	c = &Counters{held: &heldDiverted{step: s}}
	defer func() {
		if err != nil {
			c, err = nil, chaos.JoinErrors(err, c.Close())
		}
	}()
	var p *child.Process
	if shared != nil {
		p, err = shared.Process(ctx)
	} else {
		p, err = child.Start(ctx, nil)
		c.held.own = p
	}
	if err != nil {
		return c, err
	}
	if err := c.held.openAll(ctx, p); err != nil {
		return c, err
	}
	quiet := netns.Quiet{Within: settleWithin, Idle: callsIdle}
	err = atOnce(len(c.held.networks), func(i int) error {
		n := c.held.networks[i]
		n.first = true
		return chaos.JoinErrors(n.divert(ctx, netns.Lease{Key: rand.Text()}, quiet), n.cutBusy(ctx))
	})
	if err != nil {
		return c, err
	}
	for _, l := range s.Links {
		one := &callCounter{Proxy: l.Proxy.(*child.Proxy)}
		for _, f := range s.from {
			if f.unit.Name() == l.From {
				one.caller = f
			}
		}
		l.Proxy, l.Reads = one, true
		c.links = append(c.links, one)
	}
	return c, nil
}

// callers returns the containers that call others by links, with where their calls go.
func callers(ctx context.Context, links []chaos.EdgeName, units []chaos.Unit) (out []*divertedFrom, err error) {
	by := map[string]container.Target{}
	for _, u := range units {
		by[u.Name()] = container.Resolve(u)
	}
	of := map[string]*divertedFrom{}
	for _, l := range links {
		from, to := by[l.From], by[l.To]
		if from.Container == nil || to.Container == nil {
			return nil, fmt.Errorf("from %s to %s: %w", l.From, l.To, container.ErrNoContainer)
		}
		if of[l.From] == nil {
			of[l.From] = &divertedFrom{unit: from, id: from.Contained.ContainerID()}
			out = append(out, of[l.From])
		}
		at, err := destinations(ctx, from, to)
		if err != nil {
			return nil, err
		}
		of[l.From].to = append(of[l.From].to, at...)
	}
	return out, nil
}

// Links returns the links with their counters, sorted by caller.
func (c *Counters) Links() []*chaos.Link {
	if c == nil {
		return nil
	}
	return c.held.step.Links
}

// Restarted ends the counters that calls may bypass since a container was started again: its own, because its network
// is another, and those of callers that reach it at another address. The errors say which ones and why.
func (c *Counters) Restarted(ctx context.Context, id string) []error {
	return c.end(func(f *divertedFrom) error {
		if other, err := f.unit.Another(f.id); other || err != nil {
			return errors.Join(errors.New("it was started again, and its network is another"), err)
		}
		return f.moved(ctx, id, false)
	})
}

// Rejoined is Restarted for a running container whose networks changed.
func (c *Counters) Rejoined(ctx context.Context, id string) []error {
	return c.end(func(f *divertedFrom) error { return f.rejoined(ctx, id) })
}

// end ends the counters of callers for which why returns an error.
func (c *Counters) end(why func(*divertedFrom) error) (ended []error) {
	if c == nil {
		return nil
	}
	for _, f := range c.held.step.from {
		counts := false
		for _, one := range c.links {
			counts = counts || one.caller == f && !one.over.Load()
		}
		if !counts {
			continue
		}
		if err := why(f); err != nil {
			for _, one := range c.links {
				if one.caller == f {
					one.over.Store(true)
				}
			}
			ended = append(ended, fmt.Errorf("the calls of %s are not counted from now on: %w", f.unit.Name(), err))
		}
	}
	return ended
}

// Close ends the counters. Connections that pass them end.
func (c *Counters) Close() error {
	if c == nil {
		return nil
	}
	return c.held.close()
}
