//go:build linux

package drills

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// A probe is one request of the prober.
type probe struct {
	intended, sent time.Time
	took           time.Duration // from sent to the end of the answer
	bad            bool
	cause          string // why it is bad
}

// A prober sends a request each `every`, without waiting for answers, until stop is closed.
type prober struct {
	method, url    string                                 // the URL ends where the number of the probe begins
	send           func(ctx context.Context, n int) error // in place of a request to the URL
	every          time.Duration
	timeout, slow  time.Duration
	mu             sync.Mutex
	probes         []probe
	stopped, ended chan struct{}
}

func startProber(p *prober) *prober {
	p.stopped, p.ended = make(chan struct{}), make(chan struct{})
	go p.loop()
	return p
}

// stop ends the prober and returns its probes by the time at which they were sent.
func (p *prober) stop() []probe {
	close(p.stopped)
	<-p.ended
	slices.SortFunc(p.probes, func(a, b probe) int { return a.sent.Compare(b.sent) })
	ownStops(p.probes, p.every, p.slow)
	return p.probes
}

// ownStops takes the prober's own stops off slow answers: one that came while it stood still was there earlier, and is
// good if it was in time without the stop.
func ownStops(probes []probe, every, slow time.Duration) {
	for i := 1; i < len(probes); i++ {
		from, to := probes[i-1].sent.Add(every), probes[i].sent
		if to.Sub(from) < slack {
			continue
		}
		for j := range probes[:i] {
			p := &probes[j]
			came := p.sent.Add(p.took)
			if p.cause == slowCause && came.After(from) && came.Before(to.Add(every)) && from.Sub(p.sent) <= slow {
				p.bad, p.cause = false, ""
			}
		}
	}
}

// slowCause is why an answer is bad that came within the timeout.
const slowCause = "slow"

func (p *prober) loop() {
	defer close(p.ended)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 10000, DisableCompression: true}}
	defer client.CloseIdleConnections()
	var flying sync.WaitGroup
	defer flying.Wait()
	begin := time.Now()
	for n := 0; ; n++ {
		intended := begin.Add(time.Duration(n) * p.every)
		select {
		case <-p.stopped:
			return
		case <-time.After(time.Until(intended)):
		}
		flying.Go(func() { p.one(client, n, intended) })
	}
}

func (p *prober) one(client *http.Client, n int, intended time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), p.timeout)
	defer cancel()
	sent := time.Now()
	err := func() error {
		if p.send != nil {
			return p.send(ctx, n)
		}
		req, err := http.NewRequestWithContext(ctx, p.method, fmt.Sprintf("%s%d", p.url, n), http.NoBody)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		return nil
	}()
	took := time.Since(sent)
	if err == nil && took > p.slow {
		err = errors.New(slowCause)
	}
	one := probe{intended: intended, sent: sent, took: took, bad: err != nil}
	if err != nil {
		one.cause = err.Error()
		if url := new(url.Error); errors.As(err, &url) {
			one.cause = url.Err.Error()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.probes = append(p.probes, one)
}

// An outage is what the prober saw of one: from the first bad request to the first good one after
// the last bad one, by the times at which they were sent.
type outage struct {
	seen       bool
	begin, end time.Time
	over       bool
	bad        int
	blips      []time.Time // ends of later bursts that a load may miss, or that are within its limit
	lag        time.Duration
	again      time.Time // it was bad again from here on, for apart or longer; zero: it was not
}

// outageAfter is the outage that begins first after from. It ends at the first success that lasts: within hold no burst
// of bad requests follows that takes apart or longer, so that a load with that distance between its requests cannot
// miss it, unless all that follow are within the load's limit of bad requests. All times are those at which a request
// was sent: after a stop of the prober that is later than intended, and what the system was at the intended time is
// unknown.
func outageAfter(probes []probe, from time.Time, hold, apart time.Duration) outage {
	var o outage
	for i := 0; i < len(probes); i++ {
		first := probes[i]
		if first.sent.Before(from) || !first.bad {
			continue
		}
		from := i
		for i < len(probes) && probes[i].bad {
			i++
		}
		over := i < len(probes)
		end := probes[min(i, len(probes)-1)].sent
		if o.seen && first.sent.Sub(o.end) > hold {
			if end.Sub(first.sent) < apart {
				continue
			}
			o.again = first.sent
			break
		}
		o.lag = max(o.lag, first.sent.Sub(first.intended))
		if o.seen && over && (end.Sub(first.sent) < apart || withinLimit(probes, o.end, enoughFor(apart))) {
			o.blips = append(o.blips, end)
			continue
		}
		if !o.seen {
			o.seen, o.begin = true, first.sent
		}
		o.bad += i - from
		o.end, o.over, o.blips = end, over, nil
	}
	return o
}

// withinLimit reports whether at most 1 % of the requests that were sent from one time on were bad, in the time that
// decides on a recovery.
func withinLimit(probes []probe, from time.Time, enough time.Duration) bool {
	n, bad := 0, 0
	for _, p := range probes {
		if !p.sent.Before(from) && p.sent.Before(from.Add(enough)) {
			n++
			if p.bad {
				bad++
			}
		}
	}
	return bad*100 <= n
}

// outages are all of them from a time on, at least a hold apart.
func outages(probes []probe, from time.Time, hold, apart time.Duration) (all []outage) {
	for {
		o := outageAfter(probes, from, hold, apart)
		if !o.seen {
			return all
		}
		all = append(all, o)
		if o.again.IsZero() {
			return all
		}
		from = o.again
	}
}

// lastOf finds the outage with whose end the system recovered for good: the last one, or one that ends nearer to
// at where those after it are too short for every load to show.
func lastOf(all []outage, at time.Time) (last outage) {
	for i := len(all) - 1; i >= 0; i-- {
		if o := all[i]; !last.seen || at.Sub(o.nearest(at)).Abs() < at.Sub(last.nearest(at)).Abs() {
			last = o
		}
		if all[i].end.Sub(all[i].begin) >= shows {
			break
		}
	}
	return last
}

// lastGood is when the first request after the last bad one was sent; zero: none was bad.
func lastGood(probes []probe) (at time.Time) {
	for i, p := range probes {
		if p.bad {
			at = probes[min(i+1, len(probes)-1)].sent
		}
	}
	return at
}

// tooShort reports whether no outage is long enough to show: whether the load's share of bad requests exceeds the limit
// depends on how many of them were sent meanwhile. One with a single bad request is short, and the prober stood still.
func tooShort(all []outage) bool {
	return !slices.ContainsFunc(all, func(o outage) bool { return o.bad > 1 && o.end.Sub(o.begin) >= shows })
}

// stopLeast is the least length of a stop that is listed; brunt reports its own freezes from there on.
const stopLeast = 50 * time.Millisecond

// longestStop is how long the prober sent nothing at most, beyond the distance between its requests, from one time
// to another: it got no processor, and neither did other programs of its priority.
func longestStop(probes []probe, from, to time.Time, every time.Duration) (longest time.Duration) {
	for i := 1; i < len(probes); i++ {
		a, b := probes[i-1].sent, probes[i].sent
		if stop := b.Sub(a) - every; b.After(from) && a.Before(to) && stop >= stopLeast {
			longest = max(longest, stop)
		}
	}
	return longest
}

// blind says who sent nothing at an edge of the outage, for so long that the two times may be as far apart as they are:
// the truth is within brunt's interval, and as one of the edges that brunt counts from and to came, none of its
// requests had reached the front for that long; or the prober had sent nothing for that long before the recovery that
// it saw.
func (d drill) blind(out *row, edges []time.Time, recovered time.Time, probes []probe, writes []time.Time) string {
	most := seconds(1/float64(d.rate)) + slack
	for _, at := range edges {
		if quiet := quietBefore(writes, at.Add(-slack), at.Add(slack)); quiet > most && out.low <= out.truth &&
			out.truth <= out.high {
			return fmt.Sprintf("brunt sent nothing for %v at an edge of the outage, and says %.3f to %.3f s",
				quiet.Round(time.Millisecond), out.low, out.high)
		}
	}
	var sent []time.Time
	for _, p := range probes {
		sent = append(sent, p.sent)
	}
	quiet := quietBefore(sent, recovered.Add(-d.every/2), recovered.Add(d.every/2))
	if quiet > most && out.got < out.truth && seconds(out.truth-out.got) <= quiet {
		return fmt.Sprintf("the prober sent nothing for %v before the recovery", quiet.Round(time.Millisecond))
	}
	return ""
}

// quietBefore is the longest time without any of the sorted times that ends between two times.
func quietBefore(at []time.Time, from, to time.Time) (longest time.Duration) {
	for i := 1; i < len(at); i++ {
		if at[i].After(from) && !at[i].After(to) {
			longest = max(longest, at[i].Sub(at[i-1]))
		}
	}
	return longest
}

// nearest is the end of the outage, or of a later blip, that is nearest to at.
func (o outage) nearest(at time.Time) time.Time {
	end := o.end
	for _, b := range o.blips {
		if at.Sub(b).Abs() < at.Sub(end).Abs() {
			end = b
		}
	}
	return end
}
