package har

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"brunt/scenarios/connect"
	"brunt/scenarios/machine"
	"brunt/targets"
)

// A Recorder is a proxy before one target: it passes requests on, and records them with their answers. Clients speak
// plain HTTP to it, so it needs no certificate of its own for a target with TLS.
//
//	browser --http--> Recorder --http, https--> target
//	                     |
//	                     v
//	                    HAR
type Recorder struct {
	target *url.URL
	proxy  httputil.ReverseProxy

	mu      sync.Mutex
	entries []*recorded
	size    int // of all bodies, in bytes
}

// Bounds on what is recorded.
const (
	mostBody     = 1 << 20   // bytes of a body; more of an answer is passed on and not recorded
	mostRecorded = 100 << 20 // bytes of all bodies
	mostEntries  = 100_000
)

// recorded is an exchange, as an entry of HAR 1.2.
type recorded struct {
	Started  string          `json:"startedDateTime"`
	Time     float64         `json:"time"` // total time in milliseconds
	Resource string          `json:"_resourceType,omitempty"`
	Request  recordedRequest `json:"request"`
	Response recordedAnswer  `json:"response"`

	began time.Time
	host  string // host:port at which the client reaches the recorder
}

type recordedRequest struct {
	Method  string           `json:"method"`
	URL     string           `json:"url"`
	Version string           `json:"httpVersion"`
	Headers []recordedHeader `json:"headers"`
	Data    *recordedBody    `json:"postData,omitempty"`
}

type recordedAnswer struct {
	Status  int              `json:"status"` // zero: no answer came
	Version string           `json:"httpVersion"`
	Headers []recordedHeader `json:"headers"`
	Content recordedBody     `json:"content"`
}

type recordedHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type recordedBody struct {
	Type     string `json:"mimeType"`
	Text     string `json:"text,omitempty"`
	Encoding string `json:"encoding,omitempty"`
}

// recordedKey is the key of the record of a request in its context.
type recordedKey struct{}

func recordOf(q *http.Request) *recorded { return q.Context().Value(recordedKey{}).(*recorded) }

// NewRecorder returns a recorder before a target, an http or https URL without a query.
func NewRecorder(target *url.URL) *Recorder {
	r := &Recorder{target: target}
	r.proxy = httputil.ReverseProxy{
		Transport: connect.To(targets.HostPort(target)).Transport(),
		Rewrite:   r.rewrite, ModifyResponse: r.answered, FlushInterval: -1,
		ErrorHandler: func(w http.ResponseWriter, q *http.Request, err error) {
			r.ended(recordOf(q), recordedBody{})
			http.Error(w, fmt.Sprintf("%s does not answer: %v", r.target.Host, err), http.StatusBadGateway)
		},
	}
	return r
}

// ServeHTTP implements [http.Handler].
func (r *Recorder) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, err := io.ReadAll(io.LimitReader(q.Body, mostBody+1))
	began := time.Now()
	switch {
	case err != nil:
		return // the client is gone
	case len(body) > mostBody:
		http.Error(w, "a body of more than 1 MiB can't be recorded", http.StatusRequestEntityTooLarge)
		return
	}
	e := &recorded{
		Started: began.Format(time.RFC3339Nano), Request: recordedRequest{Method: q.Method, Version: q.Proto},
		began: began, host: q.Host,
	}
	if len(body) > 0 {
		data := bodyOf(q.Header.Get("Content-Type"), body)
		e.Request.Data = &data
	}
	if !r.began(e, len(body)) {
		http.Error(w, "the recording is full: end it by Ctrl-C", http.StatusInsufficientStorage)
		return
	}
	q = q.WithContext(context.WithValue(q.Context(), recordedKey{}, e))
	q.Body, q.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.proxy.ServeHTTP(w, q)
}

// began adds an exchange whose request has a body of n bytes. It returns false if the recording is full.
func (r *Recorder) began(e *recorded, n int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size+n > mostRecorded || len(r.entries) == mostEntries {
		return false
	}
	r.size += n
	r.entries = append(r.entries, e)
	return true
}

// ended records the end of an exchange, with the body of its answer.
func (r *Recorder) ended(e *recorded, content recordedBody) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.Time = float64(time.Since(e.began)) / float64(time.Millisecond)
	e.Response.Content = content
	r.size += len(content.Text)
}

// rewrite directs a request to the target, and records it as the target sees it.
func (r *Recorder) rewrite(p *httputil.ProxyRequest) {
	p.SetURL(r.target)
	p.Out.Header.Del("Accept-Encoding") // the transport asks for gzip, and decodes the answer
	for _, name := range []string{"Origin", "Referer"} {
		if u, err := url.Parse(p.Out.Header.Get(name)); err == nil && u.Host == p.In.Host {
			u.Scheme, u.Host = r.target.Scheme, r.target.Host
			p.Out.Header.Set(name, u.String())
		}
	}
	e, u := recordOf(p.In), *p.Out.URL
	r.mu.Lock()
	defer r.mu.Unlock()
	if strings.EqualFold(p.Out.Header.Get("Upgrade"), "websocket") {
		e.Resource, u.Scheme = "websocket", strings.Replace(u.Scheme, "http", "ws", 1)
	}
	e.Request.URL, e.Request.Headers = u.String(), headersOf(p.Out.Header)
}

// hereCookie returns a Set-Cookie header without the attributes that bind the cookie to the target's name or to TLS.
func hereCookie(line string) string {
	parts := strings.Split(line, ";")
	kept := parts[:1]
	for _, attribute := range parts[1:] {
		key, value, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(attribute, " ", "")), "=")
		if key != "domain" && key != "secure" && key != "partitioned" && (key != "samesite" || value != "none") {
			kept = append(kept, attribute)
		}
	}
	return strings.Join(kept, ";")
}

// answered records an answer. Then it changes what would lead the client past the recorder: places at the target, and
// cookies for the target's name or for TLS alone.
func (r *Recorder) answered(a *http.Response) error {
	e := recordOf(a.Request)
	r.mu.Lock()
	e.Response = recordedAnswer{Status: a.StatusCode, Version: a.Proto, Headers: headersOf(a.Header)}
	r.mu.Unlock()
	for _, name := range []string{"Location", "Content-Location"} {
		if u, err := url.Parse(a.Header.Get(name)); err == nil && u.Scheme == r.target.Scheme && u.Host == r.target.Host {
			if below, ok := strings.CutPrefix(u.Path, strings.TrimSuffix(r.target.Path, "/")); ok {
				u.Path, u.RawPath = below, ""
			}
			u.Scheme, u.Host = "http", e.host
			a.Header.Set(name, u.String())
		}
	}
	for i, line := range a.Header["Set-Cookie"] {
		a.Header["Set-Cookie"][i] = hereCookie(line)
	}
	a.Header.Del("Strict-Transport-Security")
	if a.StatusCode == http.StatusSwitchingProtocols {
		r.ended(e, recordedBody{})
		return nil
	}
	kind := a.Header.Get("Content-Type")
	a.Body = &keptBody{ReadCloser: a.Body, end: func(kept []byte) { r.ended(e, bodyOf(kind, kept)) }}
	return nil
}

// headersOf lists headers by their names.
func headersOf(h http.Header) []recordedHeader {
	out := []recordedHeader{}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			out = append(out, recordedHeader{name, v})
		}
	}
	return out
}

// A keptBody keeps the begin of a body.
type keptBody struct {
	io.ReadCloser
	kept bytes.Buffer
	once sync.Once
	end  func(kept []byte)
}

func (b *keptBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.kept.Write(p[:min(n, mostBody-b.kept.Len())])
	return n, err
}

func (b *keptBody) Close() error {
	b.once.Do(func() { b.end(b.kept.Bytes()) })
	return b.ReadCloser.Close()
}

// bodyOf returns a body for a recording, in base64 if it is not text.
func bodyOf(kind string, b []byte) recordedBody {
	if utf8.Valid(b) {
		return recordedBody{Type: kind, Text: string(b)}
	}
	return recordedBody{Type: kind, Text: base64.StdEncoding.EncodeToString(b), Encoding: "base64"}
}

// HAR returns the recording so far (HAR 1.2), and the number of its requests.
func (r *Recorder) HAR() (text []byte, requests int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, err = json.MarshalIndent(map[string]any{"log": map[string]any{
		"version": "1.2", "creator": map[string]string{"name": "brunt", "version": machine.Version()},
		"entries": append([]*recorded{}, r.entries...),
	}}, "", " ")
	return text, len(r.entries), err
}
