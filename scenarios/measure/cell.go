package measure

import (
	"encoding/binary"
	"errors"
	"time"

	"brunt/scenarios"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// key says which requests a cell counts.
type key struct {
	start  time.Duration // of the window
	series int32         // the step, or the iteration of a load
	set    int32         // the faults that the requests' lives overlapped
}

// A cell counts the requests of one key.
type cell struct {
	kinds    [scenarios.Kinds]int64
	sum      [scenarios.Kinds]time.Duration // of response times
	most     [scenarios.Kinds]time.Duration
	svcSum   [scenarios.Kinds]time.Duration
	svcMost  [scenarios.Kinds]time.Duration
	over     []int64 // by limit: answers that were ok, but not within it
	response [3]*hdrhistogram.PackedHistogram
	service  [3]*hdrhistogram.PackedHistogram
	lag      *hdrhistogram.PackedHistogram // of every request of the load; in its iteration's cell only
	queue    *hdrhistogram.PackedHistogram
	lagMost  time.Duration
	queMost  time.Duration
	causes   map[scenarios.Cause]*causeCount
	bytes    int64
	checks   int64
	failed   int64 // checks
	sent     int64 // during the window, whenever intended
	answered int64
	clamped  int64
}

type causeCount struct {
	n           int64
	first, last time.Duration // when the requests ended
}

// offered is how many requests the cell counts.
func (c *cell) offered() int64 {
	return c.kinds[scenarios.OK] + c.kinds[scenarios.Shed] + c.kinds[scenarios.Error] + c.kinds[scenarios.Skipped]
}

// bad is how many of them were neither ok nor shed.
func (c *cell) bad() int64 { return c.kinds[scenarios.Error] + c.kinds[scenarios.Skipped] }

// record counts a request whose limits are given.
func (c *cell) record(o *scenarios.Outcome, limits []Limit) {
	c.kinds[o.Kind]++
	c.bytes += o.Bytes
	c.checks += int64(o.Checks)
	c.failed += int64(o.Failed)
	if o.Kind == scenarios.Skipped {
		return
	}
	rt, st := max(0, o.Response()), max(0, o.Service())
	c.sum[o.Kind] += rt
	c.most[o.Kind] = max(c.most[o.Kind], rt)
	c.svcSum[o.Kind] += st
	c.svcMost[o.Kind] = max(c.svcMost[o.Kind], st)
	c.into(&c.response[o.Kind], rt)
	c.into(&c.service[o.Kind], st)
	switch o.Kind {
	case scenarios.OK:
		for i, l := range limits {
			if !l.holds(rt, st) {
				c.overs(len(limits))[i]++
			}
		}
	case scenarios.Error:
		if c.causes == nil {
			c.causes = map[scenarios.Cause]*causeCount{}
		}
		n := c.causes[o.Cause]
		if n == nil {
			n = &causeCount{first: o.End, last: o.End}
			c.causes[o.Cause] = n
		}
		n.n++
		n.first, n.last = min(n.first, o.End), max(n.last, o.End)
	}
}

func (c *cell) overs(n int) []int64 {
	if c.over == nil {
		c.over = make([]int64, n)
	}
	return c.over
}

// waits counts a request's lag and queue.
func (c *cell) waits(o *scenarios.Outcome) {
	lag, queue := o.Lag(), o.Queue()
	c.into(&c.lag, lag)
	c.into(&c.queue, queue)
	c.lagMost, c.queMost = max(c.lagMost, lag), max(c.queMost, queue)
}

// into records d in microseconds. What is out of bounds is clamped and counted.
func (c *cell) into(h **hdrhistogram.PackedHistogram, d time.Duration) {
	if *h == nil {
		*h = scenarios.NewHistogram()
	}
	us := int64((d + 500) / time.Microsecond)
	if us > scenarios.HistMax {
		us = scenarios.HistMax
		c.clamped++
	}
	if (*h).RecordValue(max(us, scenarios.HistMin)) != nil {
		c.clamped++
	}
}

// add takes over what d counts.
func (c *cell) add(d *cell) {
	for k := range c.kinds {
		c.kinds[k] += d.kinds[k]
		c.sum[k] += d.sum[k]
		c.most[k] = max(c.most[k], d.most[k])
		c.svcSum[k] += d.svcSum[k]
		c.svcMost[k] = max(c.svcMost[k], d.svcMost[k])
	}
	for i := range c.response {
		merge(&c.response[i], d.response[i])
		merge(&c.service[i], d.service[i])
	}
	merge(&c.lag, d.lag)
	merge(&c.queue, d.queue)
	c.lagMost, c.queMost = max(c.lagMost, d.lagMost), max(c.queMost, d.queMost)
	for i, n := range d.over {
		c.overs(len(d.over))[i] += n
	}
	for cause, n := range d.causes {
		if c.causes == nil {
			c.causes = map[scenarios.Cause]*causeCount{}
		}
		if have := c.causes[cause]; have != nil {
			have.n += n.n
			have.first, have.last = min(have.first, n.first), max(have.last, n.last)
		} else {
			c.causes[cause] = &causeCount{n.n, n.first, n.last}
		}
	}
	c.bytes += d.bytes
	c.checks += d.checks
	c.failed += d.failed
	c.sent += d.sent
	c.answered += d.answered
	c.clamped += d.clamped
}

func merge(dst **hdrhistogram.PackedHistogram, src *hdrhistogram.PackedHistogram) {
	if src == nil {
		return
	}
	if *dst == nil {
		*dst = scenarios.NewHistogram()
	}
	(*dst).Merge(src)
}

// append writes the cell in brunt's own form for the spill file: varints in the
// order of the fields, a histogram as its buckets.
func (c *cell) append(b []byte, k key) []byte {
	b = binary.AppendVarint(b, int64(k.start))
	b = binary.AppendVarint(b, int64(k.series))
	b = binary.AppendVarint(b, int64(k.set))
	for i := range c.kinds {
		b = binary.AppendVarint(b, c.kinds[i])
		b = binary.AppendVarint(b, int64(c.sum[i]))
		b = binary.AppendVarint(b, int64(c.most[i]))
		b = binary.AppendVarint(b, int64(c.svcSum[i]))
		b = binary.AppendVarint(b, int64(c.svcMost[i]))
	}
	b = binary.AppendVarint(b, int64(len(c.over)))
	for _, n := range c.over {
		b = binary.AppendVarint(b, n)
	}
	for i := range c.response {
		b = appendHist(b, c.response[i])
		b = appendHist(b, c.service[i])
	}
	b = appendHist(b, c.lag)
	b = appendHist(b, c.queue)
	b = binary.AppendVarint(b, int64(len(c.causes)))
	for cause, n := range c.causes {
		for _, v := range [...]int64{int64(cause), n.n, int64(n.first), int64(n.last)} {
			b = binary.AppendVarint(b, v)
		}
	}
	for _, v := range [...]int64{int64(c.lagMost), int64(c.queMost), c.bytes, c.checks, c.failed, c.sent, c.answered, c.clamped} {
		b = binary.AppendVarint(b, v)
	}
	return b
}

func appendHist(b []byte, h *hdrhistogram.PackedHistogram) []byte {
	if h == nil {
		return binary.AppendVarint(b, -1)
	}
	b = binary.AppendVarint(b, int64(h.Populated()))
	last := int64(0)
	h.ForEachBucket(func(value, count int64) bool {
		b = binary.AppendVarint(b, value-last)
		b = binary.AppendVarint(b, count)
		last = value
		return true
	})
	return b
}

var errSpill = errors.New("the spill file is damaged")

// unspill reads what append wrote.
type unspill struct {
	b   []byte
	bad bool
}

func (u *unspill) int() int64 {
	v, n := binary.Varint(u.b)
	if n <= 0 {
		u.bad, u.b = true, nil
		return 0
	}
	u.b = u.b[n:]
	return v
}

func (u *unspill) hist() *hdrhistogram.PackedHistogram {
	n := u.int()
	if n < 0 || u.bad {
		return nil
	}
	h := scenarios.NewHistogram()
	value := int64(0)
	for range n {
		value += u.int()
		count := u.int()
		if u.bad || h.RecordValues(value, count) != nil {
			u.bad = true
			return nil
		}
	}
	return h
}

// cell reads one cell.
func (u *unspill) cell() (key, *cell, error) {
	k := key{start: time.Duration(u.int()), series: int32(u.int()), set: int32(u.int())}
	c := &cell{}
	for i := range c.kinds {
		c.kinds[i] = u.int()
		c.sum[i] = time.Duration(u.int())
		c.most[i] = time.Duration(u.int())
		c.svcSum[i] = time.Duration(u.int())
		c.svcMost[i] = time.Duration(u.int())
	}
	if n := u.int(); n > 0 && n < 1<<16 && !u.bad {
		c.over = make([]int64, n)
		for i := range c.over {
			c.over[i] = u.int()
		}
	}
	for i := range c.response {
		c.response[i] = u.hist()
		c.service[i] = u.hist()
	}
	c.lag, c.queue = u.hist(), u.hist()
	if n := u.int(); n > 0 && n < 1<<20 && !u.bad {
		c.causes = map[scenarios.Cause]*causeCount{}
		for range n {
			cause := scenarios.Cause(u.int())
			c.causes[cause] = &causeCount{u.int(), time.Duration(u.int()), time.Duration(u.int())}
		}
	}
	c.lagMost, c.queMost = time.Duration(u.int()), time.Duration(u.int())
	c.bytes, c.checks, c.failed = u.int(), u.int(), u.int()
	c.sent, c.answered, c.clamped = u.int(), u.int(), u.int()
	if u.bad {
		return k, nil, errSpill
	}
	return k, c, nil
}
