// Package driver lists the drivers that can make the requests of a load: brunt's own clients, vegeta, a replayed log,
// and a k6 script.
//
//	scenario --For--> Descriptor --Check----> mistakes   when the scenario is compiled
//	                      '--------Prepare--> Job        when the run begins
//	                                           '--Go---> outcomes, Stats
//
// To add a driver, write a file with its [Descriptor] and add its line to [All]. Packages plan and run use drivers
// through their descriptors. A load with a script also has another shape, without flows and a schedule of brunt's
// own, so where that matters these packages check the Script of the load.
package driver

import (
	"context"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/syntax"
	"brunt/targets"
)

// A Descriptor is one way to make the requests of a load.
type Descriptor struct {
	Engine  string // value of `engine` that selects the driver; empty if only Claims selects it
	Version string // name in reports; empty means brunt itself

	// Claims reports whether the driver makes the requests of a load that names no engine.
	// Nil claims none.
	Claims func(*scenarios.Load) bool

	// Check adds a mistake to a draft for each setting that the driver does not support. Nil accepts
	// every load.
	Check func(*Draft)

	// Unkept names the source of the writes if the ledger can't record the writes of the driver. At is the key at
	// which that is reported. Empty means that the ledger can record them.
	Unkept, At string

	// Prepare makes a load ready to run. The transport is nil if the driver does not use brunt's
	// connections.
	Prepare func(*Setup) (Job, targets.Transport, error)
}

// All lists the drivers. The first that claims a load makes its requests, the last claims
// every load.
func All() []Descriptor {
	return []Descriptor{
		script(),
		attacker(),
		replay(),
		native(),
	}
}

// For returns the driver of a load. Known is false if no driver of the list has the engine that
// the load names.
func For(l *scenarios.Load, list []Descriptor) (d Descriptor, known bool) {
	named := l.Engine != "" && l.Engine != nativeEngine
	for _, d := range list {
		if named && d.Engine == l.Engine || !named && d.Claims != nil && d.Claims(l) {
			return d, true
		}
	}
	return Descriptor{}, false
}

// Engines lists what `engine` of a load may name, sorted.
func Engines(list []Descriptor) []string {
	var out []string
	for _, d := range list {
		if d.Engine != "" {
			out = append(out, d.Engine)
		}
	}
	slices.Sort(out)
	return out
}

// A Draft is a load while its scenario is compiled.
type Draft struct {
	Load     *scenarios.Load
	Schedule load.Plan
	Flows    []load.Flow
	Mistakes *syntax.Mistakes
}

// A Setup is the input of a driver that prepares a load.
type Setup struct {
	Load   *scenarios.Load
	Run    *load.Run       // the load, complete except for Open or Engine, and Abort
	Target targets.Options // how requests reach the target
	Script Job             // the script of the load, already started; nil for other loads

	Protocols *targets.Selection                  // protocols of the load's steps
	Wrap      func(u load.User, vu int) load.User // records the writes of a virtual user; nil records none
}

// A Job is a load under way.
type Job interface {
	// Go runs the load to its end. When ctx ends, no further iteration begins.
	Go(ctx context.Context) (load.Stats, error)
	// InFlight returns how many iterations are under way.
	InFlight() int64
}

var _ Job = (*load.Run)(nil)
