package result_test

import (
	"slices"
	"testing"

	"brunt/scenarios/result"
)

// TestGenerator_Held: a reading is about all of the time since the one before. A machine that others hold delays
// brunt's own readings, here by three seconds.
func TestGenerator_Held(t *testing.T) {
	g := result.Generator{Seconds: []result.GeneratorTick{
		{T: 1, Others: .9, Pressure: .9},
		{T: 2, Others: .1, Pressure: .9},
		{T: 3, Others: .9, Pressure: .1},
		{T: 6, Others: .9, Pressure: .9},
		{T: 6.5, Others: .9, Pressure: .9},
		{T: 7, Others: result.NaN, Pressure: .9},
	}}
	if got := g.Held(); !slices.Equal(got, []result.HeldSecond{{From: 0, To: 1}, {From: 3, To: 6}, {From: 6, To: 6.5}}) {
		t.Errorf("held in %v", got)
	}
	g.Seconds = []result.GeneratorTick{ // the kernel does not report pressure
		{T: 1, Others: .7, Pressure: result.NaN, Idle: .01},
		{T: 2, Others: .7, Pressure: result.NaN, Idle: .2},
		{T: 3, Others: .1, Pressure: result.NaN, Idle: .01},
		{T: 4, Others: .7, Pressure: result.NaN, Idle: result.NaN},
		{T: 5, Others: result.NaN, Pressure: result.NaN, Idle: .01},
		{T: 6, Others: result.NaN, Pressure: result.NaN, Idle: .2},
		{T: 7, Others: result.NaN, Pressure: result.NaN, Idle: result.NaN},
	}
	if got := g.Held(); !slices.Equal(got, []result.HeldSecond{{From: 0, To: 1}}) {
		t.Errorf("held in %v, without pressure", got)
	}
	if got := g.Contested(); !slices.Equal(got, []result.HeldSecond{{From: 4, To: 5}, {From: 6, To: 7}}) {
		t.Errorf("contested in %v, without pressure", got)
	}
	g.Seconds = []result.GeneratorTick{{T: 26, Took: 28, Others: .9, Pressure: .9}} // the first one is late as well
	if got := g.Held(); !slices.Equal(got, []result.HeldSecond{{From: -2, To: 26}}) {
		t.Errorf("held in %v", got)
	}
}
