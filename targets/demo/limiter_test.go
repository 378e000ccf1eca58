package demo

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(limitRequests)
		// Half of them at once, half after 20 s.
		for i := range limitRequests {
			if i == limitRequests/2 {
				time.Sleep(20 * time.Second)
			}
			if _, ok := l.take("a"); !ok {
				t.Fatalf("request %d was turned away", i+1)
			}
		}
		if wait, ok := l.take("a"); ok || wait != 40*time.Second {
			t.Errorf("one too many: admitted %v, wait %v, want 40s", ok, wait)
		}
		if _, ok := l.take("b"); !ok {
			t.Error("another token was turned away")
		}
		time.Sleep(40*time.Second - time.Nanosecond)
		if _, ok := l.take("a"); ok {
			t.Error("admitted before the minute was over")
		}
		time.Sleep(time.Nanosecond)
		n := 0
		for range limitRequests {
			if _, ok := l.take("a"); ok {
				n++
			}
		}
		if n != limitRequests/2 {
			t.Errorf("%d admitted once the first half is a minute ago, want %d", n, limitRequests/2)
		}
	})
}

// TestLimiter_Window sends more than the limit for minutes: no window of a minute, wherever it
// begins, may admit more than the limit.
func TestLimiter_Window(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(limitRequests)
		var admitted []time.Time
		for range 2000 {
			if _, ok := l.take("a"); ok {
				admitted = append(admitted, time.Now())
			}
			time.Sleep(150 * time.Millisecond)
		}
		for i := limitRequests; i < len(admitted); i++ {
			if d := admitted[i].Sub(admitted[i-limitRequests]); d < limitWindow {
				t.Fatalf("%d admitted in %v", limitRequests+1, d)
			}
		}
		if len(admitted) != 5*limitRequests {
			t.Errorf("%d admitted in five minutes", len(admitted))
		}
	})
}

func TestLimiter_Forgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(limitRequests)
		for i := range 1000 {
			l.take(fmt.Sprint("once ", i))
		}
		for range limitRequests {
			l.take("often")
		}
		time.Sleep(30 * time.Second)
		l.take("often")
		l.take("later")
		time.Sleep(30 * time.Second)
		l.take("now")
		if n := len(l.tokens); n != 2 { // later and now; the last request of often was rejected
			t.Errorf("%d tokens are kept, want 2", n)
		}
	})
}

func TestLimiter_Nil(t *testing.T) {
	var l *limiter
	for range limitRequests + 1 {
		if _, ok := l.take("a"); !ok {
			t.Fatal("switched off, it turned a request away")
		}
	}
}
