// Package ab runs a scenario against two sides, such as two builds of a server, and tells whether the second is worse
// than the first. [brunt/scenarios/decide/compare] has the statistics; this package builds the sides, and decides which
// runs are made.
//
//	side.go     a side: a URL, a command, an image, a work tree of git, params
//	ab.go       the comparison: pairs until the answer is clear
//	pair.go     a pair of runs, and the pairs that are made again
//	switched.go rounds in which the load is switched between both sides
//	round.go    the samples of a round that goes on
package ab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/load"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/syntax"
)

// Settings configure a comparison.
type Settings struct {
	Options    compare.Options
	Build      string        // shell command that builds a side of git in its work tree; may be empty
	Concurrent bool          // run both sides at once, with half of the arrivals each
	InTurns    bool          // make whole runs, the two sides in turns
	NoChaos    bool          // inject no fault
	Block      time.Duration // length of a block of a switchback, in whole seconds
	Pairs      int           // most pairs of runs, or most rounds of a switchback
	Confirm    int           // new pairs that confirm a failure of runs in turns
	Fixed      bool          // keep Confirm even if the budget is small
	Budget     time.Duration // for all pairs, instead of Pairs; zero: none
}

// Check returns a mistake in the settings, a [scenarios.UsageError].
func (s *Settings) Check() error {
	switch {
	case s.InTurns && s.Concurrent:
		return scenarios.Usagef("--in-turns and --concurrent exclude each other")
	case s.Block < LeastBlock || s.Block%time.Second != 0:
		return scenarios.Usagef("--block %s: want whole seconds, 3s or more", s.Block)
	case s.Confirm < 2 || s.Pairs < 2:
		return scenarios.Usagef("--pairs and --confirm are at least 2: one pair does not show how much pairs differ")
	}
	return nil
}

// A Comparison runs a scenario against two sides, and compares them.
type Comparison struct {
	Settings Settings
	Path     string // of the scenario
	// returns the folder for the results, from the name of the scenario
	Folder func(name string) string
	// compiles a side's scenario, with its params
	Plan func(file string, params []string) (*plan.Plan, error)
	// performs a run, and writes its report to dir
	Run func(ctx context.Context, p *plan.Plan, dir string, w Within) (*result.Result, error)
	// for progress and warnings
	Log io.Writer

	a, b   *Side
	files  map[*Side]string
	folder string
	began  time.Time
	number int // pairs begun
	kept   int // pairs that count
	rhythm rhythm
	met    *meeting      // where the two sides of a round wait for each other
	round  *round        // of a switchback: the current round
	as, bs []compare.Run // of a switchback: the blocks of earlier rounds
	whole  time.Duration // length of a run
	one    func(ctx context.Context, s *Side, n int) (compare.Run, error)
	runs   plan.Runs
}

// A rhythm says how a switchback alternates between the sides.
type rhythm struct {
	each  time.Duration // length of the blocks; zero: no switchback
	takes time.Duration // length of the load of a round
	seed  uint64        // of the order of blocks
}

// Within says how the run of one side goes along with that of the other. Its fields are the settings of [run.Options]
// with the same names. It is zero for runs in turns.
type Within struct {
	Blocks []load.Span
	Await  func(ctx context.Context) error
	Begun  func(sample run.Sampler)
}

// An Outcome is the result of a comparison.
type Outcome struct {
	Found    *compare.Comparison // nil: there is no comparison
	Decision *result.Decision    // in words, without the exit code; nil without Found
	Folder   string              // of the results; empty if nothing was run
}

// Compare builds the sides a and b in dir, runs them in pairs until the answer is clear, and removes what it built.
// If it returns an error, the outcome is the comparison of the pairs made so far, which decides nothing. For a run
// that did not end, the error is a [scenarios.Exit] with the exit code of the run.
func (x *Comparison) Compare(ctx context.Context, a, b *Side, dir string) (o Outcome, err error) {
	x.a, x.b, x.began, x.one = a, b, time.Now(), x.run
	if err = x.prepare(ctx, dir); err == nil {
		o, err = x.play(ctx)
	}
	return o, errors.Join(err, a.remove(), b.remove())
}

// Sides builds the sides a and b in dir, calls do for a and then for b with the file and the params of the side, and
// removes what it built. It ends with the first error.
func (x *Comparison) Sides(
	ctx context.Context, a, b *Side, dir string, do func(file string, params []string) error,
) error {
	each := func(s *Side) error {
		file, err := x.checkOut(ctx, s, dir)
		if err != nil {
			return err
		}
		return do(file, s.params)
	}
	err := each(a)
	if err == nil {
		err = each(b)
	}
	return errors.Join(err, a.remove(), b.remove())
}

// checkOut builds a side in dir, and returns the file of its scenario.
func (x *Comparison) checkOut(ctx context.Context, s *Side, dir string) (file string, err error) {
	if err := s.checkOut(ctx, dir, x.Settings.Build); err != nil {
		return "", err
	}
	return s.file(x.Path, dir)
}

// prepare builds the sides and compiles both once, so that mistakes are reported before the first run.
func (x *Comparison) prepare(ctx context.Context, dir string) error {
	x.files = map[*Side]string{}
	var whole time.Duration
	var plans []*plan.Plan
	for _, s := range []*Side{x.a, x.b} {
		file, err := x.checkOut(ctx, s, dir)
		if err != nil {
			return err
		}
		x.files[s] = file
		plan, err := x.planned(s)
		if err != nil {
			return err
		}
		if !x.Settings.NoChaos {
			if err := plan.Repeatable(); err != nil {
				return err
			}
		}
		whole, plans = max(whole, plan.Takes()), append(plans, plan)
	}
	x.arrange(plans[0], plans[1])
	x.whole = whole
	if err := x.fit(); err != nil {
		return err
	}
	x.folder = x.Folder(plans[0].Scenario.Name)
	x.announce()
	return os.MkdirAll(x.folder, 0o777)
}

func (x *Comparison) planned(s *Side) (*plan.Plan, error) {
	plan, err := x.Plan(x.files[s], s.params)
	if url := s.over["url"]; url != nil && errors.As(err, new(*syntax.MistakesError)) {
		if _, own := x.Plan(x.Path, s.params); !errors.As(own, new(*syntax.MistakesError)) {
			fmt.Fprintf(x.Log, "--%s: this URL is the target, in place of that of %s: "+
				"leave out the faults, as --no-chaos does, and the objectives that need the services of that one\n",
				s.letter, x.Path)
		}
	}
	if err == nil && x.Settings.Concurrent {
		if err = plan.Share(.5); err != nil {
			err = scenarios.Usage(err)
		}
	}
	return plan, err
}

// play runs pairs until the verdict is clear, and confirms a regression by new pairs.
func (x *Comparison) play(ctx context.Context) (Outcome, error) {
	if x.rhythm.each > 0 {
		if o, err := x.switched(ctx); !errors.Is(err, errApart) {
			return o, err
		}
		x.rhythm.each = 0
		if err := x.fit(); err != nil {
			return Outcome{}, err
		}
		x.announce()
	}
	seq := compare.Sequence{Max: x.Settings.Pairs, Alpha: x.Settings.Options.Alpha}
	var as, bs []compare.Run
	var found *compare.Comparison
	for done := false; !done; {
		a, b, err := x.pair(ctx)
		if err != nil {
			return x.unended(found, endedEarly), err
		}
		as, bs = append(as, a), append(bs, b)
		if !seq.Looks(len(as)) {
			continue
		}
		if found, done, err = seq.Look(as, bs, x.Settings.Options); err != nil {
			return Outcome{}, scenarios.Usage(err)
		}
		fmt.Fprintf(x.Log, "after %d pairs: %s\n", len(as), found.Verdict)
	}
	if found.Verdict == scenarios.Regression {
		if err := x.confirmed(ctx, found); err != nil {
			return x.unended(found, "it was ended before new pairs confirmed this"), err
		}
	}
	return x.outcome(found), nil
}

// confirmed checks the rows that failed against new pairs.
func (x *Comparison) confirmed(ctx context.Context, found *compare.Comparison) error {
	fmt.Fprintf(x.Log, "%s; confirming it with %d new pairs\n", found.Reason, x.Settings.Confirm)
	var as, bs []compare.Run
	for range x.Settings.Confirm {
		a, b, err := x.pair(ctx)
		if err != nil {
			return err
		}
		as, bs = append(as, a), append(bs, b)
	}
	return found.Confirm(as, bs, x.Settings.Options)
}
