package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"time"

	"brunt/scenarios/k6"

	"go.k6.io/k6/js/modules"
)

// k6 makes no sample of a request that was under way when its iteration was cut off, by `gracefulStop`, `maxDuration`
// or the end of the run. So that brunt does not take such requests for requests that were never made, the transport of
// each virtual user reports them:
//
//	virtual user --RoundTrip, Read--> cutTransport --its iteration has ended--> link.cut --> out.reportCut

// cutRequest is a request that the end of its iteration cut off.
type cutRequest struct {
	method, url, group string
	begun, ended       time.Time
}

// cutTransport reports the requests of a virtual user that are cut off.
type cutTransport struct {
	http.RoundTripper
	vu   modules.VU
	link *link
}

func (t *cutTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	begun := time.Now()
	req = apart(req)
	resp, err := t.RoundTripper.RoundTrip(req)
	if err != nil {
		t.report(req, begun)
		return resp, err
	}
	resp.Body = &cutBody{ReadCloser: resp.Body, broken: func() { t.report(req, begun) }}
	return resp, nil
}

// apart makes the times that k6 takes of a request follow each other. k6 counts the time from the end of a new
// connection's handshake until the request gets the connection twice, as waiting for it (Blocked) and as sending. On a
// busy machine that is milliseconds: the request would seem slower than it was, and the first one of a load would seem
// to begin before it, in the warm-up. Without the last hook of the handshake, k6 takes it to end when the request gets
// the connection.
func apart(req *http.Request) *http.Request {
	k := httptrace.ContextClientTrace(req.Context())
	if k == nil {
		return req
	}
	one := *k
	if req.URL.Scheme == "https" {
		one.TLSHandshakeDone = nil
	} else {
		one.ConnectDone = nil
	}
	return req.WithContext(httptrace.WithClientTrace(untraced{req.Context()}, &one))
}

// untraced is a context without its trace, which [httptrace.WithClientTrace] would add to another one.
type untraced struct{ context.Context }

func (c untraced) Value(key any) any {
	v := c.Context.Value(key)
	if _, traces := v.(*httptrace.ClientTrace); traces {
		return nil
	}
	return v
}

// report reports a request that failed, if its iteration was cut off. A timeout of its own is not: k6 has a sample of
// it. Requests of setup and teardown belong to no scenario.
func (t *cutTransport) report(req *http.Request, begun time.Time) {
	if t.vu.Context().Err() == nil {
		return
	}
	tags := t.vu.State().Tags.GetCurrentValues().Tags
	if scenario, _ := tags.Get("scenario"); scenario == "" {
		return
	}
	group, _ := tags.Get("group")
	t.link.addCut(cutRequest{method: req.Method, url: req.URL.String(), group: group, begun: begun, ended: time.Now()})
}

// cutBody is the body of an answer. It calls broken once if it can't be read to its end.
type cutBody struct {
	io.ReadCloser
	broken func()
}

func (b *cutBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && b.broken != nil {
		b.broken()
		b.broken = nil
	}
	return n, err
}

// addCut keeps a request for the output, which reports it from its own goroutine.
func (l *link) addCut(r cutRequest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = append(l.cut, r)
}

// reportCut reports the requests that were cut off. Each is one of the step that its method, its URL and its group name
// if the script made requests of such a step before, else one of the script's first step: the names that a script gives
// to its requests are known only of those that ended.
func (o *out) reportCut() {
	o.link.mu.Lock()
	list := o.link.cut
	o.link.cut = nil
	o.link.mu.Unlock()
	for i := range list {
		r := &list[i]
		tags := map[string]string{"method": r.method, "name": r.url, "group": r.group}
		o.stream.Request("", &k6.Request{
			Step: o.stream.StepOr(k6.StepName(func(name string) string { return tags[name] })),
			End:  o.stream.At(r.ended), Service: r.ended.Sub(r.begun), Code: k6.CodeCut, Failed: true,
		})
	}
}
