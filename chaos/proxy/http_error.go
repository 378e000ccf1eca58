package proxy

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// HTTPError answers a share of the requests itself, without asking the upstream
// (which must accept connections all the same), and keeps the connection. A request is answered when all of it has come, and in
// its turn. The answer takes the way back through the other toxics as one of the
// upstream would.
type HTTPError struct {
	Status  int               // from 200 to 599; 0 is 503
	Share   float64           // of the requests that fit, from 0 to 1; 0 is all
	Path    string            // requests that fit: "/posts/7", or with * for anything: "/posts/*"; empty is all
	Method  string            // empty is all
	Body    string            // of the answer
	Headers map[string]string // of the answer, besides those for its length
}

func (t HTTPError) check(parsed bool) error {
	var errs []error
	if t.Status != 0 && (t.Status < 200 || t.Status > 599) {
		errs = append(errs, fmt.Errorf("status %d can't be an answer's; from 200 to 599", t.Status))
	}
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		errs = append(errs, checkHeader(name, t.Headers[name]))
	}
	return errors.Join(append(errs, checkAim(parsed, t.Share))...)
}

func (t HTTPError) begin() effect {
	if t.Status == 0 {
		t.Status = http.StatusServiceUnavailable
	}
	a := newAnswer(t)
	return effect{picks: true, gate: func(s spot) gate {
		if s.dir != Forward {
			return nil
		}
		return &refuser{aim: newAim(s, t.Share, t.Path, t.Method), answer: a}
	}}
}

type refuser struct {
	aim
	answer *answer
}

func (g *refuser) next(it *item, _, _ time.Time) (time.Time, verdict) {
	if g.hits(it) {
		it.req.hit, it.req.answer = true, g.answer
		if !it.req.x.l.isProbe() {
			it.req.x.l.p.stats.hit.Add(1)
		}
	}
	if it.req != nil && it.req.hit {
		return it.in, swallow
	}
	return it.in, leave
}

// An answer is what HTTPError says, in each of the forms that a request can ask
// for; so all of the same form share one.
type answer [2][3][]byte // without and with the body; plain, close, keep-alive

func newAnswer(t HTTPError) *answer {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %03d %s\r\n", t.Status, http.StatusText(t.Status))
	typed := false
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		typed = typed || strings.EqualFold(name, "Content-Type")
		fmt.Fprintf(&b, "%s: %s\r\n", name, t.Headers[name])
	}
	body := t.Body
	if !bodyAllowed(t.Status) {
		body = ""
	} else {
		if body != "" && !typed {
			b.WriteString("Content-Type: text/plain; charset=utf-8\r\n")
		}
		b.WriteString("Content-Length: " + strconv.Itoa(len(body)) + "\r\n")
	}
	var a answer
	for i, connection := range []string{"", "Connection: close\r\n", "Connection: keep-alive\r\n"} {
		head := b.String() + connection + "\r\n"
		a[0][i] = []byte(head)
		a[1][i] = []byte(head + body)
	}
	return &a
}

// to is the answer to r.
func (a *answer) to(r *request) []byte {
	body, connection := 1, 0
	if r.method == http.MethodHead {
		body = 0
	}
	switch {
	case r.close:
		connection = 1
	case r.old:
		connection = 2
	}
	return a[body][connection]
}
