package scenarios

import (
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// A Scenario is one experiment as its author wrote it: the target, the load, the faults, and what
// must still hold. [Parse] makes it. Its executors, steps and faults are still blocks; package
// plan resolves them.
type Scenario struct {
	File         string // the scenario file
	Name         string
	Hypothesis   string
	Seed         uint64
	SeedGiven    bool // false: Seed was drawn at random
	Pacing       string
	Workers      Workers // that make the load; the zero value is this process
	Target       Target
	Tables       []*template.Table
	Warmup       time.Duration
	Auth         *syntax.Node // how requests authenticate; nil is none
	Sign         *syntax.Node // how requests are signed; nil is not at all
	Setup        []Step
	Init         []Step // for every load without init steps of its own
	Teardown     []Step
	Loads        []Load
	Faults       []Fault
	Conditions   []Fault // without a time: they hold for the whole run
	Guard        Guard
	Steady       []slo.Objective
	Stop         []slo.Objective
	SLO          []slo.Objective
	Ledgers      []*Ledger         // one, or several with names
	Roles        map[string]string // of drills, with the parts of the target that play them
	Dependencies Dependencies      // what the author declares of services
	Metrics      []Watched         // series that are read while the run goes on, by name
	Alerts       []Watched         // alerts of the team's own monitoring, by name
	Watches      []Watched         // questions to the units while the run goes on, by name
	Judge        Judge
	Meta         Meta // description of the run for its organisation; may be empty
	Trace        Trace

	Secrets *template.Secrets
	// what guard.allow.secrets is about: placeholders of the environment and of files, scripts, which can read both, and
	// tables and bodies from files outside the scenario's folder; bodies are known once steps are compiled
	SecretRefs []template.SecretRef
	Symbols    *template.Symbols
	Notes      []string     // oddities that are not mistakes, such as an unused param
	Root       *syntax.Node // the file with extends, params, env and files filled in

	Origin Origin // what Parse read; the zero value for a scenario that was not parsed
}

// An Origin is what a scenario was parsed from.
type Origin struct {
	mistakes *syntax.Mistakes // mistakes that Parse found
	files    *files           // reads files relative to the scenario
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
	Hold quantity.Duration `yaml:"hold,positive"` // how long the load must be good to count as recovered; zero is 10s
	// the share of bad requests above which the load is impacted; zero is 1%. Objectives do not change it
	Limit quantity.Share `yaml:"limit,min=0,max=0.5"`
	// an answer that takes longer counts as a bad request in impact, recovery and incidents, and in no objective on
	// errors. Zero computes a limit for each step from its baseline at the first injection: with q as the upper 95 % bound
	// of the time that all but half of `limit` of its good answers stayed within (p99.5), it is twice q, and at least q +
	// 20 ms. So an unchanged target has at most half as many slow answers as the limit allows. brunt subtracts its own lag
	// in the second of an answer, because the machine was then short of processors. A step with fewer than 598 good
	// answers has the limit of all steps together, and at least twice its longest answer. If all steps together have fewer
	// than 598, there is no limit
	Slow   quantity.Duration `yaml:"slow,positive"`
	Strict bool              `yaml:"strict"` // an interval that straddles the target is inconclusive
}

// HoldOr returns the hold time with its default.
func (j Judge) HoldOr() time.Duration {
	if j.Hold == 0 {
		return DefaultHold
	}
	return j.Hold.D()
}

// LimitOr returns the limit with its default.
func (j Judge) LimitOr() float64 {
	if j.Limit == 0 {
		return DefaultLimit
	}
	return float64(j.Limit)
}

// document is the top level of a file.
type document struct {
	syntax.Place
	Version    int    `yaml:"version,required,min=1,max=1"` // version of the language
	Name       string `yaml:"name"`                         // zero is the file's
	Hypothesis string `yaml:"hypothesis"`                   // the expected result, in a sentence
	// seed of every random choice but uuid(); nil is drawn at random, and printed
	Seed *uint64 `yaml:"seed"`
	// operator, approver, ticket, what it closes; --meta name=value adds to it
	Meta Meta `yaml:"meta"`
	// names to values, for ${name}; --set name=value overrides them
	Params *syntax.Node `yaml:"params"`
	// a file that this one is merged over: maps are merged, null removes
	Extends string `yaml:"extends"`
	// the system under test: exactly one of url, stack, processes, containers, compose
	Target Target `yaml:"target,required"`
	// how requests authenticate: oauth2, jwt or basic; a load or a step may have its own
	Auth *syntax.Node `yaml:"auth"`
	// how requests are signed: hmac or aws; a load or a step may have its own
	Sign *syntax.Node `yaml:"sign"`
	Data *syntax.Node `yaml:"data"` // tables by name, for ${data.NAME.COLUMN}
	// runs the loads that start at 0 at their first rate before t0; recorded separately, never judged
	Warmup *warmup `yaml:"warmup"`
	// steps that run once, before warm-up, never judged: requests, and commands of this machine. A step that fails ends
	// the run with exit code 5, before the load
	Setup []Step `yaml:"setup"`
	// steps that run once per virtual user of every load without its own; never judged
	Init []Step `yaml:"init"`
	// steps that run once, after the load, never judged: requests, and commands of this machine. They run once setup has
	// begun, also after its failure or an interrupt. A step that fails is noted. All of them together end after 10m, or
	// after the timeouts of their commands where those sum up to more
	Teardown []Step       `yaml:"teardown"`
	Load     *syntax.Node `yaml:"load,required"` // streams of iterations by name
	// the timeline: faults by name, each with its time and one kind
	Chaos *syntax.Node `yaml:"chaos"`
	// faults that hold for the whole run, by name, each a kind without a time: what the system under test always lives
	// with, such as the delay of a link between two sites. They are in from before `setup` until after `teardown`, in a
	// control run as well; no phase and no objective is about them, and a run without one of them is invalid
	Conditions *syntax.Node `yaml:"conditions"`
	// limits of what may be broken and which addresses may be reached
	Guard Guard `yaml:"guard"`
	// must hold over the baseline, else no fault is injected and the run fails. Without it the share of bad
	// requests must be within judge.limit, or within what every objective on the run and the baseline
	// allows, else no fault is injected and the run is invalid
	Steady []slo.Objective `yaml:"steady"`
	// ends the run and reverts all faults once one holds
	Stop []slo.Objective `yaml:"stop"`
	SLO  []slo.Objective `yaml:"slo"` // objectives that decide the verdict
	// which writes are checked after the run, and how
	Ledger *Ledger `yaml:"ledger"`
	// several ledgers by name, such as one for what was written and one for the events that tell of it; objectives name
	// one: `lost(events) = 0`. One step may be the write of several
	Ledgers *syntax.Node `yaml:"ledgers"`
	// the parts of the target that play the roles of drills, by role, such as {replica: posts}; --role of `brunt drill`
	// overrides it
	Roles map[string]string `yaml:"roles"`
	// what requests need, by service: hard, they fail without it, or soft, they do without. `brunt drill` tells where a
	// run shows the contrary
	Dependencies Dependencies `yaml:"dependencies"`
	// figures of the target that are read during the run, by name: a metric on a page in Prometheus's
	// format, or a query
	Metrics *syntax.Node `yaml:"metrics"`
	// alerts of the team's own monitoring, by name, and where to query them
	Alerts *syntax.Node `yaml:"alerts"`
	// questions to the units that are asked during the run, by name, such as their role: strips under the chart, or
	// lines where the answers are numbers, which objectives name as metric(NAME)
	Watch  *syntax.Node `yaml:"watch"`
	Judge  Judge        `yaml:"judge"`                               // how verdicts are reached
	Trace  Trace        `yaml:"trace"`                               // how requests carry trace ids
	Pacing string       `yaml:"pacing,oneof=auto|precise|efficient"` // how arrivals are timed; zero is auto
	// how many processes of this machine make the load of `brunt run`, each a part of it, as --workers says, or {count: 4,
	// on: kubernetes} for as many pods of a cluster; zero is brunt's own process alone. The other commands that run a
	// scenario make its load alone
	Workers Workers `yaml:"workers"`
}

// A Watched is an entry of `metrics`, `alerts` or `watch` with undecoded settings.
type Watched struct {
	Name string
	Pos  syntax.Pos // of the name
	With *syntax.Node
}

type warmup struct {
	For quantity.Duration `yaml:"for,required,positive"` // how long it lasts
}
