// This file reads the results of another tool, vegeta, for a result of brunt.
//
// A file is read twice: [openImported] finds its attacks, its steps and its times, then [importedFile.Each] hands out
// its results, which [importedFile.Outcome] converts. A file that ends in the middle of a result is read up to that
// result.

package run

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
	engine "brunt/targets/vegeta"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// errNoResults means that a file holds no results of vegeta.
var errNoResults = errors.New("it holds no results of vegeta, as gob, JSON or CSV")

// An importedFile holds results of vegeta, as gob, JSON or CSV.
type importedFile struct {
	First, Last time.Time      // the begin of the first request, the end of the last
	Attacks     []string       // names of the attacks, sorted; each is a load
	Series      measure.Series // the attacks and their steps

	name  string
	open  func() (io.ReadCloser, error)
	count int64
	cut   error // error that ended the reading early; nil if the file was read to its end
	names scenarios.RequestNames
	steps map[string]int32 // by attack and name
	loads map[string]int32
}

// openImported reads a file and finds its attacks and their steps. open opens the file each time. An error says why
// it is not a file of vegeta's results.
func openImported(name string, open func() (io.ReadCloser, error)) (*importedFile, error) {
	f := &importedFile{name: name, open: open, steps: map[string]int32{}, loads: map[string]int32{}}
	if err := f.survey(); err != nil {
		return nil, err
	}
	return f, nil
}

// Each calls do with all results, in the order of the file. If the file ends in the middle of a result, it reads only
// the results before.
func (f *importedFile) Each(do func(*vegeta.Result) error) error {
	file, err := f.open()
	if err != nil {
		return err
	}
	defer file.Close()
	decode := vegeta.DecoderFor(file)
	if decode == nil {
		return errNoResults
	}
	for {
		var res vegeta.Result
		if err := decode(&res); err != nil {
			if !errors.Is(err, io.EOF) {
				f.cut = err
			}
			return nil
		}
		if err := do(&res); err != nil {
			return err
		}
	}
}

// survey finds the begin of the attacks, and their steps.
func (f *importedFile) survey() error {
	err := f.Each(func(res *vegeta.Result) error {
		f.count++
		if f.First.IsZero() || res.Timestamp.Before(f.First) {
			f.First = res.Timestamp
		}
		if end := res.End(); end.After(f.Last) {
			f.Last = end
		}
		if name := attackName(res); !slices.Contains(f.Attacks, name) {
			if len(f.Attacks) == mostAttacks {
				return fmt.Errorf("it holds more than %d attacks", mostAttacks)
			}
			f.Attacks = append(f.Attacks, name)
		}
		f.names.Count(stepName(res))
		return nil
	})
	if err == nil && f.count == 0 {
		err = errNoResults
	}
	if err != nil {
		return err
	}
	slices.Sort(f.Attacks)
	for i, name := range f.Attacks {
		f.loads[name] = int32(i)
		f.Series.Loads = append(f.Series.Loads, measure.SeriesLoad{Name: name, Closed: true})
	}
	for i := range f.Attacks { // before the first outcome
		for _, name := range f.names.List() {
			f.step(int32(i), name)
		}
	}
	return nil
}

const mostAttacks = 20

// attackName returns the name of the attack, or a default if it has none.
func attackName(res *vegeta.Result) string {
	if res.Attack == "" {
		return "attack"
	}
	return res.Attack
}

// stepName names the request of a result. Older files do not record the request.
func stepName(res *vegeta.Result) string {
	if res.Method == "" {
		return "request"
	}
	return scenarios.RequestName(res.Method, res.URL)
}

// Refer checks that the steps and loads that objectives name exist in the file.
func (f *importedFile) Refer(list []slo.Objective) error {
	names := f.names.List()
	for _, o := range list {
		switch {
		case o.Metric.OfTraces():
			return fmt.Errorf("`%s`: an import holds no spans of the target", o.Text)
		case !o.PhaseOrRun().OfRun() || o.Metric.AfterLoad():
			return fmt.Errorf("`%s`: an import has no faults", o.Text)
		case o.Metric.OfSeries():
			return fmt.Errorf("`%s`: an import holds no metrics of the target", o.Text)
		case o.Step != "" && o.Step != "iteration" && !slices.Contains(names, o.Step):
			return fmt.Errorf("`%s`: there is no step %q; %s", o.Text, o.Step, syntax.DidYouMean(o.Step, names))
		case o.Load != "" && !slices.Contains(f.Attacks, o.Load):
			return fmt.Errorf("`%s`: there is no attack %q; %s", o.Text, o.Load, syntax.DidYouMean(o.Load, f.Attacks))
		}
	}
	return nil
}

// step returns the number of the step of a result.
func (f *importedFile) step(attack int32, name string) int32 {
	name = f.names.Of(name)
	key := fmt.Sprint(attack, " ", name)
	n, ok := f.steps[key]
	if !ok {
		n = int32(len(f.Series.Steps))
		f.Series.Steps = append(f.Series.Steps, measure.SeriesStep{Name: name, Load: int(attack)})
		f.steps[key] = n
	}
	return n
}

// Outcome converts a result to an outcome.
func (f *importedFile) Outcome(res *vegeta.Result) scenarios.Outcome {
	at := res.Timestamp.Sub(f.First)
	attack := f.loads[attackName(res)]
	o := scenarios.Outcome{
		Load: attack, Step: f.step(attack, stepName(res)), Closed: true, Status: int32(res.Code), Bytes: int64(res.BytesIn),
		Intended: at, Ready: at, Slot: at, Sent: at, First: at, End: at + max(0, res.Latency), WasSent: true,
		Answered: res.Code != 0,
	}
	switch {
	case res.Code >= http.StatusBadRequest || res.Code != 0 && res.Code < http.StatusOK:
		o.Kind, o.Cause = scenarios.Error, scenarios.Status(int(res.Code))
	case res.Code == 0 || res.Error != "":
		o.Kind, o.Cause, o.Answered = scenarios.Error, engine.CauseOf(res.Error), false
	}
	return o
}

// Notes describes information about the file that the result does not show.
func (f *importedFile) Notes() []string {
	notes := []string{fmt.Sprintf("imported from %s: %s of vegeta's. Response times are service times, as vegeta "+
		"counts from when a worker took the request; "+
		"where all its workers were busy, the wait for one is in no figure", filepath.Base(f.name),
		syntax.Amount(int(f.count), "result"))}
	if f.cut != nil {
		notes = append(notes, fmt.Sprintf("%s could not be read to its end: %v", filepath.Base(f.name), f.cut))
	}
	return notes
}
