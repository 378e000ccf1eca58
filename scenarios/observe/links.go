package observe

import (
	"context"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/proxy"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/result"
)

// Links counts the traffic on the links between units, before the load and while it runs.
type Links struct {
	every  time.Duration
	cancel context.CancelFunc
	ended  sync.WaitGroup

	mu    sync.Mutex
	links []*countedLink
}

// countedLink is a link under way.
type countedLink struct {
	link *chaos.Link
	out  result.Link // without its background and points

	began        time.Time     // of the quiet time
	first        proxy.Traffic // at its begin
	calls, bytes counted
}

// counted is what one counter of a link showed.
type counted struct {
	background result.Num
	points     []result.Point
}

// The time between two readings of a link. A run of more than mostCounts times that is read less often.
const (
	countEvery = 200 * time.Millisecond
	mostCounts = 1500
)

// countWithin bounds one reading. A process of proxies that is stopped gives no answer, and the reading is missing.
const countWithin = time.Second

// CountEvery returns the time between two readings of a link in a run whose load ends at end.
func CountEvery(end time.Duration) time.Duration {
	return max(countEvery, (end / mostCounts).Round(countEvery))
}

// NewLinks prepares to count the calls on links whose proxies read requests, and the bytes on all links. Links from the
// load are left out. end is when the load ends. It returns nil if no link is left.
func NewLinks(links []*chaos.Link, end time.Duration) *Links {
	l := &Links{every: CountEvery(end)}
	for _, one := range links {
		if one.From == chaos.LoadName {
			continue
		}
		l.links = append(l.links, &countedLink{link: one, out: result.Link{
			From: one.From, To: one.To, Every: result.Sec(l.every),
		}, calls: counted{background: result.NaN}, bytes: counted{background: result.NaN}})
	}
	if len(l.links) == 0 {
		return nil
	}
	return l
}

// read reads all links, one after the other. took is how long the reading of a link took. A link that gives no answer
// is left out.
func (l *Links) read(ctx context.Context, do func(one *countedLink, t proxy.Traffic, took time.Duration)) {
	if l == nil {
		return
	}
	for _, one := range l.links {
		asked := time.Now()
		ctx, cancel := context.WithTimeout(ctx, countWithin)
		t, err := one.link.Proxy.Traffic(ctx)
		cancel()
		if err == nil {
			l.mu.Lock()
			do(one, t, time.Since(asked))
			l.mu.Unlock()
		}
	}
}

// Quiet begins to count the traffic without load. It may be called on nil, as the other methods.
func (l *Links) Quiet(ctx context.Context) {
	l.read(ctx, func(one *countedLink, t proxy.Traffic, _ time.Duration) { one.began, one.first = time.Now(), t })
}

// Unquiet ends the time without load. The traffic in it is known if it lasted at least [series.QuietFor].
func (l *Links) Unquiet(ctx context.Context) {
	l.read(ctx, func(one *countedLink, t proxy.Traffic, _ time.Duration) {
		if quiet := time.Since(one.began); !one.began.IsZero() && quiet >= series.QuietFor {
			one.out.Quiet = result.Sec(quiet)
			one.calls.background = result.Num(t.Requests()-one.first.Requests()) / one.out.Quiet
			one.bytes.background = result.Num(bytesOf(t)-bytesOf(one.first)) / one.out.Quiet
		}
	})
}

func bytesOf(t proxy.Traffic) int64 { return t.Forward + t.Back }

// Watch counts until Stop. now is the time of the run.
func (l *Links) Watch(now func() time.Duration) {
	if l == nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	l.ended.Go(func() {
		count := func(one *countedLink, t proxy.Traffic, took time.Duration) {
			one.out.Unread = t.Unread
			at := result.Sec(now() - took/2)
			one.calls.points = append(one.calls.points, result.Point{T: at, V: result.Num(t.Requests())})
			one.bytes.points = append(one.bytes.points, result.Point{T: at, V: result.Num(bytesOf(t))})
		}
		each(ctx, l.every, func() { l.read(ctx, count) })
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countWithin)
		defer cancel()
		l.read(ctx, count) // what came since the last reading
	})
}

// Stop ends the watch. It may be called again.
func (l *Links) Stop() {
	if l != nil && l.cancel != nil {
		l.cancel()
		l.ended.Wait()
	}
}

// Counted returns the traffic so far, or after Stop: calls, or bytes of a link whose proxy reads no requests, or which
// had a connection in a protocol that the proxy does not read.
func (l *Links) Counted() (out []result.Link) {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.links {
		c, of := one.out, &one.bytes
		if c.Calls = one.link.Reads && c.Unread == 0; c.Calls {
			of = &one.calls
		}
		c.Background, c.Points = of.background, append([]result.Point{}, of.points...)
		out = append(out, c)
	}
	return out
}
