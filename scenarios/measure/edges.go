package measure

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"time"
)

// floorSecond returns the last whole second at or before t. For a negative t, that is further from zero.
func floorSecond(t time.Duration) time.Duration {
	s := t.Truncate(time.Second)
	if s > t {
		s -= time.Second
	}
	return s
}

// slotsPerSecond is the resolution with which edges record the order of good and bad requests: 1/1024 s. A load of up
// to 1024 requests per second has one request in a slot.
const slotsPerSecond = 1024

// edgeSlot is the length of a slot.
const edgeSlot = time.Second / slotsPerSecond

// slots is a set of slots of a second.
type slots [slotsPerSecond / 64]uint64

// An Edges records when requests of a window were good and when they were bad, by intended time, or, if brunt was
// late, by the time at which it was ready to send. The begin and the end of an outage are computed from it, exact to
// the request instead of to the window.
//
// A request is bad if it is an error, was skipped, or is slower than the limit of slow answers allows. An answer that
// exceeds a limit of an objective's own is recorded separately: see [Edges.Beyond]. A shed request is neither good nor
// bad and is recorded separately, too: see [Edges.ShedAsBad]. So are effects of brunt itself: a request that brunt
// failed to send is lagged and not bad; an answer that is slow only by brunt's own time is lagged and good; a request
// that brunt cut off is lagged and bad: see [Edges.Uncut].
//
// Records of one second can be merged, whatever steps, sets of faults or machines they come from.
type Edges struct {
	FirstGood, LastGood time.Duration // valid if Good
	FirstBad, LastBad   time.Duration // valid if Bad
	FirstShed, LastShed time.Duration // valid if Shed
	Good, Bad, Shed     bool          // whether there is such a request
	goods               int64         // number of good requests
	// nil if there is no bad, shed or lagged request, and none over a limit; the good ones then count as evenly spread
	detail *detail
}

// detail is the order of requests within the second.
type detail struct {
	good, bad, lagged, shed slots
	slow                    slots   // answers that are bad only because they are slow; bad has the others
	over                    []slots // by limit of [Config.Limits]: answers that exceed it; see [Limit.Edges]
}

// lists are the sets of slots of every detail, in the order in which they are encoded.
func (d *detail) lists() [5]*slots { return [5]*slots{&d.good, &d.bad, &d.lagged, &d.shed, &d.slow} }

// overs returns the answers that exceed a limit.
func (d *detail) overs(limit int) *slots {
	for len(d.over) <= limit {
		d.over = append(d.over, slots{})
	}
	return &d.over[limit]
}

// slotOf returns the slot of a time.
func slotOf(t time.Duration) int { return slotIn(floorSecond(t), t) }

// slotIn returns the slot of a time in its second.
func slotIn(second, t time.Duration) int { return int((t - second) * slotsPerSecond / time.Second) }

func (s *slots) set(i int)      { s[i/64] |= 1 << (i % 64) }
func (s *slots) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

func (s *slots) merge(t *slots) {
	for i := range s {
		s[i] |= t[i]
	}
}

// GoodAt records a good request of a second.
func (e *Edges) GoodAt(second, t time.Duration) {
	if !e.Good {
		e.Good, e.FirstGood, e.LastGood = true, t, t
	}
	e.FirstGood, e.LastGood = min(e.FirstGood, t), max(e.LastGood, t)
	e.within().good.set(slotIn(second, t))
	e.goods++
}

// spread calls do with the times of the good requests, as if they were spread evenly from the first to
// the last; at most one for each slot.
func (e *Edges) spread(do func(time.Duration)) {
	n := max(1, min(e.goods, slotsPerSecond)-1)
	for i := range n {
		do(e.FirstGood + time.Duration(i)*(e.LastGood-e.FirstGood)/time.Duration(n))
	}
	if e.LastGood > e.FirstGood {
		do(e.LastGood)
	}
}

// widen extends the first and the last time of a kind of request by a span. The times are valid if any is set; widen
// sets it.
func widen(any *bool, first, last *time.Duration, from, to time.Duration) {
	if !*any {
		*any, *first, *last = true, from, to
	}
	*first, *last = min(*first, from), max(*last, to)
}

// BadAt records a bad request of a second.
func (e *Edges) BadAt(second, t time.Duration) {
	widen(&e.Bad, &e.FirstBad, &e.LastBad, t, t)
	e.within().bad.set(slotIn(second, t))
}

// SlowAt records an answer of a second that is bad because it is slow.
func (e *Edges) SlowAt(second, t time.Duration) {
	widen(&e.Bad, &e.FirstBad, &e.LastBad, t, t)
	e.within().slow.set(slotIn(second, t))
}

// OverAt records that an answer of a second exceeds a limit. It is good or slow, which is recorded apart.
func (e *Edges) OverAt(limit int, second, t time.Duration) {
	e.within().overs(limit).set(slotIn(second, t))
}

// ShedAt records a shed request of a second.
func (e *Edges) ShedAt(second, t time.Duration) {
	widen(&e.Shed, &e.FirstShed, &e.LastShed, t, t)
	e.within().shed.set(slotIn(second, t))
}

// ShedAsBad returns a copy in which shed requests are bad.
func (e *Edges) ShedAsBad() Edges {
	out := e.Clone()
	if !out.Shed {
		return out
	}
	widen(&out.Bad, &out.FirstBad, &out.LastBad, out.FirstShed, out.LastShed)
	out.detail.bad.merge(&out.detail.shed)
	return out
}

// LaggedAsBad returns a copy in which answers that were slow only by brunt's own time are bad.
func (e *Edges) LaggedAsBad() Edges {
	out := e.Clone()
	if !out.Good || out.detail == nil {
		return out
	}
	d, second := out.detail, floorSecond(out.FirstGood)
	for i := range slotsPerSecond {
		if d.lagged.has(i) && d.good.has(i) {
			at := clamped(i, second+time.Duration(i)*time.Second/slotsPerSecond, out.FirstGood, out.LastGood)
			widen(&out.Bad, &out.FirstBad, &out.LastBad, at, at)
			d.bad.set(i)
			d.good[i/64] &^= 1 << (i % 64)
		}
	}
	return out
}

// Uncut returns a copy without the requests that brunt cut off, but for those that lasted longer than a limit.
func (e *Edges) Uncut() Edges {
	out := e.Clone()
	d := out.detail
	if d == nil || !out.Bad {
		return out
	}
	second := out.second()
	if !out.Good {
		out.FirstGood = out.FirstBad // tells the second, should there be no bad one left
	}
	for w := range d.bad {
		cut := d.bad[w] & d.lagged[w]
		d.bad[w], d.lagged[w] = d.bad[w]&^cut, d.lagged[w]&^cut
	}
	out.Bad = false
	for i := range slotsPerSecond {
		if d.bad.has(i) || d.slow.has(i) {
			at := clamped(i, second+time.Duration(i)*time.Second/slotsPerSecond, e.FirstBad, e.LastBad)
			widen(&out.Bad, &out.FirstBad, &out.LastBad, at, at)
		}
	}
	return out
}

// AllGood returns a copy in which every request that was good or bad is good.
func (e *Edges) AllGood() Edges {
	out := e.Clone()
	if out.detail == nil || !out.Bad {
		return out
	}
	widen(&out.Good, &out.FirstGood, &out.LastGood, out.FirstBad, out.LastBad)
	d := out.detail
	d.good.merge(&d.bad)
	d.good.merge(&d.slow)
	d.bad, d.slow, d.over = slots{}, slots{}, nil
	out.Bad = false
	return out
}

// Beyond returns a copy in which the answers that exceed a limit of [Config.Limits], by number, are bad, and not those
// that are slow.
func (e *Edges) Beyond(limit int) Edges {
	out := e.Clone()
	d := out.detail
	if d == nil {
		return out
	}
	second, over, bad := out.second(), *d.overs(limit), out.Bad
	out.Bad = false
	for i := range slotsPerSecond {
		at, bit := second+time.Duration(i)*time.Second/slotsPerSecond, uint64(1)<<(i%64)
		switch {
		case over.has(i):
			d.bad.set(i)
			d.good[i/64] &^= bit
			if !e.detail.bad.has(i) && !e.detail.slow.has(i) {
				widen(&bad, &out.FirstBad, &out.LastBad, at, at)
			}
		case d.slow.has(i) && !d.good.has(i):
			d.good.set(i)
			widen(&out.Good, &out.FirstGood, &out.LastGood, at, at)
		}
		out.Bad = out.Bad || d.bad.has(i)
	}
	d.slow = slots{}
	return out
}

// second returns the second of the requests, if any of them is good or bad.
func (e *Edges) second() time.Duration {
	if e.Bad {
		return floorSecond(e.FirstBad)
	}
	return floorSecond(e.FirstGood)
}

// within returns the detail.
func (e *Edges) within() *detail {
	if e.detail == nil {
		e.detail = &detail{}
		if e.Good && e.goods > 0 {
			e.spread(func(at time.Duration) { e.detail.good.set(slotOf(at)) })
		}
	}
	return e.detail
}

// Reset empties the edges and keeps their memory.
func (e *Edges) Reset() {
	d := e.detail
	if d != nil {
		*d = detail{over: d.over[:0]}
	}
	*e = Edges{detail: d}
}

// LagAt records a request of a second that brunt itself made bad or slow.
func (e *Edges) LagAt(second, t time.Duration) { e.within().lagged.set(slotIn(second, t)) }

// Merge adds the edges f of the same second.
func (e *Edges) Merge(f *Edges) {
	switch d := f.detail; {
	case d != nil:
		own := e.within()
		from := d.lists()
		for i, s := range own.lists() {
			s.merge(from[i])
		}
		for i := range d.over {
			own.overs(i).merge(&d.over[i])
		}
	case f.Good && e.detail != nil:
		f.spread(func(at time.Duration) { e.detail.good.set(slotOf(at)) })
	}
	e.goods += f.goods
	if f.Good {
		widen(&e.Good, &e.FirstGood, &e.LastGood, f.FirstGood, f.LastGood)
	}
	if f.Bad {
		widen(&e.Bad, &e.FirstBad, &e.LastBad, f.FirstBad, f.LastBad)
	}
	if f.Shed {
		widen(&e.Shed, &e.FirstShed, &e.LastShed, f.FirstShed, f.LastShed)
	}
}

// Clone returns a copy that shares no memory. Without a bad, shed or lagged request and an answer over a limit, the
// copy has only the number of good requests and the first and last time, because no outage begins or ends between
// those.
func (e *Edges) Clone() Edges {
	out := *e
	out.detail = nil
	if e.detailed() {
		d := *e.detail
		d.over = slices.Clone(d.over)
		out.detail = &d
	}
	return out
}

// detailed reports whether the order of the requests matters.
func (e *Edges) detailed() bool {
	return e.Bad || e.Shed || e.detail != nil && len(e.detail.over) > 0 || e.Lagged() > 0
}

// An EdgeMark is a request of edges.
type EdgeMark struct {
	At  time.Duration // within 1/1024 s; the first and last of each kind are exact
	Bad bool
}

// Lagged returns the number of slots of 1/1024 s with a request that brunt itself made bad or slow.
func (e *Edges) Lagged() int {
	n := 0
	if e.detail != nil {
		for _, w := range e.detail.lagged {
			n += bits.OnesCount64(w)
		}
	}
	return n
}

// Failed appends the times of a second at which brunt failed to send a request, and had no other request.
func (e *Edges) Failed(second time.Duration, into []time.Duration) []time.Duration {
	if e.detail == nil {
		return into
	}
	for w, set := range e.detail.lagged {
		for set &^= e.detail.good[w] | e.detail.bad[w] | e.detail.slow[w]; set != 0; set &= set - 1 {
			into = append(into, second+time.Duration(w*64+bits.TrailingZeros64(set))*time.Second/slotsPerSecond)
		}
	}
	return into
}

// Marks lists the requests in the order of their times. Requests of one kind in one slot
// share a mark.
func (e *Edges) Marks(into []EdgeMark) []EdgeMark {
	if e.detail == nil {
		if e.Good {
			e.spread(func(at time.Duration) { into = append(into, EdgeMark{At: at}) })
		}
		return into
	}
	second := e.second()
	bads := e.detail.bad
	bads.merge(&e.detail.slow)
	for w := range e.detail.good {
		for set := e.detail.good[w] | bads[w]; set != 0; set &= set - 1 {
			i := w*64 + bits.TrailingZeros64(set)
			at := second + time.Duration(i)*time.Second/slotsPerSecond
			good := EdgeMark{At: clamped(i, at, e.FirstGood, e.LastGood)}
			bad := EdgeMark{At: clamped(i, at, e.FirstBad, e.LastBad), Bad: true}
			switch isGood, isBad := e.detail.good.has(i), bads.has(i); {
			case isGood && isBad && good.At <= bad.At:
				into = append(into, good, bad)
			case isGood && isBad:
				into = append(into, bad, good)
			case isGood:
				into = append(into, good)
			default:
				into = append(into, bad)
			}
		}
	}
	return into
}

// clamped returns the time of slot i, which begins at at. It is exact in the slots of the first and the last request
// of its kind.
func clamped(i int, at, first, last time.Duration) time.Duration {
	if slotOf(last) == i && slotOf(first) != i {
		return last
	}
	return min(max(at, first), last)
}

// Append encodes the edges of a window within the second that begins at second: the kinds of requests, the times as
// distances from the second, and the detail if the order of the requests matters. With whole it always encodes the
// detail, because it may matter by another record of the window.
func (e *Edges) Append(b []byte, second time.Duration, whole bool) []byte {
	kinds := byte(0)
	if e.Good {
		kinds |= 1
	}
	if e.Bad {
		kinds |= 2
	}
	if e.Shed {
		kinds |= 8
	}
	detailed := e.detailed() || whole && e.Good && e.detail != nil
	if detailed {
		kinds |= 4
	}
	b = append(b, kinds)
	if e.Good {
		b = binary.AppendUvarint(b, uint64(e.FirstGood-second))
		b = binary.AppendUvarint(b, uint64(e.LastGood-second))
		b = binary.AppendUvarint(b, uint64(e.goods))
	}
	if e.Bad {
		b = binary.AppendUvarint(b, uint64(e.FirstBad-second))
		b = binary.AppendUvarint(b, uint64(e.LastBad-second))
	}
	if e.Shed {
		b = binary.AppendUvarint(b, uint64(e.FirstShed-second))
		b = binary.AppendUvarint(b, uint64(e.LastShed-second))
	}
	if !detailed {
		return b
	}
	for _, s := range e.detail.lists() {
		b = s.append(b)
	}
	b = binary.AppendUvarint(b, uint64(len(e.detail.over)))
	for i := range e.detail.over {
		b = e.detail.over[i].append(b)
	}
	return b
}

// append encodes the set: which of its words are not zero, and these.
func (s *slots) append(b []byte) []byte {
	used := uint64(0)
	for i, w := range s {
		if w != 0 {
			used |= 1 << i
		}
	}
	b = binary.AppendUvarint(b, used)
	for _, w := range s {
		if w != 0 {
			b = binary.LittleEndian.AppendUint64(b, w)
		}
	}
	return b
}

// read decodes what append encoded.
func (s *slots) read(r *WireReader) {
	used := r.UpTo(1<<len(s) - 1)
	for i := range s {
		if used&(1<<i) != 0 {
			s[i] = r.Word()
		}
	}
}

// Decode decodes what Append encoded for a cell of a version; see [cellVersion].
func (e *Edges) Decode(r *WireReader, second time.Duration, version byte) {
	most, lists := uint64(15), 5
	switch {
	case version < 4:
		most, lists = 7, 3
	case version < 7:
		lists = 4
	}
	kinds := r.UpTo(most)
	at := func() time.Duration { return second + time.Duration(r.UpTo(uint64(time.Second-1))) }
	if e.Good = kinds&1 != 0; e.Good {
		e.FirstGood, e.LastGood, e.goods = at(), at(), r.Count()
	}
	if e.Bad = kinds&2 != 0; e.Bad {
		e.FirstBad, e.LastBad = at(), at()
	}
	if e.Shed = kinds&8 != 0; e.Shed {
		e.FirstShed, e.LastShed = at(), at()
	}
	if kinds&4 == 0 {
		if e.Bad || e.Shed {
			r.Fail()
		}
		return
	}
	if e.detail == nil { // within would spread the good requests over the second
		e.detail = &detail{}
	}
	all := e.detail.lists()
	for _, s := range all[:lists] {
		s.read(r)
	}
	if version < 7 {
		return
	}
	for i := range r.Length() {
		e.detail.overs(i).read(r)
	}
}
