package push

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"brunt/reporters/metrics"
	"brunt/reporters/words"
	"brunt/scenarios/connect"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"

	dto "github.com/prometheus/client_model/go"
)

// An Out is a service that receives a run while it goes on, such as a Prometheus, or a file.
type Out struct {
	Kind  Kind
	File  string   // of a kind whose Each is true
	To    *url.URL // with user name and password, if any
	Token string   // sent as a bearer token; empty: none

	secrets []string // values of environment variables in the URL
}

// Run is the run to send to services.
type Run struct {
	Metrics  *metrics.Collector // it observes the run before the outs do
	Run      string
	Scenario string
	Log      *slog.Logger
	Reach    connect.Check     // allowed addresses to send to; nil allows loopback only
	via      http.RoundTripper // nil: the network; for tests
}

// A Kind describes a kind of service that can receive a run.
type Kind struct {
	Name  string // before the URL, as in prometheus=URL
	Brief string // in a few words, for the help of a command
	About string // one sentence, for the generated reference
	Token string // environment variable that may hold the token
	Spans bool   // it receives spans of requests, and no figures
	Each  bool   // it is a file that receives every request, and no figures
	GRPC  bool   // it can be asked by gRPC too: grpc://HOST:PORT, and grpcs:// with TLS

	open func(o Out, run Run) encoder
}

// Usage describes the kinds of services, for the help of a command.
func Usage(kinds []Kind) string {
	var names, tokens []string
	for _, k := range kinds {
		to := "=URL ("
		if k.Each {
			to = "=FILE ("
		} else if !slices.Contains(tokens, k.Token) {
			tokens = append(tokens, k.Token)
		}
		names = append(names, k.Name+to+k.Brief+")")
	}
	return words.Either(names) + ". A token is taken from " + words.Either(tokens) + "; ${env.NAME} stands for a variable"
}

var envRef = regexp.MustCompile(`\$\{env\.([A-Za-z_][A-Za-z0-9_]*)\}`)

// Parse parses KIND=URL, where KIND is the name of one of kinds. It replaces ${env.NAME} with the value of an
// environment variable, which getenv returns.
func Parse(text string, kinds []Kind, getenv func(string) string) (Out, error) {
	kind, to, found := strings.Cut(text, "=")
	known := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == kind })
	if !found || known < 0 {
		var names []string
		for _, k := range kinds {
			names = append(names, k.Name)
		}
		slices.Sort(names)
		if found && kind != "" {
			return Out{}, fmt.Errorf("there is no out %q; %s", kind, syntax.DidYouMean(kind, names))
		}
		return Out{}, fmt.Errorf("want KIND=URL or KIND=FILE, where KIND is %s", strings.Join(names, ", "))
	}
	var unset, secrets []string
	to = envRef.ReplaceAllStringFunc(to, func(ref string) string {
		name := envRef.FindStringSubmatch(ref)[1]
		v := getenv(name)
		if v == "" {
			unset = append(unset, name)
		}
		secrets = append(secrets, v)
		return v
	})
	if len(unset) > 0 {
		return Out{}, fmt.Errorf("%s: the environment has no %s", kind, strings.Join(unset, ", "))
	}
	if kinds[known].Each {
		if to == "" {
			return Out{}, fmt.Errorf("%s: want a file, as in %s=requests.json", kind, kind)
		}
		return Out{Kind: kinds[known], File: to, To: &url.URL{}, secrets: secrets}, nil
	}
	u, err := url.Parse(to)
	switch {
	case err != nil:
		return Out{}, fmt.Errorf("%s: that is not a URL", kind) // the error would show a password
	}
	o := Out{Kind: kinds[known], To: u, Token: getenv(kinds[known].Token), secrets: secrets}
	schemes := []string{"http://", "https://"}
	if o.Kind.GRPC {
		schemes = append(schemes, "grpc://", "grpcs://")
	}
	switch {
	case u.Host == "" || !slices.Contains(schemes, u.Scheme+"://"):
		return Out{}, fmt.Errorf("%s: want a URL that begins with %s", kind, words.Either(schemes))
	case o.grpc() && strings.Trim(u.Path, "/") != "":
		return Out{}, fmt.Errorf("%s: gRPC has a path of its own: end the URL after the port, as in %s://%s",
			kind, u.Scheme, u.Host)
	}
	return o, nil
}

// Secrets lists the texts that must not be shown: passwords, tokens and the values of environment variables.
func (o Out) Secrets() []string {
	out := slices.Clone(o.secrets)
	if p, has := o.To.User.Password(); has && p != "" && !slices.Contains(out, p) {
		out = append(out, p)
	}
	if o.Token != "" {
		out = append(out, o.Token)
	}
	return out
}

// Check returns an error if nothing may be sent to the service, because reach allows none of its addresses.
func (o Out) Check(ctx context.Context, reach connect.Check) error {
	if o.Kind.Each {
		return nil
	}
	if err := reach.Reaches(ctx, o.address()); err != nil {
		return fmt.Errorf("%s: %w", o, err)
	}
	return nil
}

// grpc reports whether the service is asked by gRPC.
func (o Out) grpc() bool { return strings.HasPrefix(o.To.Scheme, "grpc") }

// address returns the host and the port of the service.
func (o Out) address() string {
	port := o.To.Scheme // "http" and "https" are names of ports
	if o.grpc() {
		port = "4317" // of OTLP over gRPC, by its specification
	}
	return net.JoinHostPort(o.To.Hostname(), cmp.Or(o.To.Port(), port))
}

// authorization returns the header that holds the service's credentials; empty if it has none.
func (o Out) authorization() string {
	if u := o.To.User; u != nil {
		password, _ := u.Password()
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+password))
	}
	if o.Token != "" {
		return "Bearer " + o.Token
	}
	return ""
}

// String returns the service as KIND=URL without its secrets.
func (o Out) String() string { return o.mask(o.Kind.Name + "=" + o.File + o.To.Redacted()) }

// mask replaces the service's secrets in a text.
func (o Out) mask(text string) string {
	var hidden template.Secrets
	for _, s := range o.Secrets() {
		hidden.Add(s)
		hidden.Add(url.PathEscape(s))
		hidden.Add(url.QueryEscape(s))
	}
	return hidden.Mask(text)
}

// client returns an HTTP client for the service. An answer with a status other than 2xx is an error of type
// [*statusError].
func (o Out) client(run *Run) *http.Client {
	via := run.via
	if via == nil {
		via = run.Reach.Transport()
	}
	return &http.Client{Timeout: 10 * time.Second, Transport: &sender{out: o, via: via}}
}

// plain returns the URL without user and password, because a header sends these.
func (o Out) plain() *url.URL {
	u := *o.To
	u.User = nil
	return &u
}

// plainAt is plain with a path of the service's protocol, if the URL has none of its own.
func (o Out) plainAt(path string) string {
	u := o.plain()
	if strings.Trim(u.Path, "/") == "" {
		u.Path = path
	}
	return u.String()
}

// Outs sends a run to services.
type Outs struct {
	run     Run
	queues  []*queue
	ticks   chan tick // closed by Close
	working sync.WaitGroup
	leftOut atomic.Int64 // spans of requests that no queue received
	dropped atomic.Int64 // requests for files that no queue received
}

// A tick is a second, an event or some requests of the run.
type tick struct {
	at       time.Time
	event    *result.Event        // nil: a second has passed, or requests have ended
	families []*dto.MetricFamily  // of that second
	spans    []result.RequestSpan // nil: the tick holds no spans
	requests *result.RequestBatch // nil: the tick holds no requests
}

// receives reports whether services of a kind receive a tick.
func (k *Kind) receives(t *tick) bool {
	return t.event != nil || k.Spans == (t.spans != nil) && k.Each == (t.requests != nil)
}

// An encoder turns the ticks of a run into batches for one service.
type encoder interface {
	// encode returns the batch for a tick; nil: none.
	encode(t tick) batch
	// last returns the final batch of the run; nil: none.
	last(at time.Time) batch
}

// Open starts to send a run to services.
func Open(outs []Out, run Run) *Outs {
	run.Log = cmp.Or(run.Log, slog.New(slog.DiscardHandler))
	o := &Outs{run: run, ticks: make(chan tick, 64)}
	for _, out := range outs {
		q := newQueue(out, out.Kind.open(out, run), run.Log)
		o.queues = append(o.queues, q)
		o.working.Go(q.work)
	}
	o.working.Go(o.gather)
	return o
}

// Observe implements [brunt/reporters.Live]. It does not block.
func (o *Outs) Observe(result.Interval) { o.tell(tick{at: time.Now()}) }

// Event receives the events of the run. It does not block.
func (o *Outs) Event(e result.Event) {
	if strings.HasPrefix(e.Event, "fault.") {
		o.tell(tick{at: time.Now(), event: &e})
	}
}

// Requests receives the requests of a second that were chosen to be spans. It does not block.
func (o *Outs) Requests(r result.RequestSpans) {
	o.leftOut.Add(r.LeftOut)
	if len(r.Spans) > 0 && !o.tell(tick{at: time.Now(), spans: r.Spans}) {
		o.leftOut.Add(int64(len(r.Spans)))
	}
}

// Each receives all requests of a second. It does not block.
func (o *Outs) Each(b result.RequestBatch) {
	if !o.tell(tick{at: time.Now(), requests: &b}) {
		o.dropped.Add(int64(len(b.List)))
	}
}

// tell reports whether there was room for a tick.
func (o *Outs) tell(t tick) bool {
	if len(o.queues) == 0 {
		return true
	}
	select {
	case o.ticks <- t:
		return true
	default: // this machine is overloaded: a minute of ticks waits already
		return false
	}
}

// gather collects the metrics once for all services.
func (o *Outs) gather() {
	for t := range o.ticks {
		if t.event == nil && t.spans == nil && t.requests == nil {
			families, err := o.run.Metrics.Gather()
			if err != nil {
				o.run.Log.Warn("metrics of the run", "error", err)
			}
			at := t.at.UnixMilli()
			for _, f := range families {
				for _, m := range f.Metric {
					m.TimestampMs = &at
				}
			}
			t.families = families
		}
		for _, q := range o.queues {
			if q.out.Kind.receives(&t) {
				q.put(q.to.encode(t))
			}
		}
	}
	for _, q := range o.queues {
		q.put(q.to.last(time.Now()))
		q.close()
	}
}

// Close waits up to lastWait until all batches are sent. It returns a sentence for each service that did not receive
// all of them. Observe, Event, Requests and Each must not be called after it.
func (o *Outs) Close() []string {
	close(o.ticks)
	o.working.Wait()
	var notes []string
	for _, q := range o.queues {
		if note := q.note(); note != "" {
			notes = append(notes, note)
		}
	}
	if n := o.leftOut.Load(); n > 0 {
		notes = append(notes, fmt.Sprintf("--out otlp-traces: %d requests that failed, were slow or were sampled "+
			"have no span: more came in a second than are sent", n))
	}
	if n := o.dropped.Load(); n > 0 {
		notes = append(notes, fmt.Sprintf("--out: a file lacks %d requests, which came faster than it is written", n))
	}
	return notes
}

// A sender sends requests to a service, with its credentials.
type sender struct {
	out Out
	via http.RoundTripper
}

func (c *sender) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", "brunt")
	// a redirect to another host gets no credentials
	if by := c.out.authorization(); by != "" && req.URL.Host == c.out.To.Host {
		req.Header.Set("Authorization", by)
	}
	resp, err := c.via.RoundTrip(req)
	if err != nil || resp.StatusCode/100 == 2 || resp.StatusCode/100 == 3 {
		return resp, err
	}
	return nil, newStatusError(resp)
}
