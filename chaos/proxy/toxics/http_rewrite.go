package toxics

import (
	"errors"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/http1"
)

// HTTPRewrite changes a share of the requests before they are forwarded, and the responses to them.
// It does not change requests that arrived before it was added, the proxy's own responses, interim
// responses, and responses that switch protocols. Toxics select requests by what the client sent.
//
// Unchanged parts keep every byte. A new body removes the headers that describe the old one: its
// length, coding and digest.
type HTTPRewrite struct {
	Request http1.Draft
	Answer  http1.Draft
	Share   float64 // of the matching requests, from 0 to 1; 0 is all
	Path    string  // as in HTTPError
	Method  string  // empty is all
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
