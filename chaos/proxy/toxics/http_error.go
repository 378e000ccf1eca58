package toxics

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/http1"
	"brunt/chaos/proxy/codec/http2"
)

// HTTPError answers a share of the requests itself and keeps the connection. The upstream does not
// see these requests, but must accept connections. A request is answered when it is complete, and
// in order. The response passes through the other toxics like a response of the upstream.
type HTTPError struct {
	Status  int               // from 200 to 599; 0 is 503
	Share   float64           // of the matching requests, from 0 to 1; 0 is all
	Path    string            // a path such as "/posts/7", with * for any text: "/posts/*"; empty is all
	Method  string            // empty is all
	Body    string            // of the response
	Headers map[string]string // of the response, in addition to those for its length
}

func (t HTTPError) Check(parsed bool) error {
	var errs []error
	if t.Status != 0 && (t.Status < 200 || t.Status > 599) {
		errs = append(errs, fmt.Errorf("status %d can't be an answer's; from 200 to 599", t.Status))
	}
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		errs = append(errs, http1.CheckHeader(name, t.Headers[name]))
	}
	return errors.Join(append(errs, checkRequests(parsed, t.Share))...)
}

func (t HTTPError) Begin() proxy.Effect {
	if t.Status == 0 {
		t.Status = http.StatusServiceUnavailable
	}
	a := http1.NewCannedResponse(t.Status, t.Headers, t.Body)
	two := http2.NewAnswer(t.Status, t.Headers, t.Body)
	filter := func(s proxy.Point) proxy.RequestFilter { return proxy.NewRequestFilter(s, t.Share, t.Path, t.Method) }
	gate := func(s proxy.Point) proxy.Gate {
		if s.Direction != proxy.Forward {
			return nil
		}
		return &answering{RequestFilter: filter(s), answer: a}
	}
	return proxy.Effect{CountsItself: true, Gate: gate, Streams: func(s proxy.Point) *proxy.StreamEffect {
		return &proxy.StreamEffect{RequestFilter: filter(s), Answer: two}
	}}
}

type answering struct {
	proxy.RequestFilter
	answer *http1.CannedResponse
}

func (g *answering) Next(it *proxy.Item, _, _ time.Time) (time.Time, proxy.Verdict) {
	if g.Hits(it) {
		it.AnswerWith(g.answer)
	}
	if it.Answered() {
		return it.Arrived, proxy.Discard
	}
	return it.Arrived, proxy.Leave
}
