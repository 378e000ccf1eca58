package scenarios

import (
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// A Scenario is one experiment as its author wrote it: who is loaded, how hard,
// what breaks meanwhile, and what must still hold. [Parse] makes it. Its kinds
// (executors, steps, faults) are still blocks; package run resolves them.
type Scenario struct {
	File       string // where it was read from
	Name       string
	Hypothesis string
	Seed       uint64
	SeedGiven  bool // false: Seed was drawn at random
	Pacing     string
	Target     Target
	Tables     []*template.Table
	Warmup     time.Duration
	Auth       *syntax.Node // how requests prove who sends them; nil is not at all
	Sign       *syntax.Node // how requests are signed; nil is not at all
	Setup      []Step
	Init       []Step // of every load that has none of its own
	Teardown   []Step
	Loads      []Load
	Faults     []Fault
	Guard      Guard
	Steady     []slo.Objective
	Stop       []slo.Objective
	SLO        []slo.Objective
	Ledger     *Ledger   // nil is none
	Metrics    []Watched // series that are read while the run goes on, by name
	Alerts     []Watched // of the team's own monitoring, by name
	Judge      Judge
	Meta       Meta // what the run is to its organisation; empty is not said
	Trace      Trace

	Secrets *template.Secrets
	Symbols *template.Symbols
	Notes   []string     // what is odd but no mistake: a param that nobody uses
	Root    *syntax.Node // the file with extends, params, env and files filled in

	mistakes *syntax.Mistakes // what Parse found wrong
	files    *files           // reads what stands beside the file
}

// Defaults of the language.
const (
	DefaultTimeout     = 10 * time.Second
	DefaultHold        = 10 * time.Second
	DefaultGrace       = 10 * time.Second
	DefaultReady       = 30 * time.Second
	DefaultWithin      = 30 * time.Second
	DefaultLimit       = 0.01
	DefaultMaxInFlight = 10_000
)

// Judge tunes how verdicts are reached.
type Judge struct {
	syntax.Place
	Hold   quantity.Duration `yaml:"hold,positive"` // how long good must last to be recovered; zero is 10s
	Strict bool              `yaml:"strict"`        // an interval that straddles the target is inconclusive
}

// HoldOr gives the hold time with its default.
func (j Judge) HoldOr() time.Duration {
	if j.Hold == 0 {
		return DefaultHold
	}
	return j.Hold.D()
}

// document is the top level of a file.
type document struct {
	syntax.Place
	Version    int             `yaml:"version,required,min=1,max=1"`        // of the language
	Name       string          `yaml:"name"`                                // zero is the file's
	Hypothesis string          `yaml:"hypothesis"`                          // what its author expects to see, in a sentence
	Seed       *uint64         `yaml:"seed"`                                // every random choice but uuid() comes from it; nil has one drawn, and printed
	Meta       Meta            `yaml:"meta"`                                // who runs it, who approved it, by which ticket, what it closes; --meta name=value adds to it
	Params     *syntax.Node    `yaml:"params"`                              // names to values, for ${name}; --set name=value overrides them
	Extends    string          `yaml:"extends"`                             // a file that this one is laid over: maps are merged, null takes away
	Target     Target          `yaml:"target,required"`                     // the system under test: exactly one of url, stack, processes, containers, compose
	Auth       *syntax.Node    `yaml:"auth"`                                // how requests prove who sends them: oauth2, jwt or basic; a load or a step may have its own
	Sign       *syntax.Node    `yaml:"sign"`                                // how requests are signed: hmac or aws; a load or a step may have its own
	Data       *syntax.Node    `yaml:"data"`                                // tables by name, for ${data.NAME.COLUMN}
	Warmup     *warmup         `yaml:"warmup"`                              // the loads that start at 0, at their first rate; recorded apart, never judged
	Setup      []Step          `yaml:"setup"`                               // once, before warm-up, never judged
	Init       []Step          `yaml:"init"`                                // once per virtual user, of every load that has none of its own; never judged
	Teardown   []Step          `yaml:"teardown"`                            // once, after the load, never judged
	Load       *syntax.Node    `yaml:"load,required"`                       // streams of iterations by name
	Chaos      *syntax.Node    `yaml:"chaos"`                               // the timeline: faults by name, each with its time and one kind
	Guard      Guard           `yaml:"guard"`                               // bounds on what is broken, and who may be touched
	Steady     []slo.Objective `yaml:"steady"`                              // must hold over the baseline, else nothing is injected
	Stop       []slo.Objective `yaml:"stop"`                                // ends the run, all faults taken back, once one holds
	SLO        []slo.Objective `yaml:"slo"`                                 // what the verdict is about
	Ledger     *Ledger         `yaml:"ledger"`                              // which writes are looked for after the run, and how
	Metrics    *syntax.Node    `yaml:"metrics"`                             // what is read of the target's own side while the run goes on, by name: a metric on a page in Prometheus's format, or a query
	Alerts     *syntax.Node    `yaml:"alerts"`                              // alerts of the team's own monitoring, by name, and who is asked for them
	Judge      Judge           `yaml:"judge"`                               // how verdicts are reached
	Trace      Trace           `yaml:"trace"`                               // how requests tell tracing who they are
	Pacing     string          `yaml:"pacing,oneof=auto|precise|efficient"` // how arrivals are timed; zero is auto
}

// A Watched is an entry of `metrics` or `alerts`, its settings still undecoded.
type Watched struct {
	Name string
	Pos  syntax.Pos // of the name
	With *syntax.Node
}

type warmup struct {
	For quantity.Duration `yaml:"for,required,positive"` // how long it lasts
}
