package docker

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"brunt/scenarios/connect"
	"brunt/targets/platform/containers"

	"github.com/containerd/errdefs"
	"github.com/docker/go-connections/sockets"
	"github.com/docker/go-connections/tlsconfig"
	"github.com/moby/moby/client"
)

// An Engine is a client of a Docker engine. It is safe for concurrent use.
type Engine struct {
	at   containers.Address
	host *url.URL        // of at; Host is what is dialed
	via  *http.Transport // makes the connections of api
	api  *client.Client

	mu     sync.Mutex
	agreed bool  // the API version is negotiated
	asked  *ping // callers wait for its answer; nil: none is under way

	within  patience              // for the answer to a question
	refused atomic.Pointer[error] // why Check refused its address
	agents  Agents
	late    lateExecs
	died    sync.Map // the [Event] of the end of each container that is down, by its id
}

// Options configure the connection to an engine.
type Options struct {
	// Check refuses addresses that must not be connected to, such as an engine on another machine. Nil refuses nothing.
	Check connect.Check
	// AnswerWithin is how long the answer to a question, such as which containers exist, may take; zero means 20 s.
	// An engine that hangs accepts connections and answers nothing.
	AnswerWithin time.Duration
	// OrderWithin is how long an order, such as the start of a container, may take until the engine answers; zero means
	// 1 min. It is ten times as long for an order that transfers an image, and longer by the grace of a container that is
	// to stop. Only a wait for the end of a container is limited by its context alone.
	OrderWithin time.Duration
	// RepeatAfter is after how long a request that may be repeated is sent again; zero means 5 s for a question and
	// 10 s for an order, such as the start of a container.
	RepeatAfter time.Duration
}

const (
	answerWithin  = 20 * time.Second
	questionAgain = 5 * time.Second
	orderAgain    = 10 * time.Second
	orderWithin   = time.Minute
)

// Open prepares the client of an engine. It does not connect.
func Open(at containers.Address, o Options) (*Engine, error) {
	u, err := url.Parse(at.Host)
	if err != nil {
		return nil, fmt.Errorf("the engine's address %q: %w", at.Host, err)
	}
	switch u.Scheme {
	case "unix", "npipe", "tcp", "http", "https":
	case "ssh":
		return nil, fmt.Errorf("the engine %s: brunt does not speak SSH; forward its socket (ssh -L "+
			"/tmp/engine.sock:/var/run/docker.sock HOST) and set "+
			"DOCKER_HOST=unix:///tmp/engine.sock", at.Host)
	default:
		return nil, fmt.Errorf("the engine's address %q: want unix://, npipe:// or tcp://", at.Host)
	}
	e := &Engine{at: at, via: new(http.Transport), within: patience(cmp.Or(o.AnswerWithin, answerWithin))}
	e.agents.e = e
	if e.host, err = client.ParseHostURL(at.Host); err == nil {
		err = sockets.ConfigureTransport(e.via, e.host.Scheme, e.host.Host)
	}
	if err == nil && at.TLS != "" && !at.Socket() {
		e.via.TLSClientConfig, err = tlsconfig.Client(tlsconfig.Options{
			CAFile: at.File("ca.pem"), CertFile: at.File("cert.pem"), KeyFile: at.File("key.pem"),
			ExclusiveRootPools: true, MinVersion: tls.VersionTLS12,
		})
	}
	if err != nil {
		return nil, fmt.Errorf("the engine %s: %w", at.Host, err)
	}
	e.via.Proxy = nil // a proxy of the environment would hide the real destination from Check
	if o.Check != nil && !at.Socket() {
		e.via.DialContext = connect.Check(func(to netip.AddrPort, host string) error {
			err := o.Check(to, host)
			if err != nil {
				e.refused.Store(&err) // the library only reports that the connection failed
			}
			return err
		}).Within(10 * time.Second)
	}
	web := &http.Client{CheckRedirect: client.CheckRedirect, Transport: &again{
		next: e.via, question: cmp.Or(o.RepeatAfter, questionAgain), order: cmp.Or(o.RepeatAfter, orderAgain),
		limit: cmp.Or(o.OrderWithin, orderWithin),
	}}
	// WithHost wants a transport of the library, so it comes first.
	opts := []client.Opt{client.WithHost(at.Host), client.WithHTTPClient(web)}
	if e.via.TLSClientConfig != nil {
		opts = append(opts, client.WithScheme("https"))
	}
	if e.api, err = client.New(opts...); err != nil {
		return nil, fmt.Errorf("the engine %s: %w", at.Host, err)
	}
	return e, nil
}

// dial opens a connection to the engine for a stream.
func (e *Engine) dial(ctx context.Context) (net.Conn, error) {
	conn, err := e.via.DialContext(ctx, "tcp", e.host.Host)
	if err != nil || e.via.TLSClientConfig == nil {
		return conn, err
	}
	how := e.via.TLSClientConfig.Clone()
	how.ServerName = cmp.Or(how.ServerName, (&url.URL{Host: e.host.Host}).Hostname())
	secured := tls.Client(conn, how)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secured, nil
}

// Close closes the connections.
func (e *Engine) Close() error {
	e.via.CloseIdleConnections()
	return nil
}

// Address returns the address of the engine.
func (e *Engine) Address() containers.Address { return e.at }

// API returns the library's own client, for operations that this package does not cover.
func (e *Engine) API() client.APIClient { return e.api }

// errUnreachable means that no engine answers.
var errUnreachable error = awayError{errors.New("no Docker engine answers")}

// ErrNone means that there is no engine: nothing is at the address of its socket.
var ErrNone = fmt.Errorf("%w", errUnreachable)

// A ping asks whether the engine answers. Concurrent callers share the result.
type ping struct {
	done chan struct{} // closed once err is set
	err  error
}

// Ping checks that the engine answers, and negotiates the API version. The error says how to fix the problem.
func (e *Engine) Ping(ctx context.Context) error {
	e.mu.Lock()
	if e.agreed {
		e.mu.Unlock()
		return nil
	}
	p := e.asked
	if p == nil {
		p = &ping{done: make(chan struct{})}
		e.asked = p
		go p.ask(context.WithoutCancel(ctx), e)
	}
	e.mu.Unlock()
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return e.unreachable(ctx.Err())
	}
}

// ask asks the engine once.
func (p *ping) ask(ctx context.Context, e *Engine) {
	soon, cancel := e.within.soon(ctx)
	defer cancel()
	_, err := e.api.Ping(soon, client.PingOptions{NegotiateAPIVersion: true})
	if err != nil {
		p.err = e.unreachable(e.within.unanswered(ctx, err))
	}
	e.mu.Lock()
	e.agreed, e.asked = err == nil, nil
	e.mu.Unlock()
	close(p.done)
}

// A patience is how long the answer to a question may take.
type patience time.Duration

// soon returns the context for a question.
func (p patience) soon(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Duration(p))
}

// unanswered rewrites the error of a question if the engine hangs, which means that the caller's context has not
// ended.
func (p patience) unanswered(ctx context.Context, err error) error {
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %s", time.Duration(p))
	}
	return err
}

func (e *Engine) unreachable(err error) error {
	if why := e.refused.Load(); why != nil {
		return fmt.Errorf("%w at %s: %w", errUnreachable, e.at.Host, *why)
	}
	fix := "start it, or name another by DOCKER_HOST or `docker context use`"
	_, unproved := errors.AsType[*tls.CertificateVerificationError](err)
	alert, refused := errors.AsType[*net.OpError](err)
	refused = refused && alert.Op == "remote error" // a TLS alert, as the library names it
	switch {
	case !e.at.Socket() && e.at.TLS == "":
		fix += "; one that speaks TLS wants DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH for the folder of ca.pem, cert.pem " +
			"and key.pem"
	case unproved || refused:
		fix = "ca.pem in " + e.at.TLS +
			" is to be the engine's, and cert.pem signed by what the engine trusts (DOCKER_CERT_PATH)"
	case errors.Is(err, fs.ErrPermission) || strings.Contains(err.Error(), "permission denied"):
		fix = "its socket is closed to this user: join the group docker, or run brunt as root"
	case errors.Is(err, fs.ErrNotExist) && runtime.GOOS == "linux":
		fix = "install and start it (apt-get install docker.io), or name another by DOCKER_HOST"
		for _, socket := range podmanSockets(os.Getenv) {
			if _, err := os.Stat(socket); err == nil {
				fix = "Podman listens at another socket: DOCKER_HOST=unix://" + socket
			}
		}
	}
	is := errUnreachable
	if u, bad := url.Parse(e.at.Host); bad == nil && e.at.Socket() {
		if _, err := os.Lstat(u.Path); errors.Is(err, fs.ErrNotExist) {
			is = ErrNone
		}
	}
	return fmt.Errorf("%w at %s: %w; %s", is, e.at.Host, cause(err), fix)
}

// cause removes the library's wrapping from a connection error.
func cause(err error) error {
	op, ok := errors.AsType[*net.OpError](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), ok && errors.Is(err, fs.ErrNotExist):
		return errors.New("nothing listens there")
	case ok:
		return op.Err
	}
	return err
}

// An Info is the engine's description of itself.
type Info struct {
	Version string // of the engine
	API     string // version that was negotiated
	Cgroup  string // 1 or 2
	Driver  string // of storage
	System  string // the operating system of its machine
	Ahead   time.Duration
}

// Info returns the engine's description of itself. Ahead is how far its clock is ahead of this machine's, accurate to
// half the duration of the request.
func (e *Engine) Info(ctx context.Context) (Info, error) {
	if err := e.Ping(ctx); err != nil {
		return Info{}, err
	}
	began := time.Now()
	soon, cancel := e.within.soon(ctx)
	defer cancel()
	is, err := e.api.Info(soon, client.InfoOptions{})
	i := is.Info
	if err != nil {
		return Info{}, fmt.Errorf("asking the engine about itself: %w", e.within.unanswered(ctx, err))
	}
	took := time.Since(began)
	out := Info{
		Version: i.ServerVersion, API: e.api.ClientVersion(), Cgroup: i.CgroupVersion, Driver: i.Driver,
		System: i.OperatingSystem,
	}
	if at, err := time.Parse(time.RFC3339Nano, i.SystemTime); err == nil {
		out.Ahead = at.Sub(began.Add(took / 2))
	}
	return out, nil
}

// Product returns the name of the server at the address: Docker, or Podman, which has the same API.
func Product(ctx context.Context, e *Engine) (string, error) {
	soon, cancel := e.within.soon(ctx)
	defer cancel()
	v, err := e.api.ServerVersion(soon, client.ServerVersionOptions{})
	if err != nil {
		return "", fmt.Errorf("asking the engine for its version: %w", e.within.unanswered(ctx, err))
	}
	for _, c := range v.Components { // Docker's components are Engine, containerd and more
		if c.Name == "Podman Engine" {
			return "Podman", nil
		}
	}
	return "Docker", nil
}

// podmanSockets returns the sockets on which Podman listens: of the machine, and of the user.
func podmanSockets(getenv func(string) string) []string {
	out := []string{"/run/podman/podman.sock"}
	if dir := getenv("XDG_RUNTIME_DIR"); dir != "" {
		out = append(out, filepath.Join(dir, "podman", "podman.sock"))
	}
	return out
}

// An awayError means that the engine was not running, for example during its restart, so that a retry is worthwhile.
type awayError struct{ error }

// Error leaves out the address, because the library would recognize the error by it and replace it by a text.
func (e awayError) Error() string { return cause(e.error).Error() }

func (e awayError) Unwrap() error { return e.error }

// Away tells code that retries an undo that the engine was not running.
func (awayError) Away() bool { return true }

// gone reports whether an error means that the object does not exist, or is being removed.
func gone(err error) bool {
	return errdefs.IsNotFound(err) || err != nil && strings.Contains(err.Error(), "is marked for removal")
}
