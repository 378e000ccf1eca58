package demo

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// balancerOf returns a balancer over n replicas.
func balancerOf(n int, ejection bool) *balancer {
	b := &balancer{ejection: ejection}
	for range n {
		u := &upstream{breaker: &breaker{}}
		if ejection {
			u.health = &health{changed: func(bool, string) {}}
		}
		b.all = append(b.all, u)
	}
	return b
}

// spread returns how many of n picks each replica got.
func spread(b *balancer, n int) []int {
	got := make([]int, len(b.all))
	for range n {
		got[slices.Index(b.all, b.pick(call{}, nil))]++
	}
	return got
}

func TestBalancer(t *testing.T) {
	eject := func(u *upstream) {
		for range callFailures {
			u.health.request(bad)
		}
	}
	roundTrip := func(u *upstream) { use(u.breaker, breakerMin, bad) }
	tests := []struct {
		name     string
		replicas int
		ejection bool
		before   func(b *balancer)
		want     []int // of 60 picks
	}{
		{"one", 1, true, nil, []int{60}},
		{"in turn", 3, true, nil, []int{20, 20, 20}},
		{"one is out", 2, true, func(b *balancer) { eject(b.all[0]) }, []int{0, 60}},
		{"a breaker is open", 2, true, func(b *balancer) { roundTrip(b.all[1]) }, []int{60, 0}},
		{"all are out: any will do", 2, true, func(b *balancer) { eject(b.all[0]); eject(b.all[1]) }, []int{30, 30}},
		{"without ejection it is blind", 2, false, func(b *balancer) {
			b.all[0].health.request(bad)
			roundTrip(b.all[0])
		}, []int{30, 30}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := balancerOf(tt.replicas, tt.ejection)
				if tt.before != nil {
					tt.before(b)
				}
				if got := spread(b, 60); !slices.Equal(got, tt.want) {
					t.Errorf("60 picks went %v, want %v", got, tt.want)
				}
			})
		})
	}
}

func TestBalancer_Tried(t *testing.T) {
	b := balancerOf(3, true)
	var tried []*upstream
	for range 3 {
		u := b.pick(call{}, tried)
		if u == nil || slices.Contains(tried, u) {
			t.Fatalf("after %d it gave %v", len(tried), u)
		}
		tried = append(tried, u)
	}
	if u := b.pick(call{}, tried); u != nil {
		t.Error("it gave one that was tried")
	}
}

func TestHealth(t *testing.T) {
	tests := []struct {
		name   string
		events string // requests: g good, b bad, a abandoned; checks: + and -
		want   string // the changes: out, back
	}{
		{"well", "ggg+++", ""},
		{"failures with good ones between", "bbgbbgbb", ""},
		{"failures in a row", "bbb", "out"},
		{"callers who go away", "aaaaaa", ""},
		{"callers who go away between", "bababa", "out"},
		{"one check lost", "-+-+-", ""},
		{"checks lost", "--", "out"},
		{"a good request doesn't bring it back", "bbbg", "out"},
		{"a check does", "bbb+", "out back"},
		{"asked once", "bbbbbb---", "out"},
		{"out again only after as many failures", "bbb+bb", "out back"},
		{"out again", "bbb+bbb+", "out back out back"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			h := &health{changed: func(out bool, _ string) {
				got = append(got, map[bool]string{true: "out", false: "back"}[out])
			}}
			for _, e := range tt.events {
				switch e {
				case '+', '-':
					h.checked(e == '+')
				default:
					h.request(map[rune]outcome{'g': good, 'b': bad, 'a': abandoned}[e])
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("it went %q, want %q", s, tt.want)
			}
			if h.isOut() != strings.HasSuffix(tt.want, "out") {
				t.Errorf("out is %v after %q", h.isOut(), tt.want)
			}
		})
	}
}
