package http

import (
	"math/rand/v2"
	"strings"
	"sync/atomic"

	"brunt/scenarios"
	"brunt/targets"
)

// Traces creates the trace ids of a client. They are unique to the client and do not use the random source of an
// iteration, so that a scenario sends the same requests with and without them.
type Traces struct {
	targets.Tracing
	from uint64
	n    atomic.Uint64 // sessions so far
}

// NewTraces creates the ids of one client. It is nil if the client sends none.
func NewTraces(t targets.Tracing) *Traces {
	if t.High == 0 {
		return nil
	}
	return &Traces{Tracing: t, from: rand.Uint64()}
}

// A traceSource creates the trace ids of one session. It needs no lock, because only one goroutine at a time uses it.
type traceSource struct{ session, asked uint64 }

// open returns the source of a new session.
func (t *Traces) open() traceSource {
	if t == nil {
		return traceSource{}
	}
	return traceSource{session: t.n.Add(1)}
}

// next returns the low half of a trace id; 0 means that there are no ids.
func (t *Traces) next(s *traceSource) uint64 {
	if t == nil {
		return 0
	}
	s.asked++
	return t.ID(s.session<<40 + s.asked)
}

// ID returns the low half of the n-th id. Different numbers give different ids.
func (t *Traces) ID(n uint64) uint64 { return max(1, scenarios.MixBits(t.from+n*0x9e3779b97f4a7c15)) }

// TraceHeader is the name of the header that carries a trace (W3C Trace Context).
const TraceHeader = "traceparent"

// Append appends the traceparent of a trace: version, trace, span and flags.
func (t *Traces) Append(dst []byte, low uint64) []byte {
	dst = append(dst, "00-"...)
	dst = appendHex(appendHex(dst, t.High), low)
	dst = append(appendHex(append(dst, '-'), scenarios.RootSpan(low)), "-00"...)
	if t.Sampled {
		dst[len(dst)-1] = '1'
	}
	return dst
}

func appendHex(dst []byte, v uint64) []byte {
	const digits = "0123456789abcdef"
	for i := 60; i >= 0; i -= 4 {
		dst = append(dst, digits[v>>i&15])
	}
	return dst
}

// traced returns the trace id of the exchange: the author's own, or one of brunt.
func (t *exchange) traced() scenarios.TraceID {
	f := &t.rendered
	for i := range t.call.headers {
		h := &t.call.headers[i]
		if !strings.EqualFold(h.name, TraceHeader) {
			continue
		}
		text, static := h.Static()
		if !static && t.filled && i < len(f.ends) {
			text = string(f.value(i))
		}
		return scenarios.ParseTraceparent(text)
	}
	if t.out.Trace == 0 {
		return scenarios.TraceID{}
	}
	return scenarios.NewTraceID(t.client.traces.High, t.out.Trace)
}
