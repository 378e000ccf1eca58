package forecast

import (
	"fmt"
	"math"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/allow"
	"brunt/scenarios/load"
	"brunt/scenarios/machine"
	"brunt/scenarios/quantity"
	"brunt/targets"
)

// A destination is an address that loads open connections to. Each connection uses a port of a
// source address, and keeps it for a while after it was closed.
type destination struct {
	addr    string // host:port
	loads   []string
	sources []string // source addresses; empty means the system's choice
	opens   []opening
}

// An opening is the rate at which a load opens connections to a destination.
type opening struct {
	rate         *load.Profile // rate of iterations
	perIteration float64       // connections per iteration
}

// before returns how many connections are opened before t.
func (d *destination) before(t time.Duration) float64 {
	n := 0.0
	for _, o := range d.opens {
		n += o.perIteration * o.rate.Area(t)
	}
	return n
}

// ports notes loads that will run out of ports: loads that open more connections within PortReuseDelay than there are
// ports, because their connections close after few requests. It leaves out closed loads, whose rate is not known
// beforehand, and loads that keep connections.
func (c *check) ports() (notes []string) {
	low, high := machine.EphemeralPorts()
	each := float64(high - low + 1)
	for _, d := range c.destinations() {
		rest := machine.PortReuseDelay(isLoopback(d.addr))
		there := each * float64(len(d.sources))
		most, out := d.most(rest, c.end, there)
		if most <= there {
			continue
		}
		notes = append(notes,
			fmt.Sprintf("%s: %s connections to %s are opened within %s, for which a closed one holds its port, and "+
				"this machine has %s ports from %s: "+
				"they may be used up %s into the load. Keep connections alive (connections: keep_alive, reuse), or name %d "+
				"source_addresses.",
				strings.Join(d.loads, ", "), trim(most), d.addr, quantity.Brief(rest), trim(there), d.from(),
				quantity.FormatSeconds(out.Seconds()), int(math.Ceil(most/each))))
	}
	return notes
}

func (d *destination) from() string {
	if len(d.sources) == 1 {
		return "one source address"
	}
	return fmt.Sprintf("%d source addresses", len(d.sources))
}

// most returns the largest number of connections opened within stretch, and the time out at which the number exceeds
// there, the number of ports.
func (d *destination) most(stretch, end time.Duration, there float64) (most float64, out time.Duration) {
	const steps = 2000
	step := max(end/steps, time.Millisecond)
	for t := step; t <= end; t += step {
		n := d.before(t) - d.before(max(0, t-stretch))
		if n > there && out == 0 {
			out = t
		}
		most = max(most, n)
	}
	return most, out
}

// destinations lists the addresses to which loads open connections that they do not keep.
func (c *check) destinations() (out []*destination) {
	for i := range c.plan.Loads {
		lp := &c.plan.Loads[i]
		per := 0.0 // connections per request
		switch k := lp.Connections; {
		case lp.Schedule.Closed():
		case k.Reuse.Max > 0:
			per = 1 / k.Reuse.Mean()
		case k.KeepAlive != nil && !*k.KeepAlive:
			per = 1
		}
		if per == 0 {
			continue
		}
		for addr, n := range c.requestsByHost(lp) {
			j := slices.IndexFunc(out, func(d *destination) bool { return d.addr == addr })
			if j < 0 {
				j = len(out)
				out = append(out, &destination{addr: addr})
			}
			d := out[j]
			d.loads = append(d.loads, lp.Name)
			d.opens = append(d.opens, opening{lp.Schedule.Rate, per * n})
			d.sources = append(d.sources, lp.Connections.SourceAddresses...)
			if len(lp.Connections.SourceAddresses) == 0 {
				d.sources = append(d.sources, "")
			}
			slices.Sort(d.sources)
			d.sources = slices.Compact(d.sources)
		}
	}
	slices.SortFunc(out, func(a, b *destination) int { return strings.Compare(a.addr, b.addr) })
	return out
}

// requestsByHost returns the mean number of requests per iteration of a load, by the host:port that they go to.
func (c *check) requestsByHost(lp *Load) map[string]float64 {
	out, weights := map[string]float64{}, 0.0
	for _, f := range lp.Flows {
		weights += f.Weight
	}
	for _, f := range lp.Flows {
		for _, s := range f.Steps {
			if addr, ok := c.address(s); ok {
				out[allow.Resolved(addr, lp.Resolve)] += f.Weight / weights
			}
		}
	}
	return out
}

// address returns the host:port that a step's request goes to. ok is false if the step makes no request, or if the
// address is not known.
func (c *check) address(s load.Step) (addr string, ok bool) {
	if s.Call == nil {
		return "", false
	}
	origin := s.Call.Traits().Origin
	if origin == "" {
		return c.plan.Entry, true
	}
	u, err := url.Parse(origin)
	if err != nil {
		return "", false
	}
	return targets.HostPort(u), true
}

// isLoopback reports whether host:port is on this machine: by its address, or as a service that
// brunt starts on it.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil { // a service of the target
		return true
	}
	return scenarios.IsLoopback(host)
}
