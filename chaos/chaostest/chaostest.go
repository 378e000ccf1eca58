// Package chaostest is the conformance suite of faults: a plan only reads; Verify succeeds with an effect and fails
// without one; a revert can be repeated, by the run or by any process that finds the journal; after the revert the
// effect is gone.
package chaostest

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/journal"
	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/scenarios/syntax"
)

// A World is a system to inject faults into.
type World struct {
	Scope chaos.Scope
	Env   chaos.Env
	// Spoil removes the injected fault without its knowledge, so that it has no effect. Nil means that faults in this
	// world have no effect from the start.
	Spoil func()
	// Undoes says that Spoil undoes the fault as another program would, so that its early end is noticed.
	Undoes bool
	// Idle says that the units do nothing, so that a fault on what they use is proved in part alone.
	Idle bool
	// Starved says that the fault takes more than there is, and is over with that before its time.
	Starved bool
	// Faults is the list that has the fault; nil is [catalog.Faults].
	Faults catalog.List
	// Operations replace the undo operations of the faults.
	Operations []chaos.Operation
}

// faults returns the list that has the fault.
func (w *World) faults() catalog.List {
	if w.Faults != nil {
		return w.Faults
	}
	return catalog.Faults()
}

// operations returns the undo operations of the world.
func (w *World) operations() chaos.Operations {
	all := w.faults().Operations()
	maps.Copy(all, chaos.OperationsOf(w.Operations))
	return all
}

// Run runs the suite on the fault in yaml, such as `process.crash: {service: web}`. build makes a
// world for it, in which the fault has an effect or none.
func Run(t *testing.T, yaml string, build func(t *testing.T, effective bool) World) {
	t.Run("effect", func(t *testing.T) { Effect(t, yaml, build(t, true)) })
	t.Run("no effect", func(t *testing.T) { NoEffect(t, yaml, build(t, false)) })
	t.Run("journal", func(t *testing.T) { Journal(t, yaml, build(t, true)) })
}

// Parse decodes the fault in yaml.
func Parse(t *testing.T, yaml string) (chaos.Fault, syntax.Block) {
	t.Helper()
	return parse(t, yaml, catalog.Faults())
}

// parse decodes the fault in yaml, of a kind in the list.
func parse(t *testing.T, yaml string, faults catalog.List) (chaos.Fault, syntax.Block) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	text := "version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\nload: {main: {executor: constant-arrival-rate, rate: " +
		"1/s, duration: 1s, flow: [{get: " +
		"/}]}}\nchaos:\n  it:\n    at: 1s\n    for: 1s\n    " + yaml + "\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	sc, err := scenarios.Parse(file, scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var m syntax.Mistakes
	f, ok := syntax.Resolve(sc.Faults[0].Block, faults.Kinds(), &m)
	if !ok {
		t.Fatal(m.Err())
	}
	return f, sc.Faults[0].Block
}

// Mistakes returns the mistakes in the settings of the fault in yaml.
func Mistakes(t *testing.T, yaml string, sc chaos.Scope) string {
	t.Helper()
	f, b := Parse(t, yaml)
	var m syntax.Mistakes
	f.Check(b.Pos, sc, &m)
	if err := m.Err(); err != nil {
		return err.Error()
	}
	return ""
}

// amount matches a number of bytes. A unit's usage changes from one plan to the next, and so do
// amounts derived from it.
var amount = regexp.MustCompile(`\b[0-9.]+ ?[KMG]i?B\b`)

// Plan makes the steps of the fault in yaml, and checks that a second plan is equal except for
// amounts.
func Plan(t *testing.T, yaml string, w World) []chaos.Step {
	t.Helper()
	f, b := parse(t, yaml, w.faults())
	var m syntax.Mistakes
	f.Check(b.Pos, w.Scope, &m)
	if err := m.Err(); err != nil {
		t.Fatal(err)
	}
	w.Env.Kind, w.Env.Fault = b.Kind, f
	var steps []chaos.Step
	var before []string
	for range 2 {
		env := w.Env
		env.Rand = rand.New(rand.NewPCG(1, 2))
		var err error
		if steps, err = f.Plan(t.Context(), env); err != nil {
			t.Fatal(err)
		}
		var now []string
		for _, s := range steps {
			now = append(append(now, amount.ReplaceAllString(s.String(), "an amount"), s.Via()), s.Units()...)
		}
		if before != nil && !slices.Equal(before, now) {
			t.Errorf("planned twice with one seed, it differs: %q, %q", before, now)
		}
		before = now
	}
	if len(steps) == 0 {
		t.Fatal("no step")
	}
	for _, s := range steps {
		if s.String() == "" || s.Via() == "" || len(s.Units()) == 0 {
			t.Errorf("a step does not say what it does: %q by %q to %q", s, s.Via(), s.Units())
		}
	}
	return steps
}

func inject(t *testing.T, steps []chaos.Step) []chaos.Held {
	t.Helper()
	var held []chaos.Held
	for _, s := range steps {
		h, err := s.Inject(t.Context())
		if err != nil {
			t.Fatalf("injecting: %v", err)
		}
		held = append(held, h)
	}
	return held
}

const (
	patience   = 20 * time.Second
	searchTime = 2 * time.Second // for an effect that does not exist
)

// Effect runs the suite in a world in which the fault has an effect.
func Effect(t *testing.T, yaml string, w World) {
	held := inject(t, Plan(t, yaml, w))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, h := range held {
		evidence, err := h.Verify(ctx)
		if part, ok := errors.AsType[chaos.NotShownError](err); ok && w.Idle {
			t.Log(part)
			err = nil
		}
		if err != nil || evidence == "" {
			t.Errorf("verifying: %q, %v", evidence, err)
		}
		t.Log("there: " + evidence)
		if err := endedEarly(ctx, h); (err != nil) != w.Starved {
			t.Errorf("over before its time: %v", err)
		}
	}
	for range 2 {
		for i := len(held) - 1; i >= 0; i-- {
			if o, err := held[i].Revert(ctx); err != nil || o == chaos.Failed {
				t.Errorf("reverting: %s, %v", o, err)
			}
		}
	}
	gone(t, ctx, held)
}

// endedEarly returns how a held fault ended before its revert; nil means that it has not.
func endedEarly(ctx context.Context, h chaos.Held) error {
	ended := h.Traits().Ended
	if ended == nil {
		return nil
	}
	return ended(ctx)
}

func gone(t *testing.T, ctx context.Context, held []chaos.Held) {
	t.Helper()
	for _, h := range held {
		evidence, err := h.Gone(ctx)
		if err != nil || evidence == "" {
			t.Errorf("gone: %q, %v", evidence, err)
		}
		if down := strings.Contains(evidence, "stays down"); down != h.Traits().StaysDown {
			t.Errorf("stays down %t, and gone says %q", !down, evidence)
		}
		t.Log("gone: " + evidence)
	}
}

// NoEffect runs the suite in a world in which the fault has no effect.
func NoEffect(t *testing.T, yaml string, w World) {
	held := inject(t, Plan(t, yaml, w))
	if w.Spoil != nil {
		w.Spoil()
	}
	ctx, cancel := context.WithTimeout(t.Context(), searchTime)
	defer cancel()
	noticed := false
	for _, h := range held {
		evidence, err := h.Verify(ctx)
		if early := new(chaos.EndedEarlyError); w.Undoes && !suite.Within(patience, func() bool {
			return errors.As(endedEarly(t.Context(), h), early) && !early.At.IsZero()
		}) {
			t.Error("its early end was not noticed, or not when it was")
		} else if w.Undoes {
			t.Log("ended early: " + early.Error())
		}
		if err != nil {
			noticed = true
			t.Log("noticed: " + err.Error())
			continue
		}
		t.Logf("taken for an effect: %s", evidence)
	}
	if !noticed {
		t.Error("a fault without effect was verified")
	}
	ctx, cancel = context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, h := range held {
		if o, err := h.Revert(ctx); err != nil {
			t.Errorf("reverting: %s, %v", o, err)
		}
	}
}

// Journal reverts the fault as a watchdog would, from the journal alone.
func Journal(t *testing.T, yaml string, w World) {
	steps := Plan(t, yaml, w)
	undos := 0
	for _, s := range steps {
		for _, u := range s.Undo() {
			if u.Op != "brunt.end" { // a watchdog would kill brunt, which is this test
				undos++
			}
		}
	}
	if undos == 0 {
		t.Skip("it dies with brunt, or is over once it is done")
	}
	dir := t.TempDir()
	j, err := journal.Open(w.operations(), dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if _, err := j.Intent(chaos.Intent{Fault: "it", What: s.String(), Undo: s.Undo()}); err != nil {
			t.Fatal(err)
		}
	}
	held := inject(t, steps)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	unlocked(t, dir)
	taken, err := journal.Recover(t.Context(), w.operations(), dir, "revert")
	if err != nil || len(taken) != len(steps) {
		t.Fatalf("taken back: %+v, %v", taken, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	gone(t, ctx, held)
	for _, h := range held {
		if o, err := h.Revert(ctx); err != nil {
			t.Errorf("reverting what the journal has taken back: %s, %v", o, err)
		}
	}
	if again, err := journal.Recover(t.Context(), w.operations(), dir, "revert"); err != nil || len(again) != 0 {
		t.Errorf("taken back once more: %+v, %v", again, err)
	}
}

// unlocked waits until no process holds a journal: a child that another test starts has it open until
// its exec.
func unlocked(t *testing.T, dir string) {
	t.Helper()
	var states []journal.State
	if !suite.Within(patience, func() bool {
		var err error
		if states, err = journal.List(dir); err != nil || len(states) != 1 {
			t.Fatalf("journals: %+v, %v", states, err)
		}
		return !states[0].Alive
	}) {
		t.Fatalf("journals: %+v", states)
	}
}
