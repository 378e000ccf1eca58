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
	File       string // the scenario file
	Name       string
	Hypothesis string
	Seed       uint64
	SeedGiven  bool // false means that Seed was drawn at random
	Pacing     string
	Workers    Workers // the workers that make the load; the zero value is this process
	Target     Target
	Tables     []*template.Table
	Warmup     time.Duration
	Auth       *syntax.Node // how requests authenticate; nil means not at all
	Sign       *syntax.Node // how requests are signed; nil means not at all
	Setup      []Step
	Init       []Step // for every load without init steps of its own
	Teardown   []Step
	Loads      []Load
	Faults     []Fault
	// faults without a time, which hold for the whole run; one whose At is negative, which only commands set, is
	// injected within the warm-up and taken back when the load is over
	Conditions   []Fault
	Guard        Guard
	Steady       []slo.Objective
	Stop         []slo.Objective
	SLO          []slo.Objective
	Ledgers      []*Ledger         // one ledger, or several with names
	Consistency  []*Consistency    // registers whose reads and writes are checked, by name
	Deliveries   []*Delivery       // what is sent and must be seen elsewhere, by name
	Roles        map[string]string // the parts of the target that play the roles of drills, by role
	Dependencies Dependencies      // whether requests need a service, by service
	Metrics      []Watched         // series that are read during the run, by name
	Alerts       []Watched         // alerts of the team's own monitoring, by name
	Watches      []Watched         // questions that are asked of the units during the run, by name
	Leaders      []Watched         // questions that find the leader of a service, by service
	Judge        Judge
	Meta         Meta // description of the run for its organisation; may be empty
	Trace        Trace

	Secrets *template.Secrets
	// the uses that guard.allow.secrets limits: placeholders of the environment and of files, scripts, which can read
	// both, and tables and bodies from files outside the scenario's folder. Bodies are added when steps are compiled
	SecretRefs []template.SecretRef
	Symbols    *template.Symbols
	Notes      []string     // oddities that are not mistakes, such as an unused param
	Root       *syntax.Node // the file with extends, params, env and files filled in
	params     []param      // its parameters, in the order of the file

	Origin Origin // what Parse read; the zero value for a scenario that was not parsed
}

// An Origin holds the files that a scenario was parsed from, and the mistakes found in them.
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
	Hold quantity.Duration `yaml:"hold,positive"` // how long the load must stay good to count as recovered; zero is 10s
	// share of bad requests above which the load counts as impacted; objectives do not change it; zero is 1%
	Limit quantity.Share `yaml:"limit,min=0,max=0.5"`
	// an answer that takes longer than this counts as a bad request in impact, recovery and incidents, but not in
	// objectives on errors. By default, the first injection sets a limit for each step from the good answers of its
	// baseline: twice q, and at least q + 20 ms, where q is the upper 95 % confidence bound of the response time at
	// the quantile 1 - limit/2 (p99.5). So an unchanged target has at most half as many slow answers as `limit`
	// allows. From the time of an answer brunt subtracts its own lag in the same second, because the machine was
	// short of processors then. A step with fewer than 598 good answers has the limit of all steps together, and at
	// least twice its own longest answer. If all steps together have fewer than 598, there is no limit
	Slow quantity.Duration `yaml:"slow,positive"`
	// an objective is inconclusive if the confidence interval of its metric contains the target value
	Strict bool `yaml:"strict"`
	// if the load has not recovered from a fault that is gone, it goes on after its end: it is lowered in steps until
	// requests are good again for a hold, and raised back to the load of the baseline. Only a target that then holds
	// that load was stuck. Requests of these steps count in no objective. Only for open loads; default: off
	Escape bool `yaml:"escape"`
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

// DropRecords removes the sections that record more than requests: ledgers, registers, deliveries, the spans of the
// target, and an escape. A short run in place of the scenario's own, such as a probe, has none of them.
func (s *Scenario) DropRecords() {
	s.Ledgers, s.Consistency, s.Deliveries, s.Trace.Listen, s.Judge.Escape = nil, nil, nil, "", false
}

// document is the top level of a file.
type document struct {
	syntax.Place
	Version    int    `yaml:"version,required,min=1,max=1"` // version of the language
	Name       string `yaml:"name"`                         // name of the scenario; zero is the name of the file
	Hypothesis string `yaml:"hypothesis"`                   // the expected result, in one sentence
	// seed of every random choice except uuid(); nil is a random seed, which brunt prints
	Seed *uint64 `yaml:"seed"`
	// facts about the run: operator, approver, ticket, and what it closes, such as a finding; --meta name=value adds
	// to them
	Meta Meta `yaml:"meta"`
	// values by name, for ${name}; --set name=value overrides them
	Params *syntax.Node `yaml:"params"`
	// a file that this one is merged over: maps are merged key by key, other values replace, null removes a key
	Extends string `yaml:"extends"`
	// the system under test: exactly one of url, stack, processes, containers, compose
	Target Target `yaml:"target,required"`
	// how requests authenticate: oauth2, jwt or basic; a load or a step may have its own
	Auth *syntax.Node `yaml:"auth"`
	// how requests are signed: hmac or aws; a load or a step may have its own
	Sign *syntax.Node `yaml:"sign"`
	Data *syntax.Node `yaml:"data"` // tables by name, for ${data.NAME.COLUMN}
	// before t0, runs the loads that start at 0, at their first rate; recorded separately, never judged
	Warmup *warmup `yaml:"warmup"`
	// steps that run once, before the warm-up: requests, and commands on this machine; never judged. A step that
	// fails ends the run before the load, with exit code 5
	Setup []Step `yaml:"setup"`
	// steps that run once per virtual user, for every load without `init` of its own. They have rows of their
	// own, named
	// `init STEP`, which count in no sum; an objective may name one. If one fails, the steps of the iteration are
	// skipped,
	// which counts as failed, and the next iteration tries again
	Init []Step `yaml:"init"`
	// steps that run once, after the load: requests, and commands on this machine; never judged. They run whenever
	// setup has begun, even if it failed or the run was interrupted. A step that fails is noted. The time limit of
	// all steps together is 10m, or the sum of the timeouts of their commands if that is longer
	Teardown []Step       `yaml:"teardown"`
	Load     *syntax.Node `yaml:"load,required"` // streams of iterations by name
	// the timeline: faults by name, each with its time and one kind
	Chaos *syntax.Node `yaml:"chaos"`
	// faults that hold for the whole run, by name, each a kind without a time: conditions that the system under test
	// always lives with, such as the delay of a link between two sites. They are injected before `setup` and taken
	// back after `teardown`, in a control run as well. They form no phase, and objectives can't name them. A run in
	// which one of them does not hold is invalid
	Conditions *syntax.Node `yaml:"conditions"`
	// limits on what faults may break, and on the addresses that the run may reach
	Guard Guard `yaml:"guard"`
	// objectives that must hold over the baseline, else no fault is injected and the run fails. Without `steady`, the
	// share of bad requests must be within judge.limit, or within the limits of all objectives on the run and the
	// baseline, else no fault is injected, and the verdict is BASELINE FAILED
	Steady []slo.Objective `yaml:"steady"`
	// conditions that end the run: as soon as one holds, all faults are reverted
	Stop []slo.Objective `yaml:"stop"`
	SLO  []slo.Objective `yaml:"slo"` // objectives that decide the verdict
	// which writes are read back and checked after the run, and how
	Ledger *Ledger `yaml:"ledger"`
	// several ledgers by name, such as one for the rows written and one for the events about them. Objectives name
	// one: `lost(events) = 0`. Several ledgers may check the writes of one step
	Ledgers *syntax.Node `yaml:"ledgers"`
	// whether reads during the run returned what writes had made of it, by name: registers, such as the rows of a
	// table, with the steps that write and read them. Objectives name one, such as `anomalies(users) = 0` or
	// `staleness(users) < 1s`
	Consistency *syntax.Node `yaml:"consistency"`
	// what the load sends and must be seen elsewhere, by name, such as a webhook for each order: the step that sends,
	// and where brunt sees it. Objectives name one: `p99 < 2s of order`, `lost = 0 of order`
	Deliveries *syntax.Node `yaml:"deliveries"`
	// the parts of the target that play the roles of drills, by role, such as {replica: posts}; --role of
	// `brunt drill` overrides them
	Roles map[string]string `yaml:"roles"`
	// how requests depend on each service: hard if they fail without it, soft if they succeed without it. `brunt
	// drill` reports where a run shows the opposite
	Dependencies Dependencies `yaml:"dependencies"`
	// figures of the target that are read during the run, by name: a metric on a page in Prometheus's text format, or
	// a query
	Metrics *syntax.Node `yaml:"metrics"`
	// alerts of the team's own monitoring, by name, and where to query them
	Alerts *syntax.Node `yaml:"alerts"`
	// questions that are asked of the units during the run, by name, such as their role. Reports show the answers as
	// strips under the chart, or as lines if they are numbers, which objectives name as metric(NAME)
	Watch *syntax.Node `yaml:"watch"`
	// how the leader of a service is found, by service, such as {db: {path: /role, check: {"$.role": leader}}}: for
	// faults that pick by role and have no `leader` of their own, and for drills of replicated stores
	Leaders *syntax.Node `yaml:"leaders"`
	Judge   Judge        `yaml:"judge"`                               // how verdicts are reached
	Trace   Trace        `yaml:"trace"`                               // how requests carry trace ids
	Pacing  string       `yaml:"pacing,oneof=auto|precise|efficient"` // how arrivals are timed; zero is auto
	// number of processes on this machine that make the load of `brunt run`, each a part of it, as with --workers; or
	// {count: 4, on: kubernetes} for 4 pods of a cluster; zero is brunt's own process alone. Other commands that run
	// a scenario make its load in their own process
	Workers Workers `yaml:"workers"`
}

// KeyHint says where a key stands that people write one level too high.
func (*document) KeyHint(key string) string {
	switch key {
	case "url", "units", "processes", "containers", "compose", "stack", "ready", "entry", "endpoints":
		return "it belongs under `target`: target: {" + key + ": …}"
	case "executor", "rate", "duration", "vus", "flow", "timeout", "connections":
		return "it belongs in a load: load: {NAME: {" + key + ": …}}"
	}
	return ""
}

// A Watched is an entry of `metrics`, `alerts` or `watch`, whose settings are not decoded yet.
type Watched struct {
	Name string
	Pos  syntax.Pos // where the name stands
	With *syntax.Node
}

type warmup struct {
	For quantity.Duration `yaml:"for,required,positive"` // how long it lasts
}
