package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// grace is how long a stop may take: first requests that are being answered,
	// then what is queued.
	grace = 1800 * time.Millisecond
	// firstBytes is how long a stop waits for the first request of a connection.
	firstBytes = 200 * time.Millisecond
	// serverIdle is longer than clientIdle, so that it is the caller who closes a
	// connection that nobody uses, never the service under a new request.
	serverIdle = 3 * time.Minute
	clientIdle = 90 * time.Second
)

// Serve runs one service until ctx ends, and then stops it within two seconds. Its
// settings are read through getenv (see the package), and its log is written to
// stdout: JSON, a line for each notable event. A stop that was asked for is no
// error, even when requests had to be cut off.
func Serve(ctx context.Context, name string, getenv func(string) string, stdout io.Writer) error {
	return node{
		name:   name,
		getenv: getenv,
		stdout: stdout,
		listen: net.Listen,
		dial:   new(net.Dialer).DialContext,
	}.serve(ctx)
}

// A node is where a service runs. The network is part of it, so that tests can
// have one of their own.
type node struct {
	name   string
	getenv func(string) string
	stdout io.Writer
	listen func(network, addr string) (net.Listener, error)
	dial   dialer
}

type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

// parts are what a service is made from.
type parts struct {
	env     *environment
	log     *slog.Logger
	metrics *metrics
	dial    dialer
}

// A service is what answers, and what goes on beside that.
type service struct {
	routes map[string]handler
	start  func()                    // nil: nothing goes on beside requests
	stop   func(ctx context.Context) // gives back what it holds, by the end of ctx; nil: nothing
}

// makers has a line for each service.
var makers = map[string]func(parts) (service, error){
	storeName:         newStore,
	notificationsName: newNotifications,
	usersName:         newUsers,
	postsName:         newPosts,
	gatewayName:       newGateway,
}

func (n node) serve(ctx context.Context) error {
	build, ok := makers[n.name]
	if !ok {
		var names []string
		for _, s := range (Config{}).Services() {
			names = append(names, s.Name)
		}
		return fmt.Errorf("no service %q, there are %s", n.name, strings.Join(names, ", "))
	}
	env := &environment{getenv: n.getenv}
	log := slog.New(slog.NewJSONHandler(n.stdout, nil)).With("service", n.name, "unit", env.text("BRUNT_UNIT", n.name))
	p := parts{env: env, log: log, metrics: newMetrics(), dial: n.dial}
	addr := env.need("BRUNT_ADDR", "host:port to listen on") // nothing would be every interface
	graceful := env.on("DEMO_GRACEFUL")
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
	if svc.start != nil {
		svc.start()
	}

	// Requests don't end with ctx, but with their connection: a stop gives them grace.
	// There is no timeout on reading one. Under a link that stalls it would give the
	// caller an answer where its own timeout, or the lack of it, is to be seen.
	srv := &http.Server{
		Handler:     p.handler(svc),
		IdleTimeout: serverIdle,
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	var unused unusedConns
	srv.ConnState = unused.note
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ln) }()
	log.Info("started", "addr", ln.Addr().String())

	select {
	case err = <-ended: // of itself: the listener broke
	case <-ctx.Done():
		log.Info("stopping")
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
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
		cancel() // nor is what is queued waited for
	}
	svc.end(last)
	log.Info("stopped")
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving %s: %w", n.name, err)
}

// unusedConns are connections on which nothing has come yet. A client may open one
// and then not need it; Shutdown would wait for it for five seconds.
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

// handler gives the routes of a service, with what all have in common: health,
// metrics, the trace, and errors that are JSON.
func (p parts) handler(svc service) http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range svc.routes {
		mux.Handle(pattern, h)
	}
	mux.Handle("GET /metrics", p.metrics.handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		writeBody(w, http.StatusOK, []byte(`{"status":"ok"}`))
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		p.metrics.inFlight.Inc()
		defer p.metrics.inFlight.Dec()
		r = r.WithContext(withTrace(r.Context(), traceOf(r.Header)))
		rec := &recorder{ResponseWriter: w, request: r, status: http.StatusOK}
		mux.ServeHTTP(rec, r)
		route := r.Pattern
		if route == "" {
			route = "other"
		}
		p.metrics.observe(route, rec.status, time.Since(began))
	})
}

// A recorder notes the status of an answer. Where no route matched, it puts a JSON
// error in the place of the mux's text.
type recorder struct {
	http.ResponseWriter
	request *http.Request
	status  int
	mute    bool // the mux's own words are dropped
}

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
