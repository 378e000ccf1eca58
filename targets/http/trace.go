package http

import (
	"math/rand/v2"
	"strings"
	"sync/atomic"

	"brunt/scenarios"
	"brunt/targets"
)

// Traces makes the ids of a client's traces: unique to the client, and drawn without
// touching the random source of an iteration, so that a scenario asks for the same with
// them and without.
type Traces struct {
	targets.Tracing
	from uint64
	n    atomic.Uint64 // sessions so far
}

// NewTraces makes the ids of one client; nil sends none.
func NewTraces(t targets.Tracing) *Traces {
	if t.High == 0 {
		return nil
	}
	return &Traces{Tracing: t, from: rand.Uint64()}
}

// A traceSource makes the ids of one session's traces. It is used by one goroutine at a
// time, so that none waits for another.
type traceSource struct{ session, asked uint64 }

// open returns a session its source.
func (t *Traces) open() traceSource {
	if t == nil {
		return traceSource{}
	}
	return traceSource{session: t.n.Add(1)}
}

// next returns the low half of a trace's id; 0 is that there are none.
func (t *Traces) next(s *traceSource) uint64 {
	if t == nil {
		return 0
	}
	s.asked++
	return t.ID(s.session<<40 + s.asked)
}

// ID is the low half of the n-th id: different numbers give different ids.
func (t *Traces) ID(n uint64) uint64 { return max(1, mixed(t.from+n*0x9e3779b97f4a7c15)) }

// mixed is the finalizer of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom
// number generators, 2014), which is a bijection.
func mixed(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// TraceHeader is the name of the header that carries a trace (W3C Trace Context).
const TraceHeader = "traceparent"

// Append appends the traceparent of a trace: version, trace, span and flags.
func (t *Traces) Append(dst []byte, low uint64) []byte {
	dst = append(dst, "00-"...)
	dst = appendHex(appendHex(dst, t.High), low)
	dst = append(appendHex(append(dst, '-'), max(1, mixed(low+1))), "-00"...)
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

// traced is the id of the exchange's trace: its author's, or brunt's own.
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
