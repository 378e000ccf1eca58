package load_test

import (
	"testing"
	"time"

	"brunt/scenarios/load"
)

func TestPeak(t *testing.T) {
	of := func(start time.Duration, pieces ...[3]float64) *load.Profile {
		p := load.NewProfile(start)
		for _, x := range pieces {
			p.Add(time.Duration(x[0]*1e9), x[1], x[2])
		}
		return p
	}
	for _, c := range []struct {
		name     string
		profiles []*load.Profile
		most     float64
		at       time.Duration
	}{
		{"nothing", nil, 0, 0},
		{"no piece", []*load.Profile{of(0)}, 0, 0},
		{"constant", []*load.Profile{of(time.Second, [3]float64{10, 5, 5})}, 5, time.Second},
		{
			"one after the other",
			[]*load.Profile{of(0, [3]float64{10, 5, 5}), of(10*time.Second, [3]float64{10, 7, 7})},
			7,
			10 * time.Second,
		},
		{
			"side by side",
			[]*load.Profile{of(0, [3]float64{10, 5, 5}), of(9*time.Second, [3]float64{10, 7, 7})},
			12,
			9 * time.Second,
		},
		{
			"a ramp against a drop",
			[]*load.Profile{of(0, [3]float64{10, 0, 10}), of(0, [3]float64{4, 20, 20})},
			24,
			4 * time.Second,
		},
		{"a jump's left side", []*load.Profile{of(0, [3]float64{4, 0, 8}, [3]float64{4, 0, 0})}, 8, 4 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			if most, at := load.Peak(c.profiles); most != c.most || at != c.at {
				t.Errorf("%v at %v, want %v at %v", most, at, c.most, c.at)
			}
		})
	}
}
