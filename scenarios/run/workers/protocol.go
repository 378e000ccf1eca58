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

// The operations of a worker, in the order of a run; OpTurn repeats.
const (
	OpPlan  rpc.Op[Joined, Planned]        = "plan"
	OpClock rpc.Op[rpc.None, int64]        = "clock" // nanoseconds since 1970; any number of times
	OpReach rpc.Op[string, rpc.None]       = "reach" // whether a host:port accepts its connections; any number of times
	OpReady rpc.Op[Ready, rpc.None]        = "ready"
	OpStart rpc.Op[Start, time.Duration]   = "start" // returns the time of the run by the worker's clock
	OpTurn  rpc.Op[Turn, Report]           = "turn"
	OpEnd   rpc.Op[measure.Promise, Ended] = "end"
)

// A Source is the source from which a worker compiles its plan. It is sent over the conversation, so that no secret
// is in an argument of the command line.
type Source struct {
	Path     string   // path of the scenario
	Text     string   // text of the scenario; empty means the file at Path
	Set      []string // params, in the form of --set
	Policies []string // files of policies
	Environ  []string // the environment
	// files of the scenario and its policies, for a worker elsewhere; nil means that the worker reads them itself
	Files []File
	Seed  uint64
}

// A File is a file that is sent to a worker elsewhere.
type File struct {
	Path string // path by which the run names the file
	Text []byte
}

// Planned is the answer of a worker to OpPlan.
type Planned struct {
	Digest  string // digest of the plan that it compiled
	Version string // version of its program
}

// Joined is the request of OpPlan.
type Joined struct {
	Source
	Part     load.Part
	Run      string        // id of the run
	Patience time.Duration // how long a worker makes load without contact to its run
}

// Ready tells a worker about the target and the results of setup.
type Ready struct {
	Base    string              // URL of relative paths
	Links   map[string]string   // maps a host:port to the link that leads there
	Units   map[string]string   // values of ${unit...}
	Own     []netip.Addr        // addresses, beyond loopback, of what the run started
	Vars    []template.Value    // variables that setup extracted
	Salt    [2]uint64           // salt of uuid()
	Rows    []int64             // rows that setup picked, by table
	Control bool                // no fault is injected
	Read    []map[string]string // by ledger: the URLs from which it reads writes, by unit
}

// A Start says when a load begins: t0 by the clock of this machine.
type Start struct{ T0 time.Time }

// A Turn tells a worker the faults so far, and until when they are known.
type Turn struct {
	measure.Promise
	Stop bool // begin no further iteration
}

// Report is the answer of a worker to a turn.
type Report struct {
	measure.Batch
	Samples  samples.Exported
	Writes   []*ledger.Batch // by ledger
	InFlight []int64         // iterations in flight, by load
	Over     bool            // all its loads are over
	UsedUp   bool            // unique data is used up
	Now      time.Duration   // time of the run by the worker's clock
	Health   Health
	Freezes  []measure.Freeze // since the last report
	Secrets  []string         // values that became secret since the last report
}

// Health is a worker's own health so far.
type Health struct {
	CPU        result.Num // mean number of cores
	Now        result.Num // number of cores in its last second
	Memory     int64      // maximum memory, bytes
	Quota      result.Num // the CPU quota that limited it most, in cores
	Throttled  result.Num
	GCPauses   result.Num // seconds
	GCPauseMax result.Num
	ClockSteps int
}

// HealthOf returns the health that a monitor measured.
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

// Ended is the answer of a worker to OpEnd, at the end of its loads.
type Ended struct {
	measure.Batch
	Samples  samples.Exported
	Writes   []*ledger.Batch  // by ledger
	Stats    []load.Stats     // by load
	Opened   []int64          // connections opened, by load
	Spoken   []string         // versions of protocols
	Peers    map[string]int64 // connections opened, by the address that accepted them
	Health   Health
	Freezes  []measure.Freeze // since the last report
	Secrets  []string         // values that became secret since the last report
	Notes    []string
	Failures []string      // errors by load; empty for none
	Quit     string        // why it ended its loads itself; empty if it did not
	QuitAt   time.Duration // when it did
}

// Digest returns a digest of a plan: of the files and settings that it is made from, and of its measured series.
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
