package proxy

import (
	"strings"

	"brunt/chaos/proxy/codec/http1"
	"brunt/chaos/seed"
)

// An aim chooses requests. The choice is a function of the seed, the toxic's place
// among all that were added, and the request's number at the proxy.
type RequestFilter struct {
	seed, toxic uint64
	share       float64
	path        []string // what stands between the stars
	method      string
	m           *attachment
	counts      *counters // nil for a probe
	current     *request  // fits
}

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

// Hits tells that the item begins a request that is chosen, and counts what fits.
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
	hit := it.first && seed.Chosen(a.share, a.seed, a.toxic, r.n)
	a.count(len(it.Bytes), it.first, hit)
	return hit
}

// Fraction is a number from 0 to 1 that depends on the request of the item alone.
func (a *RequestFilter) Fraction(it *Item) float64 {
	return seed.Fraction(a.seed, a.toxic, it.req.n, 1)
}

// fits tells that a request is among those that are chosen from.
func (a *RequestFilter) fits(r *request) bool {
	return !r.x.lost.Load() && (a.method == "" || a.method == r.method) && glob(a.path, r.path)
}

// count counts bytes of a request that fits.
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

// Fits tells whether a toxic with such a path, as HTTPError has it, is about requests
// to another.
func Fits(pattern, path string) bool {
	return pattern == "" || glob(strings.Split(pattern, "*"), path)
}

// glob tells whether s is made of the parts with anything between them.
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

// An editor is a rewrite on one connection.
type Editor struct {
	RequestFilter
	Request, Answer http1.Draft
}

// NewEditor makes the editor of a toxic on one connection.
func NewEditor(s Point, share float64, path, method string, request, answer http1.Draft) *Editor {
	return &Editor{RequestFilter: NewRequestFilter(s, share, path, method), Request: request, Answer: answer}
}

// off tells that the toxic was removed meanwhile.
func (e *Editor) off() bool { return e.m.x.off.Load() }
