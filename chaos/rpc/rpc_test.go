package rpc_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos/rpc"
)

// An end is one end of a pipe: what is written to it is read from the other end.
type end struct {
	io.Reader
	io.WriteCloser
}

func (e end) CloseWrite() error { return e.WriteCloser.Close() }

func pipe() (caller, other end) {
	down, downTo := io.Pipe()
	up, upTo := io.Pipe()
	return end{up, downTo}, end{down, upTo}
}

// Operations of the other end.
const (
	double rpc.Op[int, int]           = "double"
	wait   rpc.Op[rpc.None, rpc.None] = "wait"
)

// serve serves the other end, and returns a channel with the error of Serve.
func serve(ctx context.Context, other end) <-chan error {
	over := make(chan error, 1)
	go func() {
		err := rpc.Serve(ctx, other, other, rpc.Join(
			double.By(func(_ context.Context, n int) (int, error) { return 2 * n, nil }),
			wait.By(func(ctx context.Context, _ rpc.None) (rpc.None, error) {
				<-ctx.Done()
				return rpc.None{}, ctx.Err()
			}),
		))
		_ = other.Close()
		over <- err
	}()
	return over
}

func TestClient_Call(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, other := pipe()
		over := serve(t.Context(), other)
		c, err := rpc.NewClient(t.Context(), caller)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // heartbeats keep the connection alive
		if n, err := double.Of(t.Context(), c.Call, 21); err != nil || n != 42 {
			t.Errorf("%d, %v", n, err)
		}
		const undouble rpc.Op[int, int] = "undouble"
		if _, err := undouble.Of(t.Context(), c.Call, 21); err == nil || !strings.Contains(err.Error(), "another version") {
			t.Errorf("%v", err)
		}
		const words rpc.Op[string, int] = "double" // with arguments of another type
		if _, err := words.Of(t.Context(), c.Call, "x"); err == nil || !strings.Contains(err.Error(), "unmarshal") {
			t.Errorf("%v", err)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Call(short, "wait", nil, nil); err == nil || !strings.Contains(err.Error(), "deadline") {
			t.Errorf("the other side does not keep a deadline: %v", err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if err := <-over; err != nil {
			t.Errorf("it ended with %v", err)
		}
		if _, err := double.Of(t.Context(), c.Call, 1); !errors.Is(err, rpc.ErrEnded) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// TestClient_Ask checks that a caller that gives up waits no longer, and that the client stays usable.
func TestClient_Ask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, other := pipe()
		over := serve(t.Context(), other)
		c, err := rpc.NewClient(t.Context(), caller)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		if err := c.Ask(ctx, "wait", nil, nil); !errors.Is(err, context.Canceled) || time.Since(began) != time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if n := c.Waiting(); n != 0 {
			t.Errorf("%d calls wait for a response", n)
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Ask(short, "wait", nil, nil); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("at its deadline the other side says what it found: %v", err)
		}
		if n, err := double.Of(t.Context(), c.Ask, 21); err != nil || n != 42 {
			t.Errorf("%d, %v", n, err)
		}
		if err := errors.Join(c.Close(), <-over); err != nil {
			t.Error(err)
		}
	})
}

// TestClient_Close checks that Close waits while the other end undoes its work.
func TestClient_Close(t *testing.T) {
	const takes = time.Minute
	synctest.Test(t, func(t *testing.T) {
		caller, other := pipe()
		go func() {
			_ = rpc.Serve(t.Context(), other, other, nil)
			time.Sleep(takes)
			_ = other.Close()
		}()
		c, err := rpc.NewClient(t.Context(), caller)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := c.Close(); err != nil || time.Since(began) != takes {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// brokenEnd is an end whose connection is lost: its input can't be ended.
type brokenEnd struct{ end }

func (e brokenEnd) CloseWrite() error { return errors.New("it is lost") }

// TestClient_CloseLost checks that there is nothing to wait for at an end that is lost already, and that one which is
// not is told of.
func TestClient_CloseLost(t *testing.T) {
	for _, lost := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			caller, other := pipe()
			over := serve(t.Context(), other)
			c, err := rpc.NewClient(t.Context(), brokenEnd{caller})
			if err != nil {
				t.Fatal(err)
			}
			if lost {
				_ = other.Close()
				synctest.Wait()
			}
			if err := c.Close(); (err == nil) != lost {
				t.Errorf("lost %v: %v", lost, err)
			}
			<-over
		})
	}
}

// TestClient_CloseFiles: a pipe of files, whose end to write can't be closed twice, closes without an error.
func TestClient_CloseFiles(t *testing.T) {
	down, downTo, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	up, upTo, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer up.Close()
	over := serve(t.Context(), end{down, upTo})
	c, err := rpc.NewClient(t.Context(), end{up, downTo})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := <-over; err != nil {
		t.Error(err)
	}
}

// TestServe_Hung has a client that keeps its end open and stops sending.
func TestServe_Hung(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, other := pipe()
		began := time.Now()
		over := serve(t.Context(), other)
		go func() { _, _ = io.Copy(io.Discard, caller) }()
		if _, err := caller.Write([]byte(`{"op":"beat"}` + "\n")); err != nil {
			t.Fatal(err)
		}
		if err := <-over; !errors.Is(err, rpc.ErrCallerHung) || time.Since(began) != rpc.HeartbeatPatience+rpc.Grace {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		_ = caller.Close()
	})
}

// TestServe_Late has an agent that stood still itself, while requests waited for it: it answers them.
func TestServe_Late(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, other := pipe()
		over := serve(t.Context(), other)
		go func() { _, _ = io.Copy(io.Discard, caller) }()
		for range 2 {
			time.Sleep(rpc.HeartbeatPatience + rpc.Grace/2) // its timer ends before it reads
			if _, err := caller.Write([]byte(`{"op":"beat"}` + "\n")); err != nil {
				t.Fatal(err)
			}
		}
		_ = caller.CloseWrite()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
}

// TestServe_Ends checks that running operations end with the client's input.
func TestServe_Ends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		caller, other := pipe()
		over := serve(t.Context(), other)
		go func() { _, _ = io.Copy(io.Discard, caller) }()
		if _, err := caller.Write([]byte(`{"id":1,"op":"wait"}` + "\n" + `{"id":2,"op":"dou`)); err != nil {
			t.Fatal(err)
		}
		_ = caller.CloseWrite()
		if err := <-over; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
}

// TestClient_Hostile: an other end that is not brunt, or is brunt no more, ends a call by an error: it sends what is no
// response, a line without an end, or responses that no call waits for; it reads nothing; or it is silent.
func TestClient_Hostile(t *testing.T) {
	defer rpc.SetLongest(1 << 16)()
	endless := func(out io.Writer) {
		for chunk := []byte(strings.Repeat("x", 1<<12)); ; {
			if _, err := out.Write(chunk); err != nil {
				return
			}
		}
	}
	says := func(text string) func(out io.Writer) {
		return func(out io.Writer) { _, _ = io.WriteString(out, text) }
	}
	for _, c := range []struct {
		name string
		says func(out io.Writer)
		deaf bool // it reads nothing after the first request
		want string
	}{
		{"no JSON", says("\x00\xff\n"), false, "unexpected output"},
		{"another type", says("[1]\n"), false, "unexpected output"},
		{"deep JSON", says(strings.Repeat("[", 1<<15) + "\n"), false, "unexpected output"},
		{"a line without an end", endless, false, "a line has more than 64 KiB"},
		{"responses to no call", says(strings.Repeat(`{"id":9}`+"\n", 99)), false, "the agent does not respond"},
		{"a response twice", says(`{"id":1}` + "\n" + `{"id":1}` + "\n"), false, "the agent does not respond"},
		{"a result of another type", says(`{"id":2,"result":"x"}` + "\n"), false, "cannot unmarshal string"},
		{"silence", says(""), false, "the agent does not respond"},
		{"it reads nothing", says(""), true, "the agent does not respond"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				caller, other := pipe()
				go func() {
					in := bufio.NewReader(other)
					_, _ = in.ReadString('\n')
					_, _ = io.WriteString(other, `{"id":1}`+"\n") // it greets as an agent does
					if !c.deaf {
						_, _ = in.ReadString('\n')
						go func() { _, _ = io.Copy(io.Discard, in) }()
					}
					c.says(other)
				}()
				client, err := rpc.NewClient(t.Context(), caller)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if n, err := double.Of(ctx, client.Call, 1); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%d, %v; want %q", n, err, c.want)
				}
				began := time.Now()
				_ = client.CloseWithin(time.Minute)
				if took := time.Since(began); took > 2*time.Minute {
					t.Errorf("closing takes %s", took)
				}
				_, _ = other.Close(), other.Reader.(io.Closer).Close()
			})
		})
	}
}

// TestClient_Seen checks that the error of an ended conversation says when the other end gave its last sign: it
// answered a heartbeat or a call that was sent then.
func TestClient_Seen(t *testing.T) {
	for _, tt := range []struct {
		name  string
		calls bool // the client calls the other end, which does not answer
	}{{"heartbeats", false}, {"a call waits", true}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				caller, other := pipe()
				began := time.Now()
				go func() { // answers for 3.5 s, and ends after 8 s
					lines := bufio.NewScanner(other)
					for lines.Scan() {
						var r struct{ ID int }
						if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
							t.Error(err)
						}
						if time.Since(began) < 3500*time.Millisecond {
							_, _ = fmt.Fprintf(other, "{\"id\":%d}\n", r.ID)
						}
					}
				}()
				time.AfterFunc(8*time.Second, func() { _ = other.Close() })
				c, err := rpc.NewClient(t.Context(), caller)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(4 * time.Second)
				if err := c.Err(); err != nil {
					t.Errorf("it ended early: %v", err)
				}
				if tt.calls {
					err = c.Call(t.Context(), "wait", nil, nil)
				} else {
					time.Sleep(5 * time.Second)
					err = c.Err()
				}
				ended, _ := errors.AsType[rpc.EndedError](err)
				if seen := ended.Seen.Sub(began); !errors.Is(err, rpc.ErrEnded) || seen != 3*time.Second {
					t.Errorf("%v, seen after %s; want a last sign after 3 s", err, seen)
				}
				_ = c.Close()
			})
		})
	}
}

// TestServe_LongLine: a request without an end ends the agent, which reverts what it did.
func TestServe_LongLine(t *testing.T) {
	defer rpc.SetLongest(1 << 16)()
	if err := rpc.Serve(t.Context(), strings.NewReader(strings.Repeat("x", 1<<20)), io.Discard, nil); err != nil {
		t.Errorf("%v; want an end as of its input", err)
	}
}
