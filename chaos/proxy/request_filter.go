package proxy

import (
	"strings"

	"brunt/chaos/proxy/codec/http1"
	"brunt/chaos/seed"
)

// A RequestFilter selects requests. The selection is a function of the seed, the toxic's number
// among all added toxics, and the request's number at the proxy.
type RequestFilter struct {
	seed, toxic uint64
	share       float64
	path        []string // the text between the wildcards
	method      string
	grpc        bool   // only calls of gRPC
	speaks      string // the protocol of the requests, if it is one of package query
	m           *attachment
	counts      *counters // nil for a probe
	current     *request  // the last request that matched
}

// NewRequestFilter returns the filter of the requests at s with the path and the method; empty matches all. In path, *
// stands for any text. The seed selects the share of the matching requests; a share of 0 means all of them.
func NewRequestFilter(s Point, share float64, path, method string) RequestFilter {
	if share == 0 {
		share = 1
	}
	if path == "" {
		path = "*"
	}
	return RequestFilter{
		seed: s.m.l.p.c.Seed, toxic: s.m.x.n, m: s.m, counts: s.seen,
		share: share, path: strings.Split(path, "*"), method: method,
	}
}

// CallsOnly restricts the filter to calls of gRPC.
func (a RequestFilter) CallsOnly() RequestFilter {
	a.grpc = true
	return a
}

// Hits reports whether the item begins a selected request, and counts matching requests.
func (a *RequestFilter) Hits(it *Item) bool {
	r := it.req
	if it.first && r != nil {
		a.current = nil
		if a.fits(r) {
			a.current = r
		}
	}
	if r == nil || r != a.current {
		return false
	}
	hit := it.first && a.chosen(r)
	a.count(len(it.Bytes), it.first, hit)
	return hit
}

// selects reports whether the filter selects a request, and counts a request that matches.
func (a *RequestFilter) selects(r *request) bool {
	if !a.fits(r) {
		return false
	}
	r.filters = append(r.filters, a)
	hit := a.chosen(r)
	a.count(0, true, hit)
	return hit
}

// chosen reports whether a matching request belongs to the share.
func (a *RequestFilter) chosen(r *request) bool { return seed.Chosen(a.share, a.seed, a.toxic, r.n) }

// Fraction returns a number from 0 to 1 that depends only on the request of the item.
func (a *RequestFilter) Fraction(it *Item) float64 { return a.fraction(it.req) }

func (a *RequestFilter) fraction(r *request) float64 { return seed.Fraction(a.seed, a.toxic, r.n, 1) }

// fits reports whether a request matches the method and path.
func (a *RequestFilter) fits(r *request) bool {
	return !r.x.lost.Load() && a.speaks == r.speaks && !r.fixed && (!a.grpc || r.grpc) &&
		(a.method == "" || a.method == r.method) && glob(a.path, r.path)
}

// count counts bytes of a matching request.
func (a *RequestFilter) count(n int, first, hit bool) {
	if a.counts == nil {
		return
	}
	a.counts.bytes(Forward, n)
	if !first {
		return
	}
	a.m.touch()
	if hit {
		a.counts.hit.Add(1)
	} else {
		a.counts.passed.Add(1)
	}
}

// Fits reports whether a toxic with the path pattern, as in HTTPError, applies to requests for
// path.
func Fits(pattern, path string) bool {
	return pattern == "" || glob(strings.Split(pattern, "*"), path)
}

// glob reports whether s consists of the parts with any text between them.
func glob(parts []string, s string) bool {
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok || len(parts) == 1 {
		return ok && s == ""
	}
	last := len(parts) - 1
	for _, p := range parts[1:last] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return strings.HasSuffix(s, parts[last])
}

// An Editor applies a rewrite on one connection.
type Editor struct {
	RequestFilter
	Request, Answer http1.Draft
}

// NewEditor makes the editor of a toxic on one connection.
func NewEditor(s Point, share float64, path, method string, request, answer http1.Draft) *Editor {
	return &Editor{RequestFilter: NewRequestFilter(s, share, path, method), Request: request, Answer: answer}
}

// off reports whether the toxic has been removed.
func (e *Editor) off() bool { return e.m.x.off.Load() }
