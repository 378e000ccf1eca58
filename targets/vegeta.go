package targets

import (
	"context"
	"crypto/tls"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// VegetaName is the engine with its version, for reports.
const VegetaName = "vegeta v12.13.0"

// Vegeta makes the requests of a load by vegeta's Attacker, its workers uncapped. A
// request goes through vegeta's own client, net/http's, over connections that brunt
// opens, so that they stay within the blast radius and on the links that faults are on.
//
//	Pacer: next arrival, when it is due --tick--> worker: Targeter, http.Client --Result--> outcome
//	       its number is the hit's Seq                    '- RoundTrip: deadline, times, cause
//
// vegeta stamps a hit when a worker takes it. When it was intended is found by its
// sequence number instead, so that a late worker shortens no response time.
type Vegeta struct {
	p      *pool
	calls  []*httpCall
	steps  []int32 // the number of the step that each call is
	base   *url.URL
	client http.Client
	plain  *http.Transport
	secure *http.Transport // over TLS
	slots  chan struct{}   // one for each request that may be under way
	full   atomic.Bool
	spoken sync.Map // of string: versions of HTTP
	drawn  atomic.Int64
	failed sync.Map // from the number of a draw to why it could not be filled in
	env    *template.Env
	vars   []template.Value
	seed   uint64
	traces *traces // nil sends none

	mu   sync.Mutex
	hits map[uint64]*hit // that are under way, by sequence number
}

var (
	_ Way     = (*Vegeta)(nil)
	_ Speaker = (*Vegeta)(nil)
)

// VegetaOptions are what else the engine needs to know.
type VegetaOptions struct {
	Calls       []scenarios.Call // made in turn
	Steps       []int32          // the number of the step that each call is
	MaxInFlight int
	Env         *template.Env
	Vars        []template.Value // as setup left them
}

// CheckVegeta notes what a load asks for that vegeta can't do.
func CheckVegeta(l *scenarios.Load, m *syntax.Mistakes) {
	c := &l.Connections
	for _, key := range []string{"reuse", "max_age", "max_streams"} {
		if c.Has(key) {
			m.AddHint(c.Of(key), "leave it out, or use the native engine", "vegeta has no `%s`", key)
		}
	}
	if len(l.Init) > 0 {
		at := l.Of("init")
		if !l.Has("init") {
			at = l.Init[0].Pos
		}
		m.Add(at, "vegeta has no virtual users, so that load %q has no init", l.Name)
	}
	for key, n := range map[string]*syntax.Node{"auth": l.Auth, "sign": l.Sign} {
		if n == nil || isOff(n) {
			continue
		}
		at := l.Of(key)
		if !l.Has(key) {
			at = n.Pos
		}
		m.AddHint(at, "send a header, or say "+key+": off in the load", "vegeta knows no `%s`", key)
	}
}

// CheckVegetaCall says why vegeta can't make a call; empty is that it can.
func CheckVegetaCall(call scenarios.Call) string {
	c, ok := call.(*httpCall)
	switch {
	case !ok:
		return "it is no request of HTTP"
	case c.auth != nil || c.sign != nil:
		return "it has auth or sign"
	case c.stream != nil:
		return "it reads a stream of events"
	case c.segments != nil && !c.oneFile():
		return "its body has several parts"
	case len(c.extracts) > 0:
		return "it extracts values, and vegeta has no next step to use them"
	}
	return ""
}

// oneFile tells a body that is one file and nothing else.
func (c *httpCall) oneFile() bool { return len(c.segments) == 1 && c.segments[0].template == nil }

// NewVegeta readies the engine for one load.
func NewVegeta(o Options, v VegetaOptions) (*Vegeta, error) {
	p, err := newPool(o)
	if err != nil {
		return nil, err
	}
	e := &Vegeta{p: p, steps: v.Steps, slots: make(chan struct{}, max(1, v.MaxInFlight)), env: v.Env, vars: v.Vars, seed: o.Seed, traces: newTraces(o.Tracing), hits: map[uint64]*hit{}}
	for _, call := range v.Calls {
		e.calls = append(e.calls, call.(*httpCall))
	}
	if o.Base != "" {
		if e.base, err = ParseBase(o.Base); err != nil {
			return nil, err
		}
	}
	e.plain, e.secure = e.transport(false), e.transport(true)
	e.client = http.Client{Transport: e, CheckRedirect: e.redirect}
	return e, nil
}

// transport is net/http's, by connections that brunt opens: over TLS, or not.
func (e *Vegeta) transport(secure bool) *http.Transport {
	c := &e.p.o.Connections
	t := &http.Transport{
		Proxy: func(req *http.Request) (*url.URL, error) {
			v, err := e.p.o.by(req.URL)
			if err != nil || v == nil {
				return nil, err
			}
			return v.url, nil
		},
		DialContext:         func(ctx context.Context, _, addr string) (net.Conn, error) { return e.dial(ctx, addr) },
		DialTLSContext:      func(ctx context.Context, _, addr string) (net.Conn, error) { return e.dialTLS(ctx, addr) },
		TLSClientConfig:     e.p.root.Clone(),
		DisableKeepAlives:   c.KeepAlive != nil && !*c.KeepAlive,
		MaxConnsPerHost:     c.Max,
		MaxIdleConnsPerHost: cap(e.slots),
		Protocols:           new(http.Protocols),
	}
	plain2 := !secure && (c.HTTP == scenarios.HTTP2 || c.HTTP == scenarios.H2C)
	t.Protocols.SetUnencryptedHTTP2(plain2)
	t.Protocols.SetHTTP1(!plain2 && c.HTTP != scenarios.HTTP2)
	t.Protocols.SetHTTP2(secure && c.HTTP != scenarios.HTTP1)
	t.TLSClientConfig.NextProtos = e.nextProtos()
	return t
}

func (e *Vegeta) nextProtos() []string {
	switch e.p.o.Connections.HTTP {
	case scenarios.HTTP1:
		return []string{"http/1.1"}
	case scenarios.HTTP2:
		return []string{"h2"}
	}
	return []string{"h2", "http/1.1"}
}

// dial opens a connection. The request that it was wanted for has its slot then.
func (e *Vegeta) dial(ctx context.Context, addr string) (*net.TCPConn, error) {
	if h, ok := ctx.Value(hitKey{}).(*hit); ok {
		h.take(e.p.now())
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	return e.p.dialer.dial(ctx, host, port, uint64(e.p.opened.Add(1)-1))
}

func (e *Vegeta) dialTLS(ctx context.Context, addr string) (net.Conn, error) {
	raw, err := e.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	c := e.p.root.Clone()
	if c.ServerName == "" {
		c.ServerName, _, _ = net.SplitHostPort(addr)
	}
	c.NextProtos = e.nextProtos()
	t := tls.Client(raw, c)
	if err := t.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &tlsError{err}
	}
	return t, nil
}

// Abort implements [Way].
func (e *Vegeta) Abort() { e.p.abort() }

// Opened implements [Way].
func (e *Vegeta) Opened() int64 { return e.p.opened.Load() }

// Close implements [Way].
func (e *Vegeta) Close() error {
	e.p.abort()
	e.plain.CloseIdleConnections()
	e.secure.CloseIdleConnections()
	return nil
}

// Speaks implements [Speaker].
func (e *Vegeta) Speaks() []string {
	all := map[string]bool{}
	e.spoken.Range(func(k, _ any) bool {
		all[k.(string)] = true
		return true
	})
	return slices.Sorted(maps.Keys(all))
}

// Streams implements [Speaker].
func (e *Vegeta) Streams() (waits int64, each int) { return 0, 0 }

// Names of headers by which a target tells the transport what it is. They are never sent.
const (
	callHeader = "Brunt-Call"
	failHeader = "Brunt-Fail"
	seqHeader  = "X-Vegeta-Seq"
)

// Attack makes the arrivals' requests; see load.Engine.
func (e *Vegeta) Attack(next func() (scenarios.Arrival, bool), record func(scenarios.Arrival, *scenarios.Outcome)) (full bool) {
	pace := vegeta.PacerFunc(func(_ time.Duration, n uint64) (time.Duration, bool) {
		a, ok := next()
		if !ok {
			return 0, true
		}
		e.mu.Lock()
		e.hits[n] = &hit{Arrival: a, call: -1}
		e.mu.Unlock()
		return 0, false
	})
	kept := int64(sampled)
	if slices.ContainsFunc(e.calls, func(c *httpCall) bool { return c.whole }) {
		kept = -1
	}
	attacker := vegeta.NewAttacker(vegeta.Client(&e.client), vegeta.MaxBody(kept))
	for res := range attacker.Attack(e.draw, pacer{pace}, 0, "") {
		e.mu.Lock()
		h := e.hits[res.Seq]
		delete(e.hits, res.Seq)
		e.mu.Unlock()
		if h.held {
			<-e.slots
		}
		out := e.outcome(h, res)
		record(h.Arrival, &out)
	}
	return e.full.Load()
}

// sampled is how much of an answer's body is kept, for samples of failed requests.
const sampled = 4 << 10

// pacer is a function that paces; vegeta asks nobody for a rate.
type pacer struct{ vegeta.PacerFunc }

// Rate implements [vegeta.Pacer].
func (pacer) Rate(time.Duration) float64 { return 0 }

// draw is the Targeter: it gives the call whose turn it is, as vegeta takes it.
//
// subtle: it never fails, since that would end the attack; what can't be filled in fails
// in the transport.
func (e *Vegeta) draw(t *vegeta.Target) error {
	n := e.drawn.Add(1) - 1
	i := int(n % int64(len(e.calls)))
	t.Header = http.Header{callHeader: {strconv.Itoa(i)}}
	if err := e.fill(t, e.calls[i], n); err != nil {
		t.Method, t.URL, t.Body = e.calls[i].method, "http://unfilled.invalid/", nil
		e.failed.Store(n, err)
		t.Header[failHeader] = []string{strconv.FormatInt(n, 10)}
	}
	return nil
}

// fill writes call c down for its n-th iteration.
func (e *Vegeta) fill(t *vegeta.Target, c *httpCall, n int64) error {
	it := template.Iter{N: n, Env: e.env, Vars: e.vars}
	if !c.fixed {
		it.Rand = rand.New(rand.NewPCG(e.seed, uint64(n)))
		it.Reset()
	}
	var f filling
	to, err := c.url.Append(nil, &it)
	if err != nil {
		return err
	}
	if to = rootedAt(e.base, to); to == nil {
		return errNoBase
	}
	u, err := url.Parse(string(to))
	if err == nil && u.Host == "" {
		err = errNoBase
	}
	if err != nil {
		return err
	}
	if err := f.fill(c, &it); err != nil {
		return err
	}
	t.Method, t.URL = c.method, u.String()
	if c.host != nil {
		t.Header["Host"] = []string{string(f.host)}
	}
	for i := range c.headers {
		name := c.headers[i].name
		t.Header[name] = append(t.Header[name], string(f.value(i)))
	}
	if e.traces != nil && !c.traced {
		t.Header["Traceparent"] = []string{string(e.traces.append(nil, e.traces.low(uint64(n))))}
	}
	if c.bodyType != "" {
		t.Header["Content-Type"] = []string{c.bodyType}
	}
	switch {
	case c.segments != nil:
		t.Body = c.segments[0].file
	case c.body != nil:
		t.Body = f.body
	}
	return nil
}

// rootedAt lays a path under the target's URL; a whole URL stands as it is. Nil is a path
// without a target.
func rootedAt(base *url.URL, to []byte) []byte {
	if len(to) > 0 && to[0] != '/' {
		return to
	}
	if base == nil {
		return nil
	}
	b := *base
	b.RawPath, b.Path = "", ""
	prefix := b.String()
	return append(append([]byte(prefix), trimSlash(base.EscapedPath())...), to...)
}

func trimSlash(s string) string {
	for len(s) > 0 && s[len(s)-1] == '/' {
		s = s[:len(s)-1]
	}
	return s
}

// redirect bounds how many redirects are followed.
func (e *Vegeta) redirect(req *http.Request, via []*http.Request) error {
	h := e.hit(req)
	most := e.calls[h.call].redirects
	switch {
	case most == 0:
		return http.ErrUseLastResponse
	case len(via) > most:
		h.fail(errRedirects)
		return errRedirects
	}
	return nil
}

// RoundTrip implements [http.RoundTripper]: it sends a request, or one that a redirect
// asks for, within the time that its arrival has.
func (e *Vegeta) RoundTrip(req *http.Request) (*http.Response, error) {
	h := e.hit(req)
	if h.call < 0 {
		h.call, _ = strconv.Atoi(req.Header[callHeader][0])
	}
	resp, err := e.send(h, req)
	if err != nil {
		h.fail(err)
	}
	return resp, err
}

func (e *Vegeta) send(h *hit, req *http.Request) (*http.Response, error) {
	if draw := req.Header[failHeader]; draw != nil {
		n, _ := strconv.ParseInt(draw[0], 10, 64)
		err, _ := e.failed.LoadAndDelete(n)
		return nil, err.(error)
	}
	ctx, cancel := context.WithDeadline(e.p.over, e.p.o.T0.Add(h.Deadline))
	if err := e.enter(ctx, h); err != nil {
		cancel()
		return nil, err
	}
	if e.p.o.Connections.Max == 0 {
		h.take(e.p.now())
	}
	ctx = context.WithValue(ctx, hitKey{}, h)
	req = req.WithContext(httptrace.WithClientTrace(ctx, h.trace(e.p.now)))
	req.Header = maps.Clone(req.Header)
	delete(req.Header, callHeader)
	h.wire = req
	way := e.plain
	if req.URL.Scheme == "https" {
		way = e.secure
	}
	resp, err := way.RoundTrip(req)
	if err != nil {
		err = cmpErr(ctx.Err(), err)
		cancel()
		return nil, err
	}
	e.spoken.LoadOrStore(protocolOf(resp), true)
	resp.Body = &hitBody{ReadCloser: resp.Body, hit: h, done: cancel}
	return resp, nil
}
