package demo

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strings"
)

// A trace is the part of a W3C trace context that all calls of one client request share:
// https://www.w3.org/TR/trace-context/.
type trace struct {
	id    string // 32 lower-case hex digits
	span  string // 16 lower-case hex digits of the span that calls belong to; empty: the request has no valid trace
	flags string // 2 lower-case hex digits
	state string // tracestate, forwarded unchanged
	by    *tracer
	lost  bool // calls do not get the trace
}

type traceKey struct{}

// traceOf returns the trace of a request, or a new one if the request has no valid trace.
func traceOf(h http.Header) trace {
	if values := h["Traceparent"]; len(values) == 1 {
		if t, ok := parseTraceparent(values[0]); ok {
			t.state = strings.Join(h["Tracestate"], ",")
			return t
		}
	}
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], rand.Uint64())
	binary.BigEndian.PutUint64(id[8:], nonZero())
	return trace{id: hex.EncodeToString(id[:]), flags: "01"}
}

// parseTraceparent parses version-trace-parent-flags. Versions after 00 may add fields after
// another dash.
func parseTraceparent(s string) (trace, bool) {
	if len(s) < 55 || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return trace{}, false
	}
	version, id, parent, flags := s[:2], s[3:35], s[36:52], s[53:55]
	for _, part := range []string{version, id, parent, flags} {
		if strings.Trim(part, "0123456789abcdef") != "" {
			return trace{}, false
		}
	}
	switch {
	case version == "ff", version == "00" && len(s) > 55, len(s) > 55 && s[55] != '-':
		return trace{}, false
	case strings.Trim(id, "0") == "", strings.Trim(parent, "0") == "":
		return trace{}, false
	}
	return trace{id: id, span: parent, flags: flags}, true
}

// set adds the trace to a call, with the id of the call's span, or a new one if there are no spans.
func (t trace) set(h http.Header) {
	if t.id == "" || t.lost {
		return
	}
	span := t.span
	if t.by == nil {
		var id [8]byte
		binary.BigEndian.PutUint64(id[:], nonZero())
		span = hex.EncodeToString(id[:])
	}
	h["Traceparent"] = []string{"00-" + t.id + "-" + span + "-" + t.flags}
	if t.state != "" {
		h["Tracestate"] = []string{t.state}
	}
}

func withTrace(ctx context.Context, t trace) context.Context {
	return context.WithValue(ctx, traceKey{}, t)
}

// traceIn returns the trace of ctx, or the zero value if it has none.
func traceIn(ctx context.Context) trace {
	t, _ := ctx.Value(traceKey{}).(trace)
	return t
}

// nonZero returns a random number other than 0: an id of zeros is invalid.
func nonZero() uint64 { return rand.Uint64() | 1 }
