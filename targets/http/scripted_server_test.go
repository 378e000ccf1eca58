package http_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/targetstest"
)

// long is a timeout that passes only on an error.
const long = 20 * time.Second

// peer is the server's end of a connection, controlled by a test.
type peer struct {
	net.Conn
	n  int // number of the connection, from 0
	br *bufio.Reader
}

// request reads one raw request; empty: the end of the connection.
func (p *peer) request() string {
	var b strings.Builder
	length := 0
	for {
		line, err := p.br.ReadString('\n')
		if err != nil {
			return ""
		}
		b.WriteString(line)
		if v, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			length, _ = strconv.Atoi(strings.TrimSpace(v))
		}
		if line == "\r\n" {
			break
		}
	}
	if _, err := io.CopyN(&b, p.br, int64(length)); err != nil {
		return ""
	}
	return b.String()
}

func (p *peer) say(s string) { _, _ = io.WriteString(p.Conn, s) }

// reset ends the connection by a reset.
func (p *peer) reset() {
	_ = p.Conn.(*net.TCPConn).SetLinger(0)
	_ = p.Conn.Close()
}

const hello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

// listen serves each connection by handle and returns the URL. The server ends with the test.
func listen(t testing.TB, network, addr string, handle func(*peer)) string {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	all.Go(func() {
		for n := 0; ; n++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			all.Go(func() {
				defer c.Close()
				handle(&peer{Conn: c, n: n, br: bufio.NewReader(c)})
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range conns {
			_ = c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return "http://" + l.Addr().String()
}

// script listens on loopback.
func script(t testing.TB, handle func(*peer)) string {
	t.Helper()
	return listen(t, "tcp4", "127.0.0.1:0", handle)
}

// each answers every request of a connection with the result of answer.
func each(answer func(request string) string) func(*peer) {
	return func(p *peer) {
		for {
			r := p.request()
			if r == "" {
				return
			}
			p.say(answer(r))
		}
	}
}

// fixture is an HTTP client with its flow.
type fixture struct {
	targets.Client
	*targetstest.Flow
	t  testing.TB
	t0 time.Time
}

func newFixture(t testing.TB, o targets.Options, steps ...string) *fixture {
	t.Helper()
	return newFixtureWith(t, o, "", steps...)
}

func newFixtureWith(t testing.TB, o targets.Options, extra string, steps ...string) *fixture {
	t.Helper()
	return newFixtureOf(t, http.Descriptor(), o, extra, steps...)
}

func newFixtureOf(t testing.TB, p *targets.Descriptor, o targets.Options, extra string, steps ...string) *fixture {
	t.Helper()
	r := &fixture{Flow: targetstest.Compile(t, p, extra, steps...), t: t, t0: time.Now()}
	o.T0, o.Agent = r.t0, "brunt"
	if o.Timeout == 0 {
		o.Timeout = time.Second
	}
	var err error
	if r.Client, err = p.Client(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Client.Close() })
	return r
}

func (r *fixture) user(vu int) *targetstest.User {
	r.t.Helper()
	return r.Flow.Open(r.t, r.Client, r.t0, vu)
}

// says describes an outcome in a word or two.
func (r *fixture) says(o scenarios.Outcome) string {
	if o.Kind == scenarios.Error {
		return r.Causes().Name(o.Cause)
	}
	return fmt.Sprintf("%v %d", o.Kind, o.Status)
}

// want compares an outcome with the text of says.
func (r *fixture) want(o scenarios.Outcome, want string) {
	r.t.Helper()
	if got := r.says(o); got != want {
		r.t.Errorf("got %q, want %q (%+v)", got, want, o)
	}
}

// samples is a sampler that keeps every sample.
type samples struct {
	mu   sync.Mutex
	list []result.Sample
}

func (k *samples) Want(o *scenarios.Outcome) bool { return o.Kind == scenarios.Error }

func (k *samples) Keep(_ *scenarios.Outcome, s result.Sample) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.list = append(k.list, s)
}

func (k *samples) last() result.Sample {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.list) == 0 {
		return result.Sample{}
	}
	return k.list[len(k.list)-1]
}

var errNo = errors.New("no")
