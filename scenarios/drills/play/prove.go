package play

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// A Prover proves drills: each passes on the good system of its proof, and fails on each of its mutants.
type Prover struct {
	Subject Subject // the good system; File names another system than the built-in one
	Times   int     // how often each system is tried
	// params of the scenario that take a defence away, NAME=VALUE: each makes a mutant, which must fail by an objective
	// of the drill. They replace the mutants of the drill's proof.
	Without []string
	Dir     string // for all reports; if empty, brunt-results gets those of runs that refute a proof
	Page    string // the file name of the page for people in the folder of a report

	// Run performs a run and writes its report to a folder.
	Run func(ctx context.Context, p *plan.Plan, dir string) (*result.Result, error)
	// Judged is called with each judgement of a run, and the time that it took.
	Judged func(t *Trial, j drills.Judgement, took time.Duration)
}

// A Trial is a drill laid over one system of its proof.
type Trial struct {
	Drill *drills.Drill

	laid   *Laid
	mutant *drills.Mutant // nil: the good system
}

// System names the system: a mutant, or [drills.Good].
func (t *Trial) System() string {
	if t.mutant == nil {
		return drills.Good
	}
	return t.mutant.Name
}

// Lay lays drills over all systems of their proofs and compiles each, so that a mistake is found before the first
// run. An empty list of names stands for all drills of the library, but for those of real systems alone.
func (p *Prover) Lay(names []string) ([]*Trial, error) {
	if len(names) == 0 {
		all, err := drills.Library()
		if err != nil {
			return nil, err
		}
		for _, d := range all {
			if d.Proof.OnBuiltin() {
				names = append(names, d.Name)
			}
		}
	}
	var out []*Trial
	for _, name := range names {
		trials, err := p.trials(name)
		if err != nil {
			return nil, err
		}
		out = append(out, trials...)
	}
	return out, nil
}

// trials lays a drill over the systems of its proof.
func (p *Prover) trials(name string) ([]*Trial, error) {
	d, set, err := p.Subject.find(name, p.Subject.Set)
	if err != nil {
		return nil, err
	}
	switch {
	case p.Subject.File != "" && (len(p.Without) > 0 || !d.Proof.OnBuiltin()):
		return p.own(d, set)
	case !d.Proof.OnBuiltin():
		return nil, scenarios.Usagef("the drill %s is proved on %s by the tests of brunt, not on the built-in system; "+
			"`brunt drill prove %s --scenario FILE --without PARAM=VALUE` proves it on a system of yours",
			d.Name, strings.Join(d.Proof.Systems, ", "), d.Name)
	}
	if len(d.Proof.Mutants) == 0 {
		return nil, scenarios.Usagef("the drill %s has no mutant, so that nothing shows that it can fail", d.Name)
	}
	mutants := []*drills.Mutant{nil}
	for i := range d.Proof.Mutants {
		mutants = append(mutants, &d.Proof.Mutants[i])
	}
	var out []*Trial
	for _, mutant := range mutants {
		laid, err := p.over(d, mutant, set)
		if err != nil {
			return nil, err
		}
		if _, err := p.Subject.Compile(laid.Source); err != nil {
			return nil, err
		}
		out = append(out, &Trial{d, laid, mutant})
	}
	return out, nil
}

// own lays a drill over the system of the scenario, as `brunt drill run` does, and over its mutants.
func (p *Prover) own(d *drills.Drill, set map[string]string) ([]*Trial, error) {
	objectives := make([]string, 0, len(d.SLO))
	for i := range d.SLO {
		objectives = append(objectives, d.SLO[i].Name)
	}
	var out []*Trial
	for _, without := range append([]string{""}, p.Without...) {
		params, t := maps.Clone(set), &Trial{Drill: d}
		if without != "" {
			name, value, named := strings.Cut(without, "=")
			if !named {
				return nil, scenarios.Usagef("--without wants NAME=VALUE, not %q", without)
			}
			if slices.Contains(d.ParamNames(), name) {
				return nil, scenarios.Usagef("--without %s: %s is a param of the drill; name one of the scenario that takes "+
					"a defence away", without, name)
			}
			params[name], t.mutant = value, &drills.Mutant{Name: without, Fails: objectives}
		}
		base, err := p.Subject.base(d, nil, params)
		if err != nil {
			return nil, err
		}
		if t.laid, err = p.Subject.over(base, d, nil, params); err != nil {
			return nil, err
		}
		if _, err := p.Subject.Compile(t.laid.Source); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// over lays a drill over one system of its proof.
func (p *Prover) over(d *drills.Drill, mutant *drills.Mutant, set map[string]string) (*Laid, error) {
	base, err := p.Subject.base(d, mutant, set)
	if err != nil {
		return nil, err
	}
	roles := d.Proof.Roles.Map()
	if mutant == nil {
		if err := d.Bind(drills.SystemOf(base.Plan), roles); err != nil {
			return nil, scenarios.Usage(err)
		}
	}
	laid, err := d.Lay(base, roles)
	if err != nil {
		return nil, err
	}
	return &Laid{laid, Source{Path: place(base, d), Text: laid.Text, Set: set}}, nil
}

// Prove runs the trials until ctx ends, or until a fault could not be taken back. The exit code says whether all drills
// are proved. An error ends the trials.
func (p *Prover) Prove(ctx context.Context, trials []*Trial) (records []drills.Record, code int, err error) {
	code = scenarios.ExitPass
	for _, t := range trials {
		one, err := p.try(ctx, t)
		records = append(records, one)
		var ends endsError
		switch {
		case errors.As(err, &ends):
			return records, ends.code, nil
		case errors.Is(err, errNothingSent):
			return records, scenarios.ExitInvalid, nil
		case err != nil:
			return records, code, err
		case one.Proved < one.Runs:
			code = scenarios.ExitFail
		case one.Runs < p.Times && code == scenarios.ExitPass:
			code = scenarios.ExitInvalid
		}
		if by, ok := errors.AsType[run.Interrupt](context.Cause(ctx)); ok {
			return records, by.Code, nil
		} else if ctx.Err() != nil {
			return records, scenarios.ExitInterrupted, nil
		}
	}
	return records, code, nil
}

// try runs a drill on one system as often as Times says.
func (p *Prover) try(ctx context.Context, t *Trial) (drills.Record, error) {
	one := drills.Record{Drill: t.Drill.Name, System: t.System()}
	if p.Subject.isBuiltin() {
		one.Digest = t.Drill.Digest(t.mutant)
	}
	for range p.Times {
		var j drills.Judgement
		for range mostTries {
			var sent bool
			var err error
			began := time.Now()
			j, sent, err = p.once(ctx, t)
			if errors.As(err, new(endsError)) {
				p.Judged(t, j, time.Since(began))
				one.Runs++
				one.Why = cmp.Or(one.Why, j.Why)
			}
			if err != nil || context.Cause(ctx) != nil {
				return one, err
			}
			p.Judged(t, j, time.Since(began))
			if j.Answer != drills.Spoilt {
				break
			}
			one.Spoilt++
			if !sent {
				return one, errNothingSent
			}
		}
		if j.Answer == drills.Spoilt {
			continue
		}
		one.Runs++
		one.Figures = append(one.Figures, j.Figure)
		if j.Answer == drills.Proved {
			one.Proved++
		} else if one.Why == "" {
			one.Why = j.Why
		}
	}
	return one, nil
}

// asFileName replaces the characters of a mutant's name that a file name can't have everywhere.
var asFileName = strings.NewReplacer("/", "-", `\`, "-", ":", "-")

// errNothingSent means that a run sent no request, because its system did not start. No further run would.
var errNothingSent = errors.New("no request was sent")

// An endsError means that no further run may follow: a fault could not be taken back, or brunt itself failed.
type endsError struct{ code int } // of the run

func (e endsError) Error() string { return scenarios.Exit(e.code).Error() }

// once runs a drill on one system, and reports whether the run sent a request. It keeps the report if Dir names a
// folder, or if the run refutes the proof.
func (p *Prover) once(ctx context.Context, t *Trial) (j drills.Judgement, sent bool, err error) {
	compiled, err := p.Subject.Compile(t.laid.Source)
	if err != nil {
		return j, false, err
	}
	dir := filepath.Join(cmp.Or(p.Dir, "brunt-results"),
		fmt.Sprintf("prove-%s-%s-%d", t.Drill.Name, asFileName.Replace(t.System()), time.Now().UnixMilli()))
	res, err := p.Run(ctx, compiled, dir)
	if err != nil || res == nil {
		return j, false, err
	}
	sent = res.Generator.Sent > 0
	j = t.Drill.Judge(t.laid.Laid, t.mutant, res)
	if p.Dir == "" && j.Answer != drills.Refuted {
		err := os.RemoveAll(dir)
		_ = os.Remove(filepath.Dir(dir)) // if it is empty
		return j, sent, err
	}
	if j.Answer == drills.Refuted {
		j.Why += "; " + filepath.Join(dir, p.Page)
	}
	if res.Verdict == scenarios.NotReverted || res.Verdict == scenarios.Broken {
		return j, sent, endsError{res.ExitCode}
	}
	return j, sent, nil
}
