package demo

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// use passes n calls with the outcome through b, one after another, and returns how many b
// permitted.
func use(b *breaker, n int, o outcome) int {
	through := 0
	for range n {
		if p, ok := b.allow(); ok {
			through++
			b.done(p, o)
		}
	}
	return through
}

func TestBreaker(t *testing.T) {
	tests := []struct {
		name string
		use  func(b *breaker)
		want []breakerState // the states that it changed to
	}{
		{"fresh", func(*breaker) {}, nil},
		{"too few calls to tell", func(b *breaker) { use(b, breakerMin-1, bad) }, nil},
		{"enough calls", func(b *breaker) { use(b, breakerMin, bad) }, []breakerState{open}},
		{"under the share", func(b *breaker) {
			for range 100 {
				use(b, 2, good)
				use(b, 1, bad)
			}
		}, nil},
		{"at the share", func(b *breaker) {
			for range breakerMin / 2 {
				use(b, 1, good)
				use(b, 1, bad)
			}
		}, []breakerState{open}},
		{"good calls are forgotten", func(b *breaker) {
			use(b, 10_000, good)
			use(b, breakerCalls/2, bad)
		}, []breakerState{open}},
		{"callers who go away don't count", func(b *breaker) { use(b, 1000, abandoned) }, nil},
		{"rest, then well", func(b *breaker) {
			use(b, breakerMin, bad)
			time.Sleep(breakerRest) // fake clock
			use(b, 1, good)
		}, []breakerState{open, halfOpen, closed}},
		{"rest, then not well", func(b *breaker) {
			use(b, breakerMin, bad)
			time.Sleep(breakerRest) // fake clock
			use(b, 1, bad)
		}, []breakerState{open, halfOpen, open}},
		{"closed again, it counts afresh", func(b *breaker) {
			use(b, breakerMin, bad)
			time.Sleep(breakerRest) // fake clock
			use(b, 1, good)
			use(b, breakerMin-1, bad)
		}, []breakerState{open, halfOpen, closed}},
		{"a probe whose caller went away is followed by another", func(b *breaker) {
			use(b, breakerMin, bad)
			time.Sleep(breakerRest) // fake clock
			use(b, 3, abandoned)
			use(b, 1, good)
		}, []breakerState{open, halfOpen, closed}},
		{"calls from before it opened tell nothing", func(b *breaker) {
			p, _ := b.allow()
			use(b, breakerMin, bad)
			time.Sleep(breakerRest) // fake clock
			probe, _ := b.allow()
			b.done(p, bad)
			b.done(probe, good)
		}, []breakerState{open, halfOpen, closed}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []breakerState
				tt.use(&breaker{changed: func(s breakerState) { got = append(got, s) }})
				if !slices.Equal(got, tt.want) {
					t.Errorf("it went %v, want %v", got, tt.want)
				}
			})
		})
	}
}

func TestBreaker_Admits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &breaker{}
		use(b, breakerMin, bad)
		if n := use(b, 100, good); n != 0 {
			t.Errorf("open, it let %d calls through", n)
		}
		time.Sleep(breakerRest - time.Nanosecond)
		if b.ready() {
			t.Error("ready before its rest was over")
		}
		time.Sleep(time.Nanosecond)
		if !b.ready() {
			t.Error("not ready after its rest")
		}
		probe, ok := b.allow()
		if !ok {
			t.Fatal("half open, it let no call through")
		}
		if _, ok := b.allow(); ok || b.ready() {
			t.Error("half open, it let a second call through")
		}
		b.done(probe, good)
		if n := use(b, 100, good); n != 100 {
			t.Errorf("closed again, it let %d of 100 calls through", n)
		}
	})
}

func TestBreaker_Nil(t *testing.T) {
	var b *breaker
	if n := use(b, 100, bad); n != 100 || !b.ready() {
		t.Errorf("switched off, it let %d of 100 calls through", n)
	}
}
