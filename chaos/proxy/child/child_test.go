package child_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/proc"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/child"
	"brunt/chaos/proxy/toxics"
	"brunt/scenarios/suite"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "proxies" {
		in, out := io.Reader(os.Stdin), io.Writer(os.Stdout)
		if len(os.Args) > 2 {
			in, out = late(os.Args[2])
		}
		if err := child.Serve(context.Background(), in, out); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// late is the input and output of a process that adds a toxic before the next probe. It answers an error up to then, or
// nothing if how is slow. One that is deaf takes no toxic off.
func late(how string) (io.Reader, io.Writer) {
	out := &lateOutput{deaf: how == "deaf", did: map[int]chan struct{}{}}
	in, to := io.Pipe()
	go func() {
		defer to.Close()
		var add []byte
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			var q struct {
				ID int    `json:"id"`
				Op string `json:"op"`
			}
			line := append(lines.Bytes(), '\n')
			if json.Unmarshal(line, &q) != nil {
				return
			}
			switch {
			case q.Op == "add":
				add = bytes.Clone(line)
				if how != "slow" {
					_, _ = fmt.Fprintf(out, `{"id":%d,"error":"no answer"}`+"\n", q.ID)
				}
				continue
			case q.Op == "probe" && add != nil:
				_ = json.Unmarshal(add, &q)
				did := out.await(q.ID)
				_, _ = to.Write(add)
				<-did
			}
			_, _ = to.Write(line)
		}
	}()
	return in, out
}

// lateOutput is the output of [late].
type lateOutput struct {
	deaf bool

	mu  sync.Mutex
	did map[int]chan struct{} // closed when the answer with a number is written
}

func (o *lateOutput) await(id int) <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.did[id] = make(chan struct{})
	return o.did[id]
}

// Write implements io.Writer.
func (o *lateOutput) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var a struct {
		ID int `json:"id"`
	}
	_ = json.Unmarshal(b, &a)
	send := b
	if o.deaf {
		send = bytes.ReplaceAll(b, []byte(`"token":"`), []byte(`"token":"wrong`))
	}
	_, err := os.Stdout.Write(send)
	if did := o.did[a.ID]; did != nil {
		close(did)
		delete(o.did, a.ID)
	}
	return len(b), err
}

// start starts a process with one proxy to a server that answers "ok".
func start(t *testing.T, how ...string) (*child.Process, *child.Proxy) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
	t.Cleanup(s.Close)
	p, err := child.Start(t.Context(), append([]string{os.Args[0], "proxies"}, how...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if p.ID().Alive() {
			t.Error("the process is left")
		}
	})
	x, err := p.Proxy(t.Context(), child.Config{Upstream: s.Listener.Addr().String(), Seed: 1, HTTP: true})
	if err != nil {
		t.Fatal(err)
	}
	return p, x
}

// get makes a request over a proxy, on a connection of its own.
func get(x *child.Proxy) (status int, body string, err error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := client.Get("http://" + x.Addr())
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func TestProxy(t *testing.T) {
	_, x := start(t)
	if status, body, err := get(x); status != http.StatusOK || body != "ok" || err != nil {
		t.Fatal(status, body, err)
	}
	in, err := x.Add(toxics.HTTPError{Status: 503, Share: 1, Body: "no"})
	if err != nil {
		t.Fatal(err)
	}
	if got := x.Toxics(); len(got) != 1 {
		t.Errorf("%d toxics, want 1", len(got))
	}
	if status, body, err := get(x); status != http.StatusServiceUnavailable || body != "no" || err != nil {
		t.Error(status, body, err)
	}
	r, err := x.Probe(t.Context(), proxy.ProbeRequest{Kind: proxy.HTTP, N: 3, Method: http.MethodGet})
	if err != nil || r.Outcome != proxy.Answered || len(r.Times) != 3 || r.Statuses[2] != 503 || !r.Own[0] {
		t.Errorf("%+v, %v", r, err)
	}
	for range 2 {
		if err := in.Remove(); err != nil {
			t.Error(err)
		}
	}
	if seen := in.Seen(); seen.Hit != 1 {
		t.Errorf("%+v, want one request, without those of probes", seen)
	}
	if status, _, err := get(x); status != http.StatusOK || err != nil || len(x.Toxics()) != 0 {
		t.Error(status, err, x.Toxics())
	}
	if _, err := x.Add(toxics.Latency{}); err == nil || !strings.Contains(err.Error(), "needs a delay") {
		t.Errorf("a wrong toxic: %v", err)
	}
}

func TestProxy_Established(t *testing.T) {
	_, x := start(t)
	l, err := x.Established(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	in, err := x.Add(toxics.Stall{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if r := l.RoundTrip(ctx); r.Outcome != proxy.Silent || r.Err == nil {
		t.Errorf("%+v", r)
	}
	if err := in.Remove(); err != nil {
		t.Error(err)
	}
	if r := l.RoundTrip(t.Context()); r.Outcome != proxy.Answered || r.Err != nil || len(r.Times) != 1 {
		t.Errorf("%+v", r)
	}
}

// TestProxy_Cancelled checks that callers that give up wait no longer.
func TestProxy_Cancelled(t *testing.T) {
	_, x := start(t)
	l, err := x.Established(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := x.Add(toxics.Stall{}); err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func(context.Context) error{
		"probe": func(ctx context.Context) error {
			_, err := x.Probe(ctx, proxy.ProbeRequest{Kind: proxy.RTT, N: 1})
			return err
		},
		"established": func(ctx context.Context) error { _, err := x.Established(ctx); return err },
		"round trip":  func(ctx context.Context) error { return l.RoundTrip(ctx).Err },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := do(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestControl_Clear takes toxics off as the watchdog does: those of one key, and none that comes later.
func TestControl_Clear(t *testing.T) {
	p, x := start(t)
	for _, key := range []string{"one", "other"} {
		if _, err := x.AddUnder(netns.Lease{Key: key}, toxics.HTTPError{Status: 503, Share: 1}); err != nil {
			t.Fatal(err)
		}
	}
	wrong := child.Control{Addr: p.Control().Addr, Token: "guessed"}
	if n, err := wrong.Clear(t.Context(), "one"); err == nil {
		t.Errorf("a wrong token removes %d", n)
	}
	for i, key := range []string{"one", "other", "none"} {
		if n, err := p.Control().Clear(t.Context(), key); n != []int{1, 1, 0}[i] || err != nil {
			t.Errorf("%s: %d, %v", key, n, err)
		}
	}
	if status, _, err := get(x); status != http.StatusOK || err != nil {
		t.Error(status, err)
	}
	if _, err := x.AddUnder(netns.Lease{Key: "one"}, toxics.HTTPError{Status: 503, Share: 1}); err == nil {
		t.Error("it comes in after the watchdog has taken it back")
	}
}

// TestProxy_AddUnder_Lease has a process take a toxic off itself, and say when. One whose caller takes it off before is
// none of those.
func TestProxy_AddUnder_Lease(t *testing.T) {
	_, x := start(t)
	in, err := x.AddUnder(netns.Lease{Key: "one", Until: 50 * time.Millisecond}, toxics.HTTPError{Status: 503, Share: 1})
	if err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "the toxic to be off", func() bool { status, _, _ := get(x); return status == http.StatusOK })
	suite.Until(t, "the process to say so", func() bool { return in.Status(t.Context()).Lifted > 0 })
	if err := in.Remove(); err != nil {
		t.Error(err)
	}
	longer, err := x.AddUnder(netns.Lease{Key: "two", Until: time.Hour}, toxics.HTTPError{Status: 503, Share: 1})
	if err != nil {
		t.Fatal(err)
	}
	if status, _, err := get(x); status != http.StatusServiceUnavailable || err != nil {
		t.Error(status, err)
	}
	if err := longer.Remove(); err != nil || longer.Status(t.Context()).Lifted != 0 {
		t.Errorf("%v, lifted %s ago", err, longer.Status(t.Context()).Lifted)
	}
}

// TestProxy_AddUnder_Late has a process that adds a toxic after the caller has given it up.
func TestProxy_AddUnder_Late(t *testing.T) {
	_, x := start(t, "late")
	if _, err := x.AddUnder(netns.Lease{Key: "one"}, toxics.HTTPError{Status: 503, Share: 1}); err == nil ||
		len(x.Toxics()) != 0 {
		t.Fatalf("%v, %d toxics", err, len(x.Toxics()))
	}
	if _, err := x.Probe(t.Context(), proxy.ProbeRequest{Kind: proxy.RTT, N: 1}); err != nil {
		t.Error(err)
	}
	if status, _, err := get(x); status != http.StatusOK || err != nil {
		t.Errorf("the toxic is on the link: %d, %v", status, err)
	}
}

// TestProxy_Toxics lists a toxic that may be on the link already, before the process has said so.
func TestProxy_Toxics(t *testing.T) {
	_, x := start(t, "slow")
	added := make(chan error, 1)
	go func() {
		_, err := x.AddUnder(netns.Lease{Key: "one"}, toxics.HTTPError{Status: 503, Share: 1})
		added <- err
	}()
	suite.Until(t, "the toxic in the list", func() bool { return len(x.Toxics()) == 1 })
	if _, err := x.Probe(t.Context(), proxy.ProbeRequest{Kind: proxy.RTT, N: 1}); err != nil {
		t.Error(err)
	}
	if err := <-added; err != nil || len(x.Toxics()) != 1 {
		t.Errorf("%v, %d toxics", err, len(x.Toxics()))
	}
}

// TestProxy_AddUnder_Deaf has one that takes no toxic off either: it is ended.
func TestProxy_AddUnder_Deaf(t *testing.T) {
	p, x := start(t, "deaf")
	lost := make(chan error, 1)
	p.Lost(func(why error) { lost <- why })
	if _, err := x.AddUnder(netns.Lease{Key: "one"}, toxics.HTTPError{Status: 503, Share: 1}); err == nil {
		t.Fatal("it was added")
	}
	if p.ID().Alive() {
		t.Fatal("the process is left, and may add the toxic yet")
	}
	if err := <-lost; !strings.Contains(err.Error(), "brunt ended it: a toxic may be left on a link") {
		t.Error(err)
	}
}

// TestProcess_Lost ends the process: the caller learns why, what it asks fails with ErrEnded, and connections end.
func TestProcess_Lost(t *testing.T) {
	p, x := start(t)
	in, err := x.Add(toxics.Stall{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", x.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var seen proxy.Traffic
	suite.Until(t, "the connection at the toxic", func() bool {
		seen = in.Seen()
		return seen.Connections == 1 && !child.Unknown(in)
	})
	lost := make(chan error, 1)
	p.Lost(func(why error) { lost <- why })
	if err := proc.Signal(p.ID(), "KILL"); err != nil {
		t.Fatal(err)
	}
	if err := <-lost; !strings.Contains(err.Error(), "ended, and the links with it") {
		t.Error(err)
	}
	if _, err := bufio.NewReader(c).ReadByte(); err == nil {
		t.Error("the connection is still answered")
	}
	if _, err := x.Probe(t.Context(), proxy.ProbeRequest{Kind: proxy.RTT}); err == nil ||
		!strings.Contains(err.Error(), child.ErrEnded.Error()) {
		t.Error(err)
	}
	if now := in.Seen(); now != seen || seen.Connections != 1 || !child.Unknown(in) {
		t.Errorf("it has seen %+v, and %+v before its end", now, seen)
	}
	if err := in.Remove(); err != nil {
		t.Errorf("a toxic of a process that has ended: %v", err)
	}
}
