package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"

	"brunt/scenarios/syntax"

	"brunt/chaos/cgroup"
	"brunt/targets/platform/docker"
)

// Scope is what a target is made of, as far as it is known before it runs.
type Scope struct {
	Services     map[string]int  // replicas of each service that brunt starts
	Unsupervised []string        // services among them that nobody starts again when they crash
	Zones        Zones           // of the units that stand in one
	Found        map[string]bool // services among them that are found only in the run, with as many replicas as there are then
	Containers   bool            // the services run in containers
	Edges        []EdgeName      // declared links, by service; LoadName begins those of the load
	External     string          // host:port of a target that runs already
	TLS          bool            // the load speaks TLS, so that HTTP faults can't see it
	H2C          bool            // it speaks HTTP/2 without TLS, which they don't read

	Host func(u *url.URL) error // refuses what is known not to be callable; nil refuses nothing

	// Void is told, instead of a mistake, that a fault will match nothing: with
	// `on_no_unit: skip` it is skipped then. Nil is that it is a mistake.
	Void func(why string)
}

// NoMatch notes that nothing matches. A name that is nearly one that there is was misspelt,
// whatever is allowed.
func (sc *Scope) NoMatch(at syntax.Pos, m *syntax.Mistakes, hint, format string, args ...any) {
	if sc.Void == nil || strings.HasPrefix(hint, "did you mean") {
		m.AddHint(at, hint, format, args...)
		return
	}
	if why := fmt.Sprintf(format, args...); hint != "" {
		sc.Void(why + "; " + hint)
	} else {
		sc.Void(why)
	}
}

// EdgeName is a link from one service to another.
type EdgeName struct{ From, To string }

// LoadName is what the load is called as the beginning of an edge, TargetName what
// a target without services is called as its end.
const (
	LoadName   = "load"
	TargetName = "target"
)

// Env is what a fault may touch in a run.
type Env struct {
	Units    []Unit
	Links    []*Link
	Zones    Zones
	Rand     *rand.Rand // of this occurrence, by the run's seed
	MaxUnits int        // units that a fault may hit; zero is no bound
	Dry      bool       // nothing runs yet, and nothing will be done
	Now      func() time.Duration
	Run      string        // its name, which the environment of whatever is started carries
	Burner   []string      // brunt's own command line for a child that uses up what a unit is to be short of; nil is that there can be none
	Groups   cgroup.System // where units' control groups are; zero is this machine
	State    string        // the directory of the journal, which is to have room; empty is nowhere
	// Ask asks a unit by HTTP whether it leads; an error says why it does not. Nil is
	// that nobody can.
	Ask func(ctx context.Context, l *Leader, u Unit) error

	Addresses map[string]string  // what ${unit.…} stands for, by the text of the placeholder
	Allow     [][]string         // lists of what calls may go to besides loopback, as guard.allow.chaos has it; all must hold it
	At        func(point string) // is called where brunt could die within an injection, for tests; nil is nobody

	Extend func(u Undo) error // writes an undo down, beside those of the step that is in; nil writes nothing
	Block  syntax.Block       // of the fault that is planned, as its author wrote it
	Agents Agents             // reach what brunt may not touch itself; nil is that brunt does all itself

	// Find finds containers of the engine that brunt did not start. Nil is that no engine is
	// known.
	Find func(ctx context.Context, q docker.Query) ([]docker.Container, *docker.Engine, error)

	// Spare gives why a unit, or a link from->to, may not be touched, or nil. Nil spares
	// none.
	Spare func(name string) error
}

func (e Env) Point(name string) {
	if e.At != nil {
		e.At(name)
	}
}
