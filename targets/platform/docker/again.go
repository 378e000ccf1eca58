package docker

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// An again sends a request that may be repeated a second time, on another connection, if the engine does not answer
// the first soon. The request or its answer may be lost with the connection, for example if a proxy before a remote
// engine drops it. Without a second attempt the caller would wait until its own deadline. The second attempt has the
// rest of that time.
type again struct {
	next            http.RoundTripper
	question, order time.Duration // how long the first attempt waits for the header of the answer
	limit           time.Duration // how long a request waits for the header at most; see within
}

// RoundTrip implements [http.RoundTripper]. If no answer comes although the caller still waits, the error is an
// [awayError]. No request waits without an end for an engine that hangs: the header of the answer must come within a
// limit, whatever time the caller has.
func (a *again) RoundTrip(r *http.Request) (*http.Response, error) {
	limit := a.within(r)
	if limit == 0 {
		answer, err := a.repeat(r)
		return answer, a.away(r, err)
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	late := fmt.Errorf("no answer within %s", limit)
	over := time.AfterFunc(limit, func() { cancel(late) })
	answer, err := a.repeat(r.WithContext(ctx))
	switch {
	case over.Stop() && err == nil:
		answer.Body = &lasting{answer.Body, func() { cancel(nil) }}
		return answer, nil
	case err == nil: // the limit was over just then
		_ = answer.Body.Close()
		err = late
	case context.Cause(ctx) == late:
		err = late
	}
	cancel(nil)
	return nil, a.away(r, err)
}

// away marks an error as that of an engine that does not answer, unless the caller waits no longer.
func (*again) away(r *http.Request, err error) error {
	if err != nil && r.Context().Err() == nil {
		return awayError{err}
	}
	return err
}

// within returns how long the header of an answer may take. It is longer where the engine transfers an image, or waits
// for a container to stop. It is 0 for a connection to a program, and for a wait for the end of a container, which
// takes as long as that lives.
func (a *again) within(r *http.Request) time.Duration {
	name := path.Base(r.URL.Path)
	switch {
	case name == "wait", r.Header.Get("Upgrade") != "":
		return 0
	case strings.Contains(r.URL.Path, "/images/"), name == "build", name == "commit":
		return 10 * a.limit
	case name == "stop", name == "restart":
		grace, err := strconv.Atoi(r.URL.Query().Get("t"))
		if err != nil || grace < 0 { // the container's own, of which the engine knows
			return 10 * a.limit
		}
		return a.limit + time.Duration(grace)*time.Second
	}
	return a.limit
}

func (a *again) repeat(r *http.Request) (*http.Response, error) {
	soon := a.soon(r)
	if soon == 0 || r.Body != nil && r.Body != http.NoBody && r.GetBody == nil {
		return a.next.RoundTrip(r)
	}
	ctx, cancel := context.WithCancel(r.Context())
	patience := time.AfterFunc(soon, cancel)
	answer, err := a.next.RoundTrip(r.Clone(ctx))
	soonEnough := patience.Stop()
	if soonEnough && err == nil {
		answer.Body = &lasting{answer.Body, cancel}
		return answer, nil
	}
	if err == nil { // patience ended just then
		_ = answer.Body.Close()
	}
	cancel()
	switch over := r.Context().Err(); {
	case soonEnough:
		return nil, err
	case over != nil:
		return nil, over
	}
	second := r.Clone(r.Context())
	if r.GetBody != nil {
		if second.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	return a.next.RoundTrip(second)
}

// soon returns how long the first attempt of a request may take. Zero means that the request is sent only once.
func (a *again) soon(r *http.Request) time.Duration {
	at := r.URL.Path
	name := path.Base(at)
	switch {
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		// Other answers are streams, or large.
		if name == "json" || name == "info" || name == "version" || name == "_ping" || strings.Contains(at, "/networks") ||
			strings.Contains(at, "/volumes") {
			return a.question
		}
	case r.Method == http.MethodPost && strings.Contains(at, "/containers/"):
		if name == "start" || name == "unpause" { // callers accept the answer that it is already so
			return a.order
		}
	case r.Method == http.MethodPost && strings.Contains(at, "/networks/"):
		if name == "connect" || name == "disconnect" {
			return a.order
		}
	}
	return 0
}

// lasting is the body of an answer. Closing it releases the context of the answer.
type lasting struct {
	io.ReadCloser
	release func()
}

func (l *lasting) Close() error {
	defer l.release()
	return l.ReadCloser.Close()
}
