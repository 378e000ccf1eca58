package proxy

import (
	"errors"
	"strings"

	"brunt/chaos/seed"
)

// An aim chooses requests. The choice is a function of the seed, the toxic's place
// among all that were added, and the request's number at the proxy.
type aim struct {
	seed, toxic uint64
	share       float64
	path        []string // what stands between the stars
	method      string
	m           *meeting
	counts      *counters // nil for a probe
	current     *request  // fits
}

func checkAim(parsed bool, share float64) error {
	var errs []error
	if !parsed {
		errs = append(errs, ErrNotHTTP)
	}
	if !(share >= 0 && share <= 1) {
		errs = append(errs, errors.New("a share lies between 0 and 1"))
	}
	return errors.Join(errs...)
}

func newAim(s spot, share float64, path, method string) aim {
	if share == 0 {
		share = 1
	}
	if path == "" {
		path = "*"
	}
	return aim{
		seed: s.m.l.p.c.Seed, toxic: s.m.x.n, m: s.m, counts: s.seen,
		share: share, path: strings.Split(path, "*"), method: method,
	}
}

// hits tells that the item begins a request that is chosen, and counts what fits.
func (a *aim) hits(it *item) bool {
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
	a.count(len(it.b), it.first, hit)
	return hit
}

// fits tells that a request is among those that are chosen from.
func (a *aim) fits(r *request) bool {
	return !r.x.lost.Load() && (a.method == "" || a.method == r.method) && glob(a.path, r.path)
}

// count counts bytes of a request that fits.
func (a *aim) count(n int, first, hit bool) {
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
