package demo

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A script is the sequence of a fake replica's responses: a status, broken or refused. The last one
// repeats.
type script []int

const (
	broken  = 0  // the connection breaks during the request
	refused = -1 // the connection is refused
)

// scripted returns a balancer over fake replicas, and a function that returns the order of the
// attempts: a, b, c.
func scripted(t *testing.T, scripts ...script) (b *balancer, asked func() string) {
	t.Helper()
	var mu sync.Mutex
	var log strings.Builder
	n := newNetwork()
	b = &balancer{}
	for i, s := range scripts {
		name := string(rune('a' + i))
		next := func() int {
			mu.Lock()
			defer mu.Unlock()
			log.WriteString(name)
			now := s[0]
			s = s[min(1, len(s)-1):]
			return now
		}
		l, err := n.listen("tcp", name+":80")
		if err != nil {
			t.Fatal(err)
		}
		srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			status := next()
			if status == broken {
				panic(http.ErrAbortHandler)
			}
			writeBody(w, status, []byte("{}"))
		})}
		go srv.Serve(l)
		c := newClient(func(ctx context.Context, network, addr string) (net.Conn, error) {
			if s[0] == refused {
				next()
				return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
			}
			return n.dial(ctx, network, addr)
		}, 0)
		t.Cleanup(func() {
			c.close()
			srv.Close()
		})
		b.all = append(b.all, &upstream{name: name, addr: "test." + name + ":80", client: c, breaker: &breaker{}})
	}
	b.turn.Store(uint64(len(scripts)) - 1) // a is next
	return b, func() string {
		mu.Lock()
		defer mu.Unlock()
		return log.String()
	}
}

func TestRetrier(t *testing.T) {
	openBreaker := func(at int) func(*balancer) {
		return func(b *balancer) { use(b.all[at].breaker, breakerMin, bad) }
	}
	tests := []struct {
		name    string
		scripts []script
		before  func(*balancer)
		unsafe  bool
		off     bool
		asked   string
		status  int // 0: no answer
		retries float64
	}{
		{"well at once", []script{{200}, {200}}, nil, false, false, "a", 200, 0},
		{"a 503", []script{{503}, {200}}, nil, false, false, "ab", 200, 1},
		{"a broken connection", []script{{broken}, {200}}, nil, false, false, "ab", 200, 1},
		{"a refused connection", []script{{refused}, {200}}, nil, false, false, "ab", 200, 1},
		{"not what a retry helps against", []script{{404}, {200}}, nil, false, false, "a", 404, 0},
		{"two at most", []script{{503}, {503}, {503}, {200}}, nil, false, false, "abc", 503, 2},
		{"one replica is asked again", []script{{503, 200}}, nil, false, false, "aa", 200, 1},
		{"two replicas are asked again", []script{{503, 200}, {503}}, nil, false, false, "aba", 200, 2},
		{"not safe: a 503", []script{{503}, {200}}, nil, true, false, "a", 503, 0},
		{"not safe: a broken connection", []script{{broken}, {200}}, nil, true, false, "a", 0, 0},
		{"not safe: never sent", []script{{refused}, {200}}, nil, true, false, "ab", 200, 1},
		{"an open breaker costs no retry", []script{{200}, {200}}, openBreaker(0), false, false, "b", 200, 0},
		{"not safe: an open breaker", []script{{200}, {200}}, openBreaker(0), true, false, "b", 200, 0},
		{"all breakers open", []script{{200}}, openBreaker(0), false, false, "", 0, 0},
		{"off: a 503", []script{{503}, {200}}, nil, false, true, "a", 503, 0},
		{"off: a broken connection", []script{{broken}, {200}}, nil, false, true, "a", 0, 0},
		{"off: an open breaker", []script{{200}, {200}}, openBreaker(0), false, true, "", 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, asked := scripted(t, tt.scripts...)
				if tt.before != nil {
					tt.before(b)
				}
				var r *retrier
				m := newMetrics()
				if !tt.off {
					r = newRetrier(m)
				}
				rep, err := r.send(t.Context(), b, call{method: "GET", path: "/"}, time.Second, !tt.unsafe)
				if rep.status != tt.status || (err == nil) != (tt.status != 0) {
					t.Errorf("got %d, %v, want %d", rep.status, err, tt.status)
				}
				if asked() != tt.asked {
					t.Errorf("it asked %q, want %q", asked(), tt.asked)
				}
				if n := m.value(`socialconnect_retries_total{result="sent"}`); n != tt.retries {
					t.Errorf("%v retries, want %v", n, tt.retries)
				}
			})
		})
	}
}

// TestRetrier_Deadline checks that a retry that would miss the deadline is not made.
func TestRetrier_Deadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, asked := scripted(t, script{503})
		m := newMetrics()
		r := newRetrier(m)
		late := 0
		for range 100 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			before, began := len(asked()), time.Now()
			r.send(ctx, b, call{method: "GET", path: "/"}, 0, true)
			if took := time.Since(began); took > 10*time.Millisecond {
				t.Errorf("it took %v, past the deadline", took)
			}
			if len(asked()) == before+1 {
				late++
			}
			cancel()
			b.all[0].breaker = &breaker{}
			time.Sleep(time.Second)
		}
		if late == 0 || m.value(`socialconnect_retries_total{result="too_late"}`) == 0 {
			t.Error("no retry was too late")
		}
	})
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRetrier(newMetrics())
		for retries := range maxRetries {
			most := backoffBase << retries
			var sum, longest time.Duration
			const n = 400
			for range n {
				began := time.Now()
				if !r.again(t.Context(), retries) {
					t.Fatal("no retry")
				}
				took := time.Since(began)
				sum += took
				longest = max(longest, took)
				time.Sleep(time.Second) // within the budget
			}
			// Full jitter is uniform from zero: 400 of them exceed the bounds once in some billions
			// of runs.
			if mean := sum / n; longest > most || longest < most*9/10 || mean < most*4/10 || mean > most*6/10 {
				t.Errorf("retry %d waits %v in the mean, %v at most, want uniform up to %v", retries+1, mean, longest, most)
			}
		}
	})
}

func TestBudget(t *testing.T) {
	takeAll := func(b *budget) int {
		n := 0
		for b.take() {
			n++
		}
		return n
	}
	synctest.Test(t, func(t *testing.T) {
		var b budget
		if n := takeAll(&b); n != budgetExtra {
			t.Errorf("%d retries without a request, want %d", n, budgetExtra)
		}
		for range 300 {
			b.request()
		}
		if n := takeAll(&b); n != 30 {
			t.Errorf("%d retries more with 300 requests, want 30", n)
		}
		time.Sleep((budgetSlices - 1) * time.Second)
		if n := takeAll(&b); n != 0 {
			t.Errorf("%d retries more while all of it counts", n)
		}
		time.Sleep(2 * time.Second)
		if n := takeAll(&b); n != budgetExtra {
			t.Errorf("%d retries once all of it is over, want %d", n, budgetExtra)
		}
	})
}
