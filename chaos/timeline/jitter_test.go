package timeline_test

import (
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
)

// TestEntry_Jitter: injections are spread evenly over the jitter, each seed spreads them in another way and the same
// seed in the same way, and no seed brings one beyond the load.
func TestEntry_Jitter(t *testing.T) {
	const every, jitter, end = 10 * time.Second, 4 * time.Second, 1000 * time.Second
	at := quantity.Duration(5 * time.Second)
	instants := func(seed uint64) []timeline.Planned {
		e := timeline.Entry{Seed: seed, Fault: scenarios.Fault{
			Name: "f", At: &at, For: quantity.Duration(2 * time.Second), Every: quantity.Duration(every),
			Jitter: quantity.Duration(jitter),
		}}
		return e.Occurrences(5*time.Second, end)
	}
	var quarters [4]int
	for seed := range uint64(20) {
		list := instants(seed)
		if len(list) != 99 {
			t.Fatalf("seed %d: %d occurrences", seed, len(list))
		}
		again := instants(seed)
		for i, p := range list {
			late := p.Offset - time.Duration(i)*every
			if late < 0 || late >= jitter || late != p.Drawn || p != again[i] || 5*time.Second+p.Offset+p.For > end {
				t.Fatalf("seed %d: %+v is %s late, and then %+v", seed, p, late, again[i])
			}
			quarters[4*late/jitter]++
		}
	}
	if same := instants(1)[0].Drawn == instants(2)[0].Drawn; same {
		t.Error("two seeds draw the same instant")
	}
	for i, n := range quarters { // 1980 draws: 495 each, and a standard deviation of 19
		if n < 495-100 || n > 495+100 {
			t.Errorf("quarter %d of the jitter has %d of 1980 occurrences", i+1, n)
		}
	}
}

// TestEntry_Every: a fault without `repeat` comes as often as it fits into the load, and at least once. One that is
// over once it is injected has to come before the load ends.
func TestEntry_Every(t *testing.T) {
	const every = 10 * time.Second
	for _, tt := range []struct {
		name    string
		damage  chaos.Fault
		stays   time.Duration
		at, end time.Duration
		want    int
	}{
		{"one-shot, due at the end", once{}, 0, 20 * time.Second, 60 * time.Second, 4},
		{"one-shot, due before the end", once{}, 0, 20 * time.Second, 61 * time.Second, 5},
		{"stays until the end", noted{}, 10 * time.Second, 20 * time.Second, 60 * time.Second, 4},
		{"stays longer", noted{}, 11 * time.Second, 20 * time.Second, 60 * time.Second, 3},
		{"one-shot, due after the end", once{}, 0, 61 * time.Second, 60 * time.Second, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := timeline.Entry{Damage: tt.damage, Fault: scenarios.Fault{
				Name: "f", For: quantity.Duration(tt.stays), Every: quantity.Duration(every),
			}}
			if list := e.Occurrences(tt.at, tt.end); len(list) != tt.want {
				t.Errorf("%d occurrences, want %d: %+v", len(list), tt.want, list)
			}
		})
	}
}
