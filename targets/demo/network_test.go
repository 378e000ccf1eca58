package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A network is an in-memory network between services in a synctest bubble: time is virtual, so that
// a drill takes no real time and waits are exact. Every pair has an edge, as under brunt, with the
// address FROM.TO:80.
type network struct {
	mu        sync.Mutex
	listeners map[string]*listener
	edges     map[string]*edge
	spans     bool // services send their spans to the unit collector
	requests  bool // edges pass requests, and not bytes: set before the first connection
	pumps     sync.WaitGroup
}

func newNetwork() *network {
	return &network{listeners: map[string]*listener{}, edges: map[string]*edge{}}
}

// edge returns the link from one unit to another.
func (n *network) edge(from, to string) *edge {
	n.mu.Lock()
	defer n.mu.Unlock()
	e := n.edges[from+"."+to]
	if e == nil {
		e = &edge{to: to, conns: map[net.Conn]bool{}}
		n.edges[from+"."+to] = e
	}
	return e
}

// into returns all edges that end at a unit.
func (n *network) into(to string) []*edge {
	n.mu.Lock()
	defer n.mu.Unlock()
	var in []*edge
	for _, e := range n.edges {
		if e.to == to {
			in = append(in, e)
		}
	}
	return in
}

// of returns all edges that begin or end at a unit.
func (n *network) of(unit string) []*edge {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []*edge
	for name, e := range n.edges {
		if e.to == unit || strings.HasPrefix(name, unit+".") {
			all = append(all, e)
		}
	}
	return all
}

// release releases all held bytes.
func (n *network) release() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range n.edges {
		e.release()
	}
}

func (n *network) listen(_, addr string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	unit := strings.TrimSuffix(addr, ":80")
	l := &listener{addr: addr, conns: make(chan net.Conn, 1024), closed: make(chan struct{})}
	n.listeners[unit] = l
	return l, nil
}

func (n *network) dial(_ context.Context, _, addr string) (net.Conn, error) {
	from, to, _ := strings.Cut(strings.TrimSuffix(addr, ":80"), ".")
	e := n.edge(from, to)
	n.mu.Lock()
	l, requests := n.listeners[to], n.requests
	n.mu.Unlock()
	return e.connect(l, requests, &n.pumps)
}

// An edge is a proxy like brunt's: it accepts every connection, and closes it if there is no unit
// behind it.
type edge struct {
	to string

	mu     sync.Mutex
	dead   bool
	spent  bool                                    // the caller has no descriptor for a connection
	queue  chan struct{}                           // not nil: bytes of new connections are held until it is closed
	effect func(method, path string) RequestEffect // of a request; nil: it is passed on
	held   chan struct{}                           // not nil: bytes are held until it is closed
	delay  time.Duration
	conns  map[net.Conn]bool
	tape   *strings.Builder // recorded bytes, if any
}

func (e *edge) connect(l *listener, requests bool, pumps *sync.WaitGroup) (net.Conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.spent {
		return nil, &net.OpError{Op: "dial", Err: syscall.EMFILE}
	}
	client, near := net.Pipe()
	if e.dead || l == nil || !l.alive() {
		near.Close()
		return client, nil
	}
	remote, server := net.Pipe()
	e.conns[near], e.conns[remote] = true, true
	queue := e.queue
	if requests {
		pumps.Go(func() { e.exchange(near, remote, queue) })
	} else {
		pumps.Go(func() { e.pump(near, remote, queue, true) })
		pumps.Go(func() { e.pump(remote, near, queue, false) })
	}
	l.conns <- server
	return client, nil
}

func (e *edge) pump(from, to net.Conn, queue chan struct{}, forth bool) {
	defer e.end(from, to)
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		e.mu.Lock()
		if forth && e.tape != nil {
			e.tape.Write(buf[:n])
		}
		e.mu.Unlock()
		e.wait(queue)
		if n > 0 { // a pipe forwards even an empty write
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// wait returns once bytes of a connection may pass.
func (e *edge) wait(queue chan struct{}) {
	e.mu.Lock()
	held, delay := e.held, e.delay
	e.mu.Unlock()
	for _, until := range []chan struct{}{queue, held} {
		if until != nil {
			<-until
		}
	}
	time.Sleep(delay) // simulates a slow network
}

// end closes a connection on both sides.
func (e *edge) end(near, remote net.Conn) {
	near.Close()
	remote.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.conns, near)
	delete(e.conns, remote)
}

// kill simulates a crash of the unit behind the edge; revive is its restart.
func (e *edge) kill() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dead = true
	for c := range e.conns {
		c.Close()
	}
}

func (e *edge) revive() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dead = false
}

// hold stops all bytes, like a frozen unit or a network that drops packets.
func (e *edge) hold() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held = make(chan struct{})
}

func (e *edge) release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.held != nil {
		close(e.held)
		e.held = nil
	}
}

// slow delays each direction by d.
func (e *edge) slow(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.delay = d
}

// record records the bytes from now on, for recorded.
func (e *edge) record() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tape = &strings.Builder{}
}

func (e *edge) recorded() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.tape.String()
}

type listener struct {
	addr   string
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *listener) alive() bool {
	select {
	case <-l.closed:
		return false
	default:
		return true
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close closes the connections that wait to be accepted as well.
func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	for {
		select {
		case c := <-l.conns:
			c.Close()
		default:
			return nil
		}
	}
}

func (l *listener) Addr() net.Addr { return memAddr(l.addr) }

type memAddr string

func (memAddr) Network() string  { return "memory" }
func (a memAddr) String() string { return string(a) }

// A system is SocialConnect on an in-memory network.
type system struct {
	t      *testing.T
	net    *network
	client *http.Transport
	launch map[string]func() *life // starts a unit
	lives  map[string]*life        // by unit: the one that was started last
	dying  sync.WaitGroup
	stop   map[string]func() // by unit: ends the one that was started last
	logs   map[string]*lockedBuffer
}

// start runs the services of c until the test ends. It must be called in a bubble.
func start(t *testing.T, c Config) *system {
	t.Helper()
	return startOn(t, c, newNetwork())
}

// startOn is start on a network.
func startOn(t *testing.T, c Config, n *network) *system {
	t.Helper()
	s := &system{
		t: t, net: n, launch: map[string]func() *life{}, lives: map[string]*life{}, stop: map[string]func(){},
		logs: map[string]*lockedBuffer{},
	}
	s.client = &http.Transport{
		DialContext:         s.net.dial,
		MaxIdleConnsPerHost: 512,
		DisableCompression:  true,
	}
	services := c.Services()
	var order []string
	for _, svc := range services {
		for i := range svc.Replicas {
			unit := fmt.Sprintf("%s[%d]", svc.Name, i)
			env := map[string]string{"BRUNT_ADDR": unit + ":80", "BRUNT_UNIT": unit}
			maps.Copy(env, svc.Env)
			if n.spans {
				env[endpointKey] = "http://" + svc.Name + ".collector:80/v1/traces"
			}
			for _, link := range svc.Links {
				at := slices.IndexFunc(services, func(o Service) bool { return o.Name == link })
				var addrs []string
				for j := range services[at].Replicas {
					addrs = append(addrs, fmt.Sprintf("%s.%s[%d]:80", unit, link, j))
				}
				env["LINK_"+strings.ToUpper(link)] = strings.Join(addrs, ",")
			}
			log := &lockedBuffer{}
			s.launch[unit] = func() *life { return s.live(svc.Name, unit, env, log) }
			s.lives[unit] = s.launch[unit]()
			s.stop[unit] = func() { s.lives[unit].end() }
			s.logs[unit] = log
			order = append(order, unit)
		}
	}
	t.Cleanup(func() {
		s.client.CloseIdleConnections()
		s.net.release()
		s.dying.Wait()
		for _, unit := range slices.Backward(order) {
			s.stop[unit]()
		}
		s.net.pumps.Wait()
	})
	synctest.Wait()
	return s
}

// An answer is the response to a client.
type answer struct {
	at     time.Duration // since the load began
	took   time.Duration
	status int // 0: none
	header http.Header
	body   string
}

// ask sends one request to the gateway, with a timeout.
func (s *system) ask(method, path, body string, timeout time.Duration, header ...string) answer {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return s.askUnit(ctx, "gateway[0]", method, path, body, header...)
}

func (s *system) askUnit(ctx context.Context, unit, method, path, body string, header ...string) answer {
	began := time.Now()
	req, err := http.NewRequestWithContext(ctx, method, "http://client/", strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return answer{}
	}
	req.URL.Host = "client." + unit + ":80"
	req.URL.Path, req.URL.RawQuery, _ = strings.Cut(path, "?")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := s.client.RoundTrip(req)
	if err != nil {
		return answer{took: time.Since(began)}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{took: time.Since(began)}
	}
	return answer{took: time.Since(began), status: resp.StatusCode, header: resp.Header, body: string(b)}
}

// load sends reads at a constant rate for a duration, whatever the responses, and returns the
// responses in order.
func (s *system) load(perSecond int, during time.Duration, path string, timeout time.Duration) []answer {
	answers := make([]answer, int(during.Seconds()*float64(perSecond)))
	began := time.Now()
	var all sync.WaitGroup
	for i := range answers {
		at := time.Duration(i) * time.Second / time.Duration(perSecond)
		time.Sleep(time.Until(began.Add(at))) // simulates the pauses between arrivals
		all.Go(func() {
			answers[i] = s.ask("GET", path, "", timeout)
			answers[i].at = at
		})
	}
	all.Wait()
	return answers
}

// at calls f after d, during a load.
func at(d time.Duration, f func()) { time.AfterFunc(d, f) }

// between returns the answers to requests in a time span.
func between(answers []answer, from, to time.Duration) []answer {
	var some []answer
	for _, a := range answers {
		if a.at >= from && a.at < to {
			some = append(some, a)
		}
	}
	return some
}

// wrong returns the share of answers other than 200.
func wrong(answers []answer) float64 {
	n := 0
	for _, a := range answers {
		if a.status != http.StatusOK {
			n++
		}
	}
	return float64(n) / float64(len(answers))
}

// quantile returns the time within which a share q of the requests was answered.
func quantile(answers []answer, q float64) time.Duration {
	var took []time.Duration
	for _, a := range answers {
		took = append(took, a.took)
	}
	slices.Sort(took)
	return took[min(int(q*float64(len(took))), len(took)-1)]
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func slogTo(w io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(w, nil)) }

func off() *bool { return new(false) }
