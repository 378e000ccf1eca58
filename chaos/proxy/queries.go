package proxy

import "brunt/chaos/proxy/codec/query"

// queries are the requests of a link that speaks a protocol of package query. Answers come in the order of the
// requests.
// The exchange's lock guards them.
type queries struct {
	x     *exchange
	codec query.Codec
	raw   bool // bytes pass unparsed
}

// Speaking restricts the filter to requests of a protocol of package query; path is then a pattern of their names.
func (a RequestFilter) Speaking(name string) RequestFilter {
	a.speaks = name
	return a
}

// StaysOpen reports whether the item's request is in a transaction that an error of a statement leaves open.
func (it *Item) StaysOpen() bool { return it.req != nil && it.req.within }

// Confirms reports whether the item is a confirm of one message, and nothing else.
func (it *Item) Confirms() bool { return it.confirm }

// Refuse makes the proxy answer the item's request with an error of its protocol.
func (it *Item) Refuse(code, text string) {
	it.AnswerWith(nil)
	it.req.refusal = [2]string{code, text}
}

// feed processes bytes that a flow has read.
func (q *queries) feed(dir Direction, b []byte) {
	cut, to := q.codec.Requests, q.x.l.forward
	if dir == Back {
		cut, to = q.codec.Answers, q.x.l.back
	}
	if q.raw {
		to.feed(Item{Bytes: b})
		return
	}
	parts, err := cut(b)
	for i := range parts {
		if dir == Forward {
			q.asks(&parts[i])
		} else {
			q.says(&parts[i])
		}
	}
	if err != nil {
		q.surrender()
	}
}

// flush passes on the bytes that wait for more of a flow's bytes.
func (q *queries) flush(f *flow) {
	if b := q.codec.Rest(f.dir == Forward); len(b) > 0 && !q.raw {
		f.feed(Item{Bytes: b})
	}
}

// asks passes a part of a request to the stages.
func (q *queries) asks(p *query.Part) {
	x := q.x
	if p.First {
		r := &request{x: x, path: p.Name, speaks: q.codec.Speaks(), asked: p.Bytes, fixed: p.Fixed, within: p.Within}
		x.begin(r)
		x.current, x.open = r, append(x.open, r)
		x.many.Add(1)
	}
	it := Item{Bytes: p.Bytes, first: p.First, last: p.Last, asks: p.Asks, req: x.current}
	if p.Free {
		it.req = nil
	}
	x.l.forward.feed(it)
	if p.Last {
		x.current = nil
	}
}

// says passes on a part of an answer.
func (q *queries) says(p *query.Part) {
	x := q.x
	x.l.back.feed(Item{Bytes: p.Bytes, confirm: p.Confirm})
	if p.Last && len(x.open) > 0 && !x.open[0].final {
		x.pop()
	}
	x.reply()
}

// surrender passes on the uncut bytes, and everything that follows, unparsed.
func (q *queries) surrender() {
	q.raw = true
	x := q.x
	x.lost.Store(true)
	x.noteUnread()
	if b := q.codec.Rest(true); len(b) > 0 || x.current != nil {
		x.l.forward.feed(Item{Bytes: b, last: x.current != nil, req: x.current})
	}
	x.current = nil
	if b := q.codec.Rest(false); len(b) > 0 {
		x.l.back.feed(Item{Bytes: b})
	}
}
