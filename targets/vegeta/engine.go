package vegeta

import (
	"cmp"
	"context"
	"crypto/tls"
	"maps"
	"math/rand/v2"
	"net"
	nethttp "net/http"
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
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/http"
	"brunt/targets/http/auth"

	lib "github.com/tsenart/vegeta/v12/lib"
)

// Name is the name of the engine with its version, for reports.
const Name = "vegeta v12.13.0"

// Engine sends the requests of a load with vegeta's Attacker, without a bound on its workers. A request goes through
// vegeta's own client, which is net/http's, over connections that brunt opens. So the connections stay within the
// blast radius and pass the links that faults apply to.
//
//	Pacer: next arrival, when it is due --tick--> worker: Targeter, nethttp.Client --Result--> outcome
//	       its number is the hit's Seq                    '- RoundTrip: deadline, times, cause
//
// vegeta stamps a hit when a worker takes it. The engine finds the intended time by the hit's
// sequence number instead, so that a late worker does not shorten a response time.
type Engine struct {
	o      targets.Options
	net    *dial.Network
	tls    *tls.Config
	over   context.Context // ends with the run
	end    context.CancelFunc
	opened atomic.Int64 // connections
	calls  []*http.Call
	base   *url.URL
	plain  *nethttp.Transport
	secure *nethttp.Transport // over TLS
	slots  chan struct{}      // one per request in progress
	full   atomic.Bool
	spoken sync.Map // versions of HTTP, as strings
	drawn  atomic.Int64
	failed sync.Map // by the number of a draw: the reason why it could not be rendered
	v      EngineOptions
	traces *http.Traces // nil: no traces are sent

	mu   sync.Mutex
	hits map[uint64]*hit // in progress, by sequence number
}

var _ targets.Transport = (*Engine)(nil)

// EngineOptions are further settings of the engine.
type EngineOptions struct {
	Calls       []scenarios.Call // made in turn
	Steps       []int32          // the index of the step of each call
	MaxInFlight int
	Env         *template.Env
	Vars        []template.Value    // as set by setup
	Nth         func(i int64) int64 // maps a request's number here to its number in the whole load; nil: the same
}

// CheckLoad notes in m the settings of a load that vegeta does not support.
func CheckLoad(l *scenarios.Load, m *syntax.Mistakes) {
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
	if l.Retry != nil {
		m.AddHint(l.Of("retry"), "leave it out, or use the native engine",
			"vegeta sends each request once, so that load %q has no `retry`", l.Name)
	}
	for key, n := range map[string]*syntax.Node{"auth": l.Auth, "sign": l.Sign} {
		if n == nil || auth.IsOff(n) {
			continue
		}
		at := l.Of(key)
		if !l.Has(key) {
			at = n.Pos
		}
		m.AddHint(at, "send a header, or say "+key+": off in the load", "vegeta knows no `%s`", key)
	}
}

// CheckCall returns the reason why vegeta cannot make a call; empty: it can.
func CheckCall(call scenarios.Call) string {
	c, ok := call.(*http.Call)
	if !ok {
		return "it is not a request of HTTP"
	}
	return c.CheckDetach()
}

// New prepares the engine for one load.
func New(o targets.Options, v EngineOptions) (*Engine, error) {
	n, err := dial.NewNetwork(&o)
	if err != nil {
		return nil, err
	}
	secure, err := dial.TLSConfig(o.TLS)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		o: o, net: n, tls: secure, slots: make(chan struct{}, max(1, v.MaxInFlight)),
		v: v, traces: http.NewTraces(o.Tracing), hits: map[uint64]*hit{},
	}
	e.over, e.end = context.WithCancel(context.Background())
	for _, call := range v.Calls {
		e.calls = append(e.calls, call.(*http.Call))
	}
	if o.Base != "" {
		if e.base, err = targets.ParseBase(o.Base); err != nil {
			return nil, err
		}
	}
	e.plain, e.secure = e.transport(false), e.transport(true)
	return e, nil
}

// transport returns net/http's transport over connections that brunt opens, with or without
// TLS.
func (e *Engine) transport(secure bool) *nethttp.Transport {
	c := &e.o.Connections
	t := &nethttp.Transport{
		Proxy: func(req *nethttp.Request) (*url.URL, error) {
			v, err := dial.ProxyFor(&e.o, req.URL)
			if err != nil || v == nil {
				return nil, err
			}
			return v.URL, nil
		},
		DialContext:         func(ctx context.Context, _, addr string) (net.Conn, error) { return e.dial(ctx, addr) },
		DialTLSContext:      func(ctx context.Context, _, addr string) (net.Conn, error) { return e.dialTLS(ctx, addr) },
		TLSClientConfig:     e.tls.Clone(),
		DisableKeepAlives:   c.KeepAlive != nil && !*c.KeepAlive,
		MaxConnsPerHost:     c.Max,
		MaxIdleConnsPerHost: cap(e.slots),
		Protocols:           new(nethttp.Protocols),
	}
	plain2 := !secure && (c.HTTP == scenarios.HTTP2 || c.HTTP == scenarios.H2C)
	t.Protocols.SetUnencryptedHTTP2(plain2)
	t.Protocols.SetHTTP1(!plain2 && c.HTTP != scenarios.HTTP2)
	t.Protocols.SetHTTP2(secure && c.HTTP != scenarios.HTTP1)
	t.TLSClientConfig.NextProtos = e.nextProtos()
	return t
}

func (e *Engine) nextProtos() []string {
	switch e.o.Connections.HTTP {
	case scenarios.HTTP1:
		return []string{"http/1.1"}
	case scenarios.HTTP2:
		return []string{"h2"}
	}
	return []string{"h2", "http/1.1"}
}

// dial opens a connection. It also sets the slot time of the request that needs the connection.
func (e *Engine) dial(ctx context.Context, addr string) (*net.TCPConn, error) {
	if h, ok := ctx.Value(hitKey{}).(*hit); ok {
		h.take(e.o.Now())
		stages := targets.NewStages(e.o.Now)
		h.stages.Store(stages)
		ctx = targets.WithStages(ctx, stages)
		defer stages.Leave()
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	return e.net.DialTCP(ctx, host, port, uint64(e.opened.Add(1)-1))
}

func (e *Engine) dialTLS(ctx context.Context, addr string) (net.Conn, error) {
	raw, err := e.dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	if h, ok := ctx.Value(hitKey{}).(*hit); ok {
		stages := h.stages.Load()
		stages.Enter(scenarios.InTLS)
		defer stages.Leave()
	}
	c := e.tls.Clone()
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
		return nil, &targets.TLSError{Err: err}
	}
	return t, nil
}

func (e *Engine) Abort() { e.end() }

func (e *Engine) Opened() int64 { return e.opened.Load() }

func (e *Engine) Close() error {
	e.end()
	e.plain.CloseIdleConnections()
	e.secure.CloseIdleConnections()
	return nil
}

func (e *Engine) Spoken() targets.Spoken {
	all := map[string]bool{}
	e.spoken.Range(func(k, _ any) bool {
		all[k.(string)] = true
		return true
	})
	return targets.Spoken{Versions: slices.Sorted(maps.Keys(all))}
}

// Names of the headers in which draw passes data to the transport. They are never sent.
const (
	callHeader = "Brunt-Call"
	failHeader = "Brunt-Fail"
	seqHeader  = "X-Vegeta-Seq"
)

// Attack sends the requests of the arrivals; see load.Engine.
func (e *Engine) Attack(
	next func() (scenarios.Arrival, bool), record func(scenarios.Arrival, *scenarios.Outcome),
) (full bool) {
	pace := lib.PacerFunc(func(_ time.Duration, n uint64) (time.Duration, bool) {
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
	for _, c := range e.calls {
		if c.NeedsBody() {
			kept = max(kept, int64(c.MaxBody())+1) // one byte more shows that the body is too large
		}
	}
	client := nethttp.Client{Transport: e, CheckRedirect: e.redirect}
	attacker := lib.NewAttacker(lib.Client(&client), lib.MaxBody(kept))
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

// sampled is the number of bytes of a body that are kept for samples of failed requests.
const sampled = 4 << 10

// pacer is vegeta's pacer. Only its function is used, not its rate.
type pacer struct{ lib.PacerFunc }

func (pacer) Rate(time.Duration) float64 { return 0 }

// draw is the Targeter: it returns the next call when vegeta takes one.
//
// subtle: it never fails, since that would end the attack; a call that cannot be rendered
// fails in the transport.
func (e *Engine) draw(t *lib.Target) error {
	n := e.drawn.Add(1) - 1
	if e.v.Nth != nil {
		n = e.v.Nth(n)
	}
	i := int(n % int64(len(e.calls)))
	t.Header = nethttp.Header{callHeader: {strconv.Itoa(i)}}
	if err := e.fill(t, e.calls[i], n); err != nil {
		method, _ := e.calls[i].Asks()
		t.Method, t.URL, t.Body = method, "http://unfilled.invalid/", nil
		e.failed.Store(n, err)
		t.Header[failHeader] = []string{strconv.FormatInt(n, 10)}
	}
	return nil
}

// fill renders call c for its n-th iteration.
func (e *Engine) fill(t *lib.Target, c *http.Call, n int64) error {
	it := template.Iter{N: n, Env: e.v.Env, Vars: e.v.Vars}
	if !c.Fixed() {
		it.Rand = rand.New(rand.NewPCG(e.o.Seed, uint64(n)))
		it.Reset()
	}
	r, err := c.Detach(&it, e.base)
	if err != nil {
		return err
	}
	t.Method, t.URL, t.Body = r.Method, r.URL, r.Body
	maps.Copy(t.Header, r.Header)
	if e.traces != nil && !c.Traces() {
		t.Header["Traceparent"] = []string{string(e.traces.Append(nil, e.traces.ID(uint64(n))))}
	}
	return nil
}

// redirect limits the number of redirects.
func (e *Engine) redirect(req *nethttp.Request, via []*nethttp.Request) error {
	h := e.hit(req)
	most := e.calls[h.call].Redirects()
	switch {
	case most == 0:
		return nethttp.ErrUseLastResponse
	case len(via) > most:
		h.fail(http.ErrRedirects)
		return http.ErrRedirects
	}
	return nil
}

// RoundTrip implements [nethttp.RoundTripper]: it sends a request, or the request that follows a redirect, within the
// deadline of its arrival.
func (e *Engine) RoundTrip(req *nethttp.Request) (resp *nethttp.Response, err error) {
	h := e.hit(req)
	if h.call < 0 {
		h.call, _ = strconv.Atoi(req.Header[callHeader][0])
	}
	resp, err = e.send(h, req)
	if err != nil {
		h.fail(err)
	}
	return resp, err
}

func (e *Engine) send(h *hit, req *nethttp.Request) (_ *nethttp.Response, err error) {
	defer scenarios.Recover(&err)
	if draw := req.Header[failHeader]; draw != nil {
		n, _ := strconv.ParseInt(draw[0], 10, 64)
		err, _ := e.failed.LoadAndDelete(n)
		return nil, err.(error)
	}
	ctx, cancel := context.WithDeadline(e.over, e.o.T0.Add(h.Deadline))
	if err := e.enter(ctx, h); err != nil {
		cancel()
		return nil, err
	}
	if e.o.Connections.Max == 0 {
		h.take(e.o.Now())
	}
	ctx = context.WithValue(ctx, hitKey{}, h)
	req = req.WithContext(httptrace.WithClientTrace(ctx, h.trace(e.o.Now)))
	req.Header = maps.Clone(req.Header)
	delete(req.Header, callHeader)
	h.wire = req
	transport := e.plain
	if req.URL.Scheme == "https" {
		transport = e.secure
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		err = cmp.Or(ctx.Err(), err)
		cancel()
		return nil, err
	}
	e.spoken.LoadOrStore(protocolOf(resp), true)
	resp.Body = &hitBody{ReadCloser: resp.Body, hit: h, done: cancel}
	return resp, nil
}
