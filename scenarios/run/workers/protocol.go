package workers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"time"

	"brunt/chaos/rpc"
	"brunt/scenarios/ledger"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/template"
)

// The operations of a worker, in this order; turns repeat.
const (
	OpPlan  rpc.Op[Joined, Planned]        = "plan"
	OpClock rpc.Op[rpc.None, int64]        = "clock" // nanoseconds since 1970; any number of times
	OpReady rpc.Op[Ready, rpc.None]        = "ready"
	OpStart rpc.Op[Start, time.Duration]   = "start" // the time by the worker's clock of the run
	OpTurn  rpc.Op[Turn, Report]           = "turn"
	OpEnd   rpc.Op[measure.Promise, Ended] = "end"
)

// A Source is what a worker compiles its plan from. It travels over the pipe, so that no secret stands in an argument.
type Source struct {
	Path     string   // of the scenario
	Text     string   // of the scenario; empty: the file at Path
	Set      []string // params, as --set has them
	Policies []string // files
	Environ  []string // the environment
	Files    []File   // what the scenario and its policies are read from, for a worker elsewhere; nil: it reads files
	Seed     uint64
}

// A File is a file that a worker elsewhere has no other way to.
type File struct {
	Path string // as the run names it
	Text []byte
}

// Planned is what a worker answers to a plan.
type Planned struct {
	Digest  string // of the plan that it made
	Version string // of its program
}

// Joined is what a worker is asked to plan.
type Joined struct {
	Source
	Part     load.Part
	Run      string        // id of the run
	Patience time.Duration // how long a worker makes load without a word from its run
}

// Ready is what a worker learns of the target and of setup.
type Ready struct {
	Base    string              // URL of relative paths
	Links   map[string]string   // host:port to the link that leads there
	Units   map[string]string   // values of ${unit...}
	Own     []netip.Addr        // addresses, beyond loopback, of what the run started
	Vars    []template.Value    // that setup extracted
	Salt    [2]uint64           // of uuid()
	Rows    []int64             // that setup picked, by table
	Control bool                // no fault is injected
	Read    []map[string]string // by ledger: URLs where it reads writes, by unit
}

// A Start is when a load begins: t0 by the clock of this machine.
type Start struct{ T0 time.Time }

// A Turn tells a worker how far the faults are known.
type Turn struct {
	measure.Promise
	Stop bool // begin no further iteration
}

// Report is what a worker answers to a turn.
type Report struct {
	measure.Batch
	Samples  samples.Exported
	Writes   []*ledger.Batch // by ledger
	InFlight []int64         // iterations, by load
	Over     bool            // all its loads are over
	UsedUp   bool            // unique data is used up
	Now      time.Duration   // by the worker's clock of the run
	Health   Health
	Freezes  []measure.Freeze // since the last report
	Secrets  []string         // values that became secret since the last report
}

// Health is a worker's own health so far.
type Health struct {
	CPU        result.Num // mean number of cores
	Now        result.Num // number of cores in its last second
	Memory     int64      // bytes, at most
	Quota      result.Num // the CPU quota that held it back most, in cores
	Throttled  result.Num
	GCPauses   result.Num // seconds
	GCPauseMax result.Num
	ClockSteps int
}

// HealthOf is the health that a monitor measured.
func HealthOf(g *result.Generator) Health {
	h := Health{
		CPU: g.CPU, Memory: g.Memory, Quota: g.Quota, Throttled: g.Throttled, GCPauses: g.GCPauses, GCPauseMax: g.GCPauseMax,
		ClockSteps: g.ClockSteps,
	}
	if n := len(g.Seconds); n > 0 {
		h.Now = g.Seconds[n-1].CPU
	}
	return h
}

// Ended is what a worker answers to the end of its loads.
type Ended struct {
	measure.Batch
	Samples  samples.Exported
	Writes   []*ledger.Batch // by ledger
	Stats    []load.Stats    // by load
	Opened   []int64         // connections, by load
	Spoken   []string        // versions of protocols
	Health   Health
	Freezes  []measure.Freeze // since the last report
	Secrets  []string         // values that became secret since the last report
	Notes    []string
	Failures []string      // errors, by load; empty: it has none
	Quit     string        // why it ended its loads itself; empty: it did not
	QuitAt   time.Duration // when
}

// Digest identifies what a plan comes to: the files and settings that it is made of, and what is measured.
func Digest(p *plan.Plan) string {
	h := sha256.New()
	to := json.NewEncoder(h)
	for _, f := range p.Scenario.Files() {
		_ = to.Encode(f)
	}
	_ = to.Encode([]any{p.Scenario.Seed, p.Series, p.Checks, p.Scenario.Warmup, p.Scenario.Pacing})
	for i := range p.Loads {
		lp := &p.Loads[i]
		_ = to.Encode([]any{
			lp.Name, lp.Schedule.Start(), lp.Schedule.End(), lp.Schedule.Arrivals(), lp.Schedule.PerVU,
			lp.Schedule.Shared, lp.Steps, lp.MaxInFlight,
		})
	}
	return hex.EncodeToString(h.Sum(nil))
}
