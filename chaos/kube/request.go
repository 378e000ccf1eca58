package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"brunt/scenarios"
)

// mostAnswer bounds the answer to a request, in bytes. A list comes in pages of at most pageOf objects.
const (
	mostAnswer = 64 << 20
	pageOf     = 500
)

// An apiError is the API server's answer to a request that failed.
type apiError struct {
	Code    int    // of HTTP
	Reason  Reason // empty: the server gives none
	Message string
}

// A Reason says why the API server refused a request.
type Reason string

// The reasons that callers distinguish.
const (
	NotFound      Reason = "NotFound"
	AlreadyExists Reason = "AlreadyExists"
	Conflict      Reason = "Conflict"
	Forbidden     Reason = "Forbidden"
	Invalid       Reason = "Invalid" // also a JSON patch whose test fails
	Refused       Reason = "TooManyRequests"
	Expired       Reason = "Expired"
	Unserved      Reason = "ServiceUnavailable" // also from an API whose own server does not run
)

func (e *apiError) Error() string { return e.Message }

// Is reports whether an error is from the API server, with this reason.
func Is(err error, why Reason) bool {
	e, ok := errors.AsType[*apiError](err)
	return ok && e.Reason == why
}

// Answered reports whether an error is an answer of the API server, other than that it can't answer now.
func Answered(err error) bool {
	e, ok := errors.AsType[*apiError](err)
	return ok && e.Code < http.StatusInternalServerError && e.Code != http.StatusTooManyRequests
}

// An unansweredError says that a request was not answered.
type unansweredError struct{ error }

func (e unansweredError) Unwrap() error { return e.error }

// Away reports true: the same request may succeed later.
func (unansweredError) Away() bool { return true }

// Away reports whether the API server can't answer now: the same request may succeed later.
func (e *apiError) Away() bool {
	return e.Code >= http.StatusInternalServerError || e.Code == http.StatusTooManyRequests && e.Reason != Refused
}

// Away reports whether an error says that the API server can't be reached, or can't answer now: the same request may
// succeed later.
func Away(err error) bool {
	if _, ok := errors.AsType[unansweredError](err); ok {
		return true
	}
	e, ok := errors.AsType[*apiError](err)
	return ok && e.Away()
}

// status is the API server's description of a failed request.
type status struct {
	Kind    string `json:"kind"`
	Code    int    `json:"code"`
	Reason  Reason `json:"reason"`
	Message string `json:"message"`
	Details struct {
		Causes []struct {
			Message string `json:"message"`
		} `json:"causes"`
	} `json:"details"`
}

// errorOf returns the error in an answer of the API server.
func errorOf(code int, text []byte) *apiError {
	var s status
	if json.Unmarshal(text, &s) == nil && s.Kind == "Status" && s.Message != "" {
		var message strings.Builder
		message.WriteString(s.Message)
		if s.Reason == Refused { // the causes name the budget that refuses an eviction
			for _, c := range s.Details.Causes {
				message.WriteString(" " + c.Message)
			}
		}
		return &apiError{Code: code, Reason: s.Reason, Message: clean(message.String())}
	}
	said := clean(string(text))
	if said == "" {
		said = http.StatusText(code)
	}
	return &apiError{Code: code, Message: fmt.Sprintf("the API server answers %d: %s", code, said)}
}

// clean makes a text from the cluster fit for one line of output.
func clean(text string) string {
	const most = 1000
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }),
		" ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " …"
	}
	return text
}

// A call is one request.
type call struct {
	method, path string
	query        url.Values
	body         any
	as           string // content type of the body; empty is JSON
}

// do sends a request and decodes the answer into result, unless it is nil.
func (c *Cluster) do(ctx context.Context, r call, result any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.within, fmt.Errorf("no answer within %s", c.within))
	defer cancel()
	res, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer+1))
	switch {
	case err != nil:
		return c.unreachable(ctx, err)
	case len(text) > mostAnswer:
		return fmt.Errorf("the answer to %s %s has over %d MiB", r.method, r.path, mostAnswer>>20)
	case res.StatusCode < 200 || res.StatusCode > 299:
		return errorOf(res.StatusCode, text)
	case result == nil:
		return nil
	}
	if err := decode(text, result); err != nil {
		return fmt.Errorf("the answer to %s %s: %w", r.method, r.path, err)
	}
	return nil
}

// decode decodes an answer of the API server. Types of the API have decoders of their own.
func decode(text []byte, into any) (err error) {
	defer scenarios.Recover(&err)
	return json.Unmarshal(text, into)
}

// send sends a request. The caller closes the body of the answer.
func (c *Cluster) send(ctx context.Context, r call) (*http.Response, error) {
	var body io.Reader
	if r.body != nil {
		text, err := json.Marshal(r.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.url(r.path, r.query), body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
		if r.as != "" {
			req.Header.Set("Content-Type", r.as)
		}
	}
	res, err := c.access.Client.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	return res, nil
}

// url returns the URL of a path of the API.
func (c *Cluster) url(path string, query url.Values) string {
	u := *c.base
	u.Path = strings.TrimSuffix(u.Path, "/") + path
	u.RawQuery = query.Encode()
	return u.String()
}

// unreachable returns the error of a request without an answer.
func (c *Cluster) unreachable(ctx context.Context, err error) error {
	if why := c.refused.Load(); why != nil {
		return fmt.Errorf("the API server %s: %w", c.base.Host, *why)
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return unansweredError{fmt.Errorf("the API server %s does not answer: %w", c.base.Host, err)}
}
