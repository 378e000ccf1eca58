//go:build linux

package safety

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// A program is what a worker plays: faults, and what is killed meanwhile. Times are in milliseconds; those of faults
// count from the begin of the load.
type program struct {
	Seed   uint64  `json:"seed"`
	Known  string  `json:"known,omitempty"` // the mistake because of which a kept program is not played
	Why    string  `json:"why,omitempty"`   // what a kept program has found
	Faults []fault `json:"faults"`
	Kills  []kill  `json:"kills,omitempty"`
	Gaps   []gap   `json:"gaps,omitempty"`
}

// A fault is an entry of the scenario.
type fault struct {
	Kind string `json:"kind"`
	// YAML; PID0, PID1, BOX0, BOX1, DIR, DISK, FLAG and HOOK stand for parts of the machine
	Settings string `json:"settings"`
	At       int    `json:"at"`
	For      int    `json:"for,omitempty"`   // zero is a fault that is over at once
	Pulse    int    `json:"pulse,omitempty"` // how long it is on, and then off; zero is always on
	Every    int    `json:"every,omitempty"` // it is injected twice, this long apart; zero is once
	Group    bool   `json:"group,omitempty"` // it is a step of the program's group
}

// What a kill does.
const (
	killBrunt     = "brunt"          // SIGKILL
	killWatchdog  = "watchdog"       // SIGKILL
	killBoth      = "both"           // brunt and its watchdog, SIGKILL
	killChild     = "child"          // SIGKILL of a child of brunt's, such as a unit or a stress process
	interrupt     = "interrupt"      // SIGINT to brunt
	terminate     = "terminate"      // SIGTERM to brunt, twice
	pauseBrunt    = "pause"          // SIGSTOP of brunt for a second, less than its watchdog's patience
	stopBrunt     = "stop"           // SIGSTOP of brunt past its watchdog's patience
	pauseWatchdog = "pause watchdog" // SIGSTOP of the watchdog for a second
	killBox       = "kill box"       // the engine kills container 0
	restartBox    = "restart box"    // the engine restarts container 0
	removeBox     = "remove box"     // the engine removes container 0
	killProcess   = "kill process"   // SIGKILL of process 0
	killUnit      = "kill unit"      // SIGKILL of the first process of container 0, whose restart policy applies
)

// A kill happens some time after an event of brunt's log.
type kill struct {
	What  string `json:"what"`
	Event string `json:"event"` // such as fault.injected; start is brunt's start
	Nth   int    `json:"nth"`   // which of them, from 1
	Delay int    `json:"delay"`
}

// A gap is a time in which the engine's answers to brunt and its watchdog are lost. It counts from brunt's start.
type gap struct {
	// drop: no answer comes; cut: the connection ends in place of the answer; late: it comes after half a second; refuse:
	// no connection
	Mode string `json:"mode"`
	From int    `json:"from"`
	For  int    `json:"for"`
}

func (p program) String() string {
	b, err := json.MarshalIndent(p, "", " ")
	if err != nil {
		panic(err) // it holds numbers and texts
	}
	return string(b)
}

// draw makes the program of a seed. boxes says that there are containers.
func draw(seed uint64, boxes bool) program {
	r := rand.New(rand.NewPCG(seed, 14))
	p := program{Seed: seed}
	all := slices.DeleteFunc(slices.Clone(kinds), func(k kind) bool { return !boxes && k.boxes() })
	grouped := r.IntN(8) == 0
	for range 2 + r.IntN(5) {
		k := all[r.IntN(len(all))]
		f := fault{Kind: k.kind, Settings: k.settings[r.IntN(len(k.settings))], At: 50 + r.IntN(1100)}
		for !boxes && strings.Contains(f.Settings, "BOX") {
			f.Settings = k.settings[r.IntN(len(k.settings))]
		}
		if !k.once {
			f.For = 300 + r.IntN(1200)
		}
		switch {
		case grouped && !k.once && r.IntN(2) == 0:
			f.Group = true
		case !k.once && !k.slow && r.IntN(10) == 0:
			f.Pulse = 200
		case !k.once && r.IntN(10) == 0:
			f.Every = f.For + 300 + r.IntN(500)
		}
		p.Faults = append(p.Faults, f)
	}
	for range []int{0, 1, 1, 1, 1, 1, 2, 2}[r.IntN(8)] {
		p.Kills = append(p.Kills, drawKill(r, boxes))
	}
	if boxes && r.IntN(6) == 0 {
		p.Gaps = append(p.Gaps, gap{
			Mode: []string{"drop", "cut", "late", "refuse"}[r.IntN(4)], From: r.IntN(1800), For: 200 + r.IntN(1500),
		})
	}
	return p
}

func drawKill(r *rand.Rand, boxes bool) kill {
	what := []string{
		killBrunt, killBrunt, killBrunt, killBrunt, killBrunt, killBrunt, killBoth, killBoth, killBoth, killBoth,
		killWatchdog, killWatchdog,
		killChild, interrupt, terminate, pauseBrunt, pauseWatchdog, killProcess, killBox, restartBox, removeBox, killUnit,
	}
	if !boxes {
		what = what[:len(what)-4]
	}
	k := kill{What: what[r.IntN(len(what))], Event: "start", Nth: 1, Delay: r.IntN(2500)}
	if r.IntN(16) == 0 {
		k.What = stopBrunt // it takes as long as the watchdog is patient
	}
	if r.IntN(3) > 0 {
		k.Event = []string{
			"load.start", "fault.injected", "fault.injected", "fault.verified", "fault.reverted", "fault.cleared", "load.end",
		}[r.IntN(7)]
		k.Nth, k.Delay = 1+r.IntN(3), r.IntN(120)
	}
	if k.Event == "load.start" || k.Event == "load.end" {
		k.Nth = 1
	}
	return k
}

// length is the time of the load.
func (p program) length() time.Duration {
	end := 1000
	for _, f := range p.Faults {
		end = max(end, f.At+f.For+f.Every+500)
	}
	return time.Duration(end) * time.Millisecond
}

// scenario is the program's scenario for brunt; unit is the command of a unit of the target.
func (p program) scenario(unit string, names *strings.Replacer) string {
	var b strings.Builder
	fmt.Fprintf(&b, `version: 1
name: safety
seed: %d
target:
  processes:
    web: {command: [%q, unit], replicas: 2, links: [store], ready: {get: /}}
    store: {command: [%[2]q, unit], ready: {get: /}}
  entry: web
load:
  main: {executor: constant-arrival-rate, rate: 20/s, duration: %s, timeout: 300ms, grace: 300ms, flow: [{get: /store}]}
chaos:
`, p.Seed, unit, p.length())
	var steps []string
	first := math.MaxInt // of the group's steps
	for _, f := range p.Faults {
		if f.Group {
			first = min(first, f.At)
		}
	}
	for i, f := range p.Faults {
		settings := strings.NewReplacer("FLAG", fmt.Sprintf("DIR/flag%d", i), "HOOK",
			fmt.Sprintf("HOOKS/%d", i)).Replace(f.Settings)
		what := names.Replace(f.Kind + ": " + settings)
		if f.Group {
			steps = append(steps, fmt.Sprintf("      - {name: s%d, after: %dms, for: %dms, %s}\n", i, f.At-first, f.For, what))
			continue
		}
		timing := fmt.Sprintf("at: %dms", f.At)
		if f.For > 0 {
			timing += fmt.Sprintf(", for: %dms", f.For)
		}
		if f.Pulse > 0 {
			timing += fmt.Sprintf(", pulse: {on: %dms, off: %[1]dms}", f.Pulse)
		}
		if f.Every > 0 {
			timing += fmt.Sprintf(", every: %dms, repeat: 2", f.Every)
		}
		fmt.Fprintf(&b, "  f%d: {%s, %s}\n", i, timing, what)
	}
	if len(steps) > 0 {
		fmt.Fprintf(&b, "  group:\n    at: %dms\n    for: %dms\n    steps:\n%s", first,
			int(p.length().Milliseconds())-first-200, strings.Join(steps, ""))
	}
	return b.String()
}
