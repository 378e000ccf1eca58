package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// breaking answers the first request of each connection, and breaks the connection during the
// second. It returns its address and the number of requests that it read.
func breaking(t *testing.T) (addr string, requests func() int) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan struct{}, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			br := bufio.NewReader(c)
			for i := range 2 {
				req, err := http.ReadRequest(br)
				if err != nil {
					break
				}
				io.Copy(io.Discard, req.Body)
				seen <- struct{}{}
				if i == 0 {
					fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
				}
			}
			c.Close()
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		<-done
	})
	return ln.Addr().String(), func() int { return len(seen) }
}

// TestClient_OneAttempt checks that a call is one attempt. net/http repeats a request when a kept
// connection breaks. That retry could not be switched off, and would hide a reset link.
func TestClient_OneAttempt(t *testing.T) {
	for _, q := range []call{
		{method: "GET", path: "/"},
		{method: "POST", path: "/", body: []byte("{}"), key: "k"},
	} {
		t.Run(q.method, func(t *testing.T) {
			addr, requests := breaking(t)
			c := newClient(new(net.Dialer).DialContext, 0)
			defer c.close()
			if _, err := c.do(t.Context(), addr, q, 0); err != nil {
				t.Fatal(err)
			}
			if _, err := c.do(t.Context(), addr, q, 0); err == nil {
				t.Error("no error from a connection that broke")
			}
			if n := requests(); n != 2 {
				t.Errorf("%d requests were sent, want 2", n)
			}
		})
	}
}

func TestClient_Timeouts(t *testing.T) {
	// subtle: the transport continues to dial when its caller has given up, so the dial ends after
	// two hours.
	hang := func(ctx context.Context, _, _ string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, 2*time.Hour)
		defer cancel()
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
	}
	mute := func(context.Context, string, string) (net.Conn, error) {
		c, _ := net.Pipe()
		return c, nil
	}
	tests := []struct {
		name             string
		dial             dialer
		connect, timeout time.Duration
		took             time.Duration // until the caller gives up, after an hour at most
		neverLeft        bool
	}{
		{"no connection", hang, 250 * time.Millisecond, time.Second, 250 * time.Millisecond, true},
		{"no answer", mute, 250 * time.Millisecond, time.Second, time.Second, false},
		{"no connection and no timeouts", hang, 0, 0, time.Hour, false},
		{"no answer and no timeouts", mute, 0, 0, time.Hour, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				began := time.Now()
				_, err := newClient(tt.dial, tt.connect).do(ctx, "x:80", call{method: "GET", path: "/"}, tt.timeout)
				if took := time.Since(began); took != tt.took {
					t.Errorf("it gave up after %v, want %v", took, tt.took)
				}
				if !timedOut(err) || neverLeft(err) != tt.neverLeft {
					t.Errorf("%v: timed out %v, never left %v", err, timedOut(err), neverLeft(err))
				}
				time.Sleep(2 * time.Hour)
			})
		})
	}
}

func TestClient_LargeReply(t *testing.T) {
	for _, length := range []string{fmt.Sprint(maxReply + 1), ""} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			l, err := n.listen("tcp", "a:80")
			if err != nil {
				t.Fatal(err)
			}
			srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if length != "" {
					w.Header().Set("Content-Length", length)
				}
				for range maxReply/1024 + 1 {
					fmt.Fprint(w, strings.Repeat("x", 1024))
				}
			})}
			go srv.Serve(l)
			c := newClient(n.dial, 0)
			_, err = c.do(t.Context(), "test.a:80", call{method: "GET", path: "/"}, 0)
			if err == nil || !strings.Contains(err.Error(), "too many") {
				t.Errorf("length %q: %v, want that it is too much", length, err)
			}
			c.close()
			srv.Close()
			n.pumps.Wait()
		})
	}
}

func TestNeverLeft(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want bool
	}{
		{"refused", fmt.Errorf("calling: %w", &net.OpError{Op: "dial", Err: errors.New("refused")}), true},
		{"reset", &net.OpError{Op: "read", Err: errors.New("reset")}, false},
		{"timeout", context.DeadlineExceeded, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := neverLeft(tt.err); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
