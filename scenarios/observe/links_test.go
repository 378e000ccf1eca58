package observe

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"brunt/chaos"
	"brunt/chaos/proxy"
	"brunt/scenarios/result"
)

// hanging is a proxy that gives no answer.
type hanging struct{ chaos.Proxy }

func (hanging) Traffic(ctx context.Context) (proxy.Traffic, error) {
	<-ctx.Done()
	return proxy.Traffic{}, ctx.Err()
}

// steady is a proxy that needs 100 ms for an answer.
type steady struct{ chaos.Proxy }

func (steady) Traffic(context.Context) (proxy.Traffic, error) {
	time.Sleep(100 * time.Millisecond) // simulates how long the answer takes
	return proxy.Traffic{Hit: 3, Passed: 4}, nil
}

// TestLinks_Late: a link that gives no answer does not change at which time the next one counts as read. Links from the
// load are not read.
func TestLinks_Late(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		t0 := time.Now()
		l := NewLinks([]*chaos.Link{
			{From: chaos.LoadName, To: "web[0]", Proxy: steady{}},
			{From: "web[0]", To: "users[0]", Proxy: hanging{}},
			{From: "web[0]", To: "store[0]", Proxy: steady{}, Reads: true},
		}, time.Minute)
		l.Watch(func() time.Duration { return time.Since(t0) })
		time.Sleep(countWithin + 150*time.Millisecond)
		l.Stop()
		got := l.Counted()
		if len(got) != 2 || len(got[0].Points) != 0 || len(got[1].Points) == 0 {
			t.Fatalf("%+v", got)
		}
		if p := got[1].Points[0]; p.T != 1.05 || p.V != 7 {
			t.Errorf("%v calls at %v s, want 7 at 1.05 s", p.V, p.T)
		}
	})
}

// mixed is a proxy with one connection, in a protocol that it does not read.
type mixed struct{ chaos.Proxy }

func (mixed) Traffic(context.Context) (proxy.Traffic, error) {
	return proxy.Traffic{Hit: 3, Forward: 40, Back: 2, Unread: 1}, nil
}

// TestLinks_Unread: a link with a connection that the proxy does not read has bytes, and says that it was not read. One
// that the proxy was not to read has bytes as well, without a word.
func TestLinks_Unread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLinks([]*chaos.Link{
			{From: "web[0]", To: "store[0]", Proxy: mixed{}, Reads: true},
			{From: "web[0]", To: "users[0]", Proxy: steady{}},
		}, time.Minute)
		l.Quiet(t.Context())
		time.Sleep(2 * time.Second)
		l.Unquiet(t.Context())
		l.Watch(func() time.Duration { return time.Second })
		l.Stop()
		for i, want := range []int64{1, 0} {
			got := l.Counted()[i]
			if got.Calls || got.Unread != want || got.Quiet < 2 || got.Background != 0 ||
				got.Points[len(got.Points)-1].V != []result.Num{42, 0}[i] {
				t.Errorf("%+v", got)
			}
		}
	})
}
