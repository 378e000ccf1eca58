package toxics

import (
	"errors"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/http1"
)

// HTTPRewrite changes a share of the requests before they are passed on, and the
// answers to them. Requests that came before it was added, and what the proxy itself
// answers, are left as they are; so are interim answers, and those that make the
// connection another protocol's. Toxics choose requests by what the client sent.
//
// What is not changed keeps every byte. A body takes with it what was said of the one
// that it replaces: its length, coding and digest.
type HTTPRewrite struct {
	Request http1.Draft
	Answer  http1.Draft
	Share   float64 // of the requests that fit, from 0 to 1; 0 is all
	Path    string  // as HTTPError's
	Method  string  // NoBody is all
}

func (t HTTPRewrite) Check(parsed bool) error {
	var errs []error
	if t.Request.Zero() && t.Answer.Zero() {
		errs = append(errs, errors.New("a rewrite changes something"))
	}
	if t.Request.Status != 0 || !t.Answer.Path.Zero() {
		errs = append(errs, errors.New("a request has no status, and an answer no path"))
	}
	return errors.Join(append(errs, t.Request.Check(), t.Answer.Check(), checkRequests(parsed, t.Share))...)
}

func (t HTTPRewrite) Begin() proxy.Effect {
	return proxy.Effect{CountsItself: true, Edit: func(s proxy.Point) *proxy.Editor {
		return proxy.NewEditor(s, t.Share, t.Path, t.Method, t.Request, t.Answer)
	}}
}
