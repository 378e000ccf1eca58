package http_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/targetstest"
)

func portOf(url string) string { return url[strings.LastIndexByte(url, ':')+1:] }

// fakeDNS answers from a table that a test may change.
type fakeDNS struct {
	mu    sync.Mutex
	table map[string][]netip.Addr
	asked atomic.Int64
	hang  chan struct{} // if set, an answer waits until it is closed
	now   time.Time
	ttl   time.Duration // of every record
}

func (d *fakeDNS) set(host string, addrs ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.table == nil {
		d.table = map[string][]netip.Addr{}
	}
	d.table[host] = nil
	for _, a := range addrs {
		d.table[host] = append(d.table[host], netip.MustParseAddr(a))
	}
}

func (d *fakeDNS) pass(t time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = d.now.Add(t)
}

func (d *fakeDNS) ask(ctx context.Context, host string) ([]netip.Addr, time.Duration, error) {
	d.asked.Add(1)
	if d.hang != nil {
		select {
		case <-d.hang:
		case <-ctx.Done():
			return nil, -1, ctx.Err()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if addrs, ok := d.table[host]; ok {
		return addrs, d.ttl, nil
	}
	return nil, -1, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func (d *fakeDNS) use(c targets.Client) {
	http.SetNames(c, func() time.Time {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.now
	}, d.ask)
}

// local answers with the local address of the connection.
func local(p *peer) {
	host, _, _ := net.SplitHostPort(p.LocalAddr().String())
	each(func(string) string { return answer(200, "X-Here: "+host+"\r\n", "") })(p)
}

// loopbacks listens on the same port of several loopback addresses.
func loopbacks(t *testing.T, hosts ...string) (port string) {
	t.Helper()
	port = portOf(script(t, local))
	for _, h := range hosts {
		l, err := net.Listen("tcp4", net.JoinHostPort(h, port))
		if err != nil {
			t.Skipf("this system can't listen on %s: %v", h, err)
		}
		_ = l.Close()
		listen(t, "tcp4", net.JoinHostPort(h, port), local)
	}
	return port
}

func TestHTTP_NameMoves(t *testing.T) {
	port := loopbacks(t, "127.0.0.2")
	dns := &fakeDNS{}
	dns.set("api.test", "127.0.0.1")
	off := false
	o := targets.Options{Base: "http://api.test:" + port}
	o.Connections.KeepAlive, o.Connections.DNSTTL = &off, quantity.Duration(10*time.Second)
	r := newFixture(t, o, `{get: /, extract: {at: header X-Here}}`)
	dns.use(r.Client)
	u := r.user(0)
	at := func(want string, asked int64) {
		t.Helper()
		r.want(u.Do(0, long), "ok 200")
		if got := u.Var("at"); got != want || dns.asked.Load() != asked {
			t.Errorf("reached %s, asked %d times; want %s, %d", got, dns.asked.Load(), want, asked)
		}
	}
	at("127.0.0.1", 1)
	at("127.0.0.1", 1)
	dns.set("api.test", "127.0.0.2")
	dns.pass(9 * time.Second)
	at("127.0.0.1", 1)
	dns.pass(time.Second)
	at("127.0.0.2", 2)
	at("127.0.0.2", 2)
}

func TestHTTP_NameOfManyAddresses(t *testing.T) {
	port := loopbacks(t, "127.0.0.2", "127.0.0.3")
	dns := &fakeDNS{}
	dns.set("api.test", "127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4") // no server listens on the last
	off := false
	o := targets.Options{Base: "http://api.test:" + port}
	o.Connections.KeepAlive = &off
	r := newFixture(t, o, `{get: /, extract: {at: header X-Here}}`)
	dns.use(r.Client)
	u := r.user(0)
	reached := map[string]int{}
	for range 40 {
		r.want(u.Do(0, long), "ok 200")
		reached[u.Var("at")]++
	}
	if reached["127.0.0.1"] != 20 || reached["127.0.0.2"] != 10 || reached["127.0.0.3"] != 10 {
		t.Errorf("%v", reached)
	}
}

// An address that drops connection attempts does not hide one that answers.
func TestHTTP_DeadAddress(t *testing.T) {
	if testing.Short() {
		t.Skip("an address gets two seconds at least")
	}
	url := swallower(t)
	l, err := net.Listen("tcp4", "127.0.0.2:"+portOf(url))
	if err != nil {
		t.Skip(err)
	}
	_ = l.Close()
	listen(t, "tcp4", "127.0.0.2:"+portOf(url), local)
	dns := &fakeDNS{}
	dns.set("api.test", "127.0.0.1", "127.0.0.2")
	r := newFixture(t, targets.Options{Base: "http://api.test:" + portOf(url)}, "get: /")
	dns.use(r.Client)
	r.want(r.user(0).Do(0, 5*time.Second), "ok 200")
}

func TestHTTP_NameFails(t *testing.T) {
	dns := &fakeDNS{}
	k := &samples{}
	r := newFixture(t, targets.Options{Base: "http://api.test:" + portOf(script(t, local)), Sampler: k}, "get: /")
	dns.use(r.Client)
	u := r.user(0)
	for i := range int64(3) {
		o := u.Do(0, long)
		r.want(o, "dns")
		if o.WasSent || dns.asked.Load() != i+1 || !strings.Contains(k.last().Message, "no such host") {
			t.Errorf("%+v, asked %d times, %q", o, dns.asked.Load(), k.last().Message)
		}
	}
	dns.set("api.test") // a name without an address
	r.want(u.Do(0, long), "dns")
	dns.set("api.test", "127.0.0.1") // a failure is not cached
	r.want(u.Do(0, long), "ok 200")
}

// Concurrent requests for a name send one query; a request that runs out of time does not fail
// the others.
func TestHTTP_NameIsAskedForOnce(t *testing.T) {
	// a request at the time of the answer still counts as concurrent
	dns := &fakeDNS{hang: make(chan struct{}), ttl: time.Minute}
	dns.set("api.test", "127.0.0.1")
	r := newFixture(t, targets.Options{Base: "http://api.test:" + portOf(script(t, local))}, "get: /")
	dns.use(r.Client)
	hasty := r.user(0)
	var all sync.WaitGroup
	all.Go(func() {
		o := hasty.Do(0, 50*time.Millisecond)
		r.want(o, "timeout")
		if o.End != hasty.It.Deadline {
			t.Errorf("%+v", o)
		}
	})
	suite.Until(t, "asked", func() bool { return dns.asked.Load() == 1 })
	for i := range 20 {
		u := r.user(i + 1)
		all.Go(func() { r.want(u.Do(0, long), "ok 200") })
	}
	suite.Until(t, "asked again", func() bool { return dns.asked.Load() == 2 })
	close(dns.hang)
	all.Wait()
	if n := dns.asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

func TestHTTP_AbortWhileAsking(t *testing.T) {
	dns := &fakeDNS{hang: make(chan struct{})}
	r := newFixture(t, targets.Options{Base: "http://api.test:1"}, "get: /")
	dns.use(r.Client)
	u := r.user(0)
	done := make(chan scenarios.Outcome)
	go func() { done <- u.Do(0, long) }()
	suite.Until(t, "asked", func() bool { return dns.asked.Load() == 1 })
	r.Abort()
	r.want(<-done, "unfinished")
}

func TestHTTP_Resolve(t *testing.T) {
	port := portOf(script(t, local))
	var asked []string
	gate := func(addr netip.Addr, hostport, host string) error {
		asked = append(asked, addr.String(), hostport, host)
		return nil
	}
	for _, c := range []struct {
		name, base string
		to         map[string]string
		gate       []string
	}{
		{
			"host", "http://api.test:" + port,
			map[string]string{"api.test": "127.0.0.1"},
			[]string{"127.0.0.1", "127.0.0.1:" + port, ""},
		},
		{
			"host and port", "http://api.test",
			map[string]string{"api.test:80": "127.0.0.1:" + port},
			[]string{"127.0.0.1", "127.0.0.1:" + port, ""},
		},
		{
			"the port counts more", "http://api.test",
			map[string]string{"api.test": "127.0.0.9", "api.test:80": "127.0.0.1:" + port},
			[]string{"127.0.0.1", "127.0.0.1:" + port, ""},
		},
		{
			"an address", "http://127.0.0.7:1",
			map[string]string{"127.0.0.7": "127.0.0.1:" + port},
			[]string{"127.0.0.1", "127.0.0.1:" + port, ""},
		},
		{
			"to a name", "http://api.test:" + port,
			map[string]string{"api.test": "other.test"},
			[]string{"127.0.0.1", "127.0.0.1:" + port, ""},
		},
		{
			"of another host", "http://127.0.0.1:" + port,
			map[string]string{"api.test": "127.0.0.9"},
			[]string{"127.0.0.1", "127.0.0.1:" + port, "127.0.0.1"},
		},
		{"mapped", "http://[::ffff:127.0.0.1]:" + port, nil, []string{"127.0.0.1", "127.0.0.1:" + port, "::ffff:127.0.0.1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			asked = nil
			dns := &fakeDNS{}
			dns.set("other.test", "127.0.0.1")
			r := newFixture(t, targets.Options{Base: c.base, Resolve: c.to, Allow: targetstest.Gate(gate)}, "get: /")
			dns.use(r.Client)
			r.want(r.user(0).Do(0, long), "ok 200")
			if !slices.Equal(asked, c.gate) {
				t.Errorf("the gate was asked for %q, want %q", asked, c.gate)
			}
		})
	}
}

// The allowlist checks the address that a name resolves to, whatever it was before.
func TestHTTP_GateAfterDNS(t *testing.T) {
	port := loopbacks(t, "127.0.0.2")
	dns := &fakeDNS{}
	dns.set("api.test", "127.0.0.2")
	r := newFixture(t, targets.Options{
		Base: "http://api.test:" + port,
		Allow: targetstest.Gate(func(addr netip.Addr, _, host string) error {
			if host != "api.test" {
				return errors.New("another host")
			}
			if addr != netip.MustParseAddr("127.0.0.1") {
				return errNo
			}
			return nil
		}),
	}, "get: /")
	dns.use(r.Client)
	r.want(r.user(0).Do(0, long), "not allowed")
}
