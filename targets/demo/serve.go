package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"
)

const (
	// grace is the timeout of a stop, for requests in progress and then for queued work.
	grace = 1800 * time.Millisecond
	// firstBytes is how long a stop waits for the first request of a connection.
	firstBytes = 200 * time.Millisecond
	// drainTime is how long a service that drains says that it stops, before it refuses connections: until the health
	// checks of its callers have failed.
	drainTime = checkFailures*checkEvery + 100*time.Millisecond
	// serverIdle is longer than clientIdle, so that the caller closes an idle connection, and never
	// the service just as a new request arrives.
	serverIdle = 3 * time.Minute
	clientIdle = 90 * time.Second
	boundIdle  = time.Second            // in place of serverIdle, if connections are bounded
	sendTime   = 500 * time.Millisecond // in which a client has to send a request, with deadlines
)

// Serve runs one service until ctx ends, and then stops it within two seconds. It reads its
// settings with getenv (see the package), and writes its log to stdout as JSON, one line for each
// event. A requested stop is not an error, even if requests were interrupted.
func Serve(ctx context.Context, name string, getenv func(string) string, stdout io.Writer) error {
	forget, err := reportCrashes(getenv)
	if err != nil {
		return err
	}
	defer forget()
	return node{
		name:   name,
		getenv: getenv,
		stdout: stdout,
		listen: net.Listen,
		dial:   new(net.Dialer).DialContext,
		lookup: net.DefaultResolver.LookupHost,
	}.serve(ctx)
}

// reportCrashes makes the runtime write a report of a crash of this process (such as by SIGABRT) to PORT.crash in the
// folder that the environment names. The report lists all goroutines. It is no core file: the machine's settings
// decide whether and where the kernel writes one. The returned forget removes the reports of this unit, and the
// folder once it is empty.
func reportCrashes(getenv func(string) string) (forget func(), err error) {
	folder := getenv("DEMO_CRASH_REPORTS")
	if folder == "" {
		return func() {}, nil
	}
	_, port, err := net.SplitHostPort(getenv("BRUNT_ADDR"))
	if err != nil {
		return nil, fmt.Errorf("the crash report: %w", err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("a folder for crash reports: %w", err)
	}
	name := filepath.Join(folder, port+".crash")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the crash report: %w", err)
	}
	defer f.Close() // the runtime has its own descriptor
	if err := debug.SetCrashOutput(f, debug.CrashOptions{}); err != nil {
		return nil, fmt.Errorf("the crash report: %w", err)
	}
	return func() {
		_ = debug.SetCrashOutput(nil, debug.CrashOptions{})
		_ = os.Remove(name)
		_ = os.Remove(folder)
	}, nil
}

// A node runs a service. It includes the network, so that tests can replace it.
type node struct {
	name   string
	getenv func(string) string
	stdout io.Writer
	listen func(network, addr string) (net.Listener, error)
	dial   dialer
	lookup lookup // nil: addresses have no names
}

type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// parts are the inputs of a service's constructor.
type parts struct {
	env     *environment
	log     *slog.Logger
	metrics *metrics
	dial    dialer
	tracer  *tracer // nil: no spans
	lost    bool    // calls do not get the trace of their request
	// what a service does with the name of a host before each call; nil: nothing
	names func(ctx context.Context, host string) error

	idle time.Duration // how long an unused connection to another service is kept
}

// A service is its routes and its background work.
type service struct {
	routes map[string]handler
	ready  func() bool               // nil: from the start
	start  func()                    // nil: no background work
	stop   func(ctx context.Context) // releases its resources before ctx ends; nil: none
}

// makers lists the services, one line each.
var makers = map[string]func(parts) (service, error){
	storeName:         newStore,
	notificationsName: newNotifications,
	usersName:         newUsers,
	postsName:         newPosts,
	gatewayName:       newGateway,
	identityName:      newIdentity,
	cacheName:         newCache,
	monitorName:       newMonitor,
	collectorName:     newCollector,
	registryName:      newRegistry,
	standbyName:       newStandby,
	mailerName:        newMailer,
}

func (n node) serve(ctx context.Context) error {
	build, ok := makers[n.name]
	if !ok {
		return fmt.Errorf("no service %q, there are %s", n.name, strings.Join(slices.Sorted(maps.Keys(makers)), ", "))
	}
	env := &environment{getenv: n.getenv}
	log := slog.New(slog.NewJSONHandler(n.stdout, nil)).With("service", n.name, "unit", env.text("BRUNT_UNIT", n.name))
	p := parts{env: env, log: log, metrics: newMetrics(), dial: n.dial, idle: clientIdle}
	if keeps := env.on("DEMO_DNS_CACHE"); keeps && n.lookup != nil {
		known := newNames(ctx, n.lookup, n.dial)
		defer known.stop()
		p.dial, p.names = known.dialKnown, known.used
	} else if n.lookup != nil {
		p.names = n.lookup.asksFirst
	}
	if forgets := env.length("DEMO_FORGETS"); forgets > 0 {
		p.dial = forgetful(p.dial, forgets)
		if env.on("DEMO_IDLE_LIMIT") {
			p.idle = forgets / 2
		}
	}
	addr := env.need("BRUNT_ADDR", "host:port to listen on") // an empty host would be every interface
	graceful, drain := env.on("DEMO_GRACEFUL"), env.asked("DEMO_DRAIN")
	p.lost = !env.on("DEMO_PROPAGATE")
	bound, idle, deadlines := env.number("DEMO_CONNECTIONS"), env.on("DEMO_IDLE"), env.asked("DEMO_DEADLINES")
	needs := !env.on("DEMO_WAIT_FOR")
	tracer, err := newTracer(env, n.name, n.dial)
	if err != nil {
		return err
	}
	p.tracer = tracer
	svc, err := build(p)
	if err != nil {
		return fmt.Errorf("building %s: %w", n.name, err)
	}
	if err := env.err(); err != nil {
		svc.end(ctx)
		return fmt.Errorf("the environment of %s: %w", n.name, err)
	}
	ln, err := n.listen("tcp", addr)
	if err != nil {
		svc.end(ctx)
		return fmt.Errorf("listening: %w", err)
	}
	if bound > 0 {
		ln = netutil.LimitListener(ln, bound)
	}
	if svc.start != nil {
		svc.start()
	}

	// A request ends with its connection and not with ctx, so that a stop gives it time. There is no read timeout: on
	// a stalled link the service would then answer before the caller's own timeout, and the scenario tests that
	// timeout.
	var draining atomic.Bool
	srv := &http.Server{
		Handler:     p.handler(svc, &draining),
		IdleTimeout: serverIdle,
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	if bound > 0 && idle {
		srv.IdleTimeout = boundIdle
	}
	if deadlines {
		srv.ReadTimeout = sendTime
	}
	if needs {
		srv.Handler = p.needs(ctx, srv.Handler)
	}
	var unused unusedConns
	srv.ConnState = unused.note
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ln) }()
	log.Info("started", "addr", ln.Addr().String())

	select {
	case err = <-ended: // the listener failed
	case <-ctx.Done():
		log.Info("stopping")
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if drain {
		draining.Store(true)
		_ = pause(last, drainTime)
	}
	defer time.AfterFunc(firstBytes, unused.close).Stop()
	if !graceful {
		srv.Close()
		log.Warn("requests cut off, as the stop is not graceful")
	} else if srv.Shutdown(last) != nil {
		srv.Close()
		log.Warn("requests cut off, they took longer than a stop may")
	}
	if err == nil {
		err = <-ended
	}
	if !graceful {
		cancel() // queued work is not awaited either
	}
	svc.end(last)
	tracer.stop(last)
	log.Info("stopped")
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving %s: %w", n.name, err)
}

// needs asks the services that this one calls for an answer, once. If one has none, all requests but those of probes
// and monitors are refused.
func (p parts) needs(ctx context.Context, h http.Handler) http.Handler {
	c := newClient(p.dial, checkTimeout)
	defer c.close()
	for service, addrs := range p.env.links {
		for _, addr := range addrs {
			rep, err := c.do(ctx, addr, call{method: http.MethodGet, path: "/healthz"}, checkTimeout)
			if failed(rep, err) {
				p.log.Error("a service is away at the start", "of", service, "error", errText(err))
				return handler(func(w http.ResponseWriter, r *http.Request) error {
					if ofProbe(r.URL.Path) {
						h.ServeHTTP(w, r)
						return nil
					}
					return &problem{status: http.StatusServiceUnavailable, text: service + " was away at the start"}
				})
			}
		}
	}
	return h
}

// unusedConns are connections without a request so far. A client may open one and not use it;
// Shutdown would wait five seconds for it.
type unusedConns struct {
	mu    sync.Mutex
	conns map[net.Conn]bool
}

func (u *unusedConns) note(c net.Conn, s http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if s != http.StateNew {
		delete(u.conns, c)
		return
	}
	if u.conns == nil {
		u.conns = map[net.Conn]bool{}
	}
	u.conns[c] = true
}

func (u *unusedConns) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for c := range u.conns {
		c.Close()
	}
}

func (s service) end(ctx context.Context) {
	if s.stop != nil {
		s.stop(ctx)
	}
}

// handler returns the routes of a service with their common parts: health, metrics, the trace, and
// errors as JSON.
func (p parts) handler(svc service, draining *atomic.Bool) http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range svc.routes {
		mux.Handle(pattern, h)
	}
	mux.Handle("GET /metrics", p.metrics.handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if draining.Load() {
			writeBody(w, http.StatusServiceUnavailable, []byte(`{"status":"stopping"}`))
			return
		}
		if svc.ready != nil && !svc.ready() {
			writeBody(w, http.StatusServiceUnavailable, []byte(`{"status":"starting"}`))
			return
		}
		writeBody(w, http.StatusOK, []byte(`{"status":"ok"}`))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		p.metrics.inFlight.Inc()
		defer p.metrics.inFlight.Dec()
		t, span := p.tracer.serve(traceOf(r.Header), r.URL.Path)
		t.lost = p.lost
		r = r.WithContext(withTrace(r.Context(), t))
		rec := &recorder{ResponseWriter: w, request: r, status: http.StatusOK}
		mux.ServeHTTP(rec, r)
		route := r.Pattern
		if route == "" {
			route = "other"
		}
		p.metrics.observe(route, rec.status, time.Since(began))
		answered(span, r, route, rec.status)
	})
}

// A recorder records the status of a response. If no route matched, it replaces the mux's text by a
// JSON error.
type recorder struct {
	http.ResponseWriter
	request *http.Request
	status  int
	mute    bool // drop the mux's text
}

// Unwrap returns the response itself, for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) WriteHeader(status int) {
	r.status = status
	if r.request.Pattern != "" || status < 400 {
		r.ResponseWriter.WriteHeader(status)
		return
	}
	r.mute = true
	text := "no such path"
	if status == http.StatusMethodNotAllowed {
		text = fmt.Sprintf("%s is not a method of this path", r.request.Method)
	}
	writeProblem(r.ResponseWriter, &problem{status: status, text: text})
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.mute {
		return len(b), nil
	}
	return r.ResponseWriter.Write(b)
}
