package capacity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
)

// DoseOptions bound the search for the dose of a fault that a target tolerates. The comment of each field gives the
// meaning of its zero value.
type DoseOptions struct {
	From      float64 // the smallest dose; zero is no fault at all, or Step if Falling
	To        float64 // the largest dose; more than From
	Step      float64 // the doses are multiples of it; more than zero
	Falling   bool    // a larger dose does less harm, such as a rate of bytes; the search then knows no dose 0
	Grid      int     // number of doses after the smallest, before the bisection; zero is 6
	Precision float64 // width of the interval, as a share of its larger end; zero is 10 %
	Confirm   int     // number of probes of which a majority decides; odd; zero is 3
	// probability that the interval holds the dose at which half of all runs fail; zero is 95 %
	Confidence float64
	Tried      func(search.Try) // the dose is the rate of the try
}

// LeastGrid is the least and the default number of doses of the grid.
const LeastGrid = 6

// defaultConfidence is that of an interval of doses.
const defaultConfidence = .95

// A BaselineError means that the target does not meet its objectives without the fault.
type BaselineError struct {
	Why string // what a probe observed
}

func (e BaselineError) Error() string {
	return "the objectives fail without the fault already: " + e.Why
}

// errNoDose means that no dose could be judged.
var errNoDose = errors.New("the generator was the limit at every dose")

type tolerating struct {
	panel
	o       DoseOptions
	doses   []search.Dosed // from the smallest
	low     search.Dosed
	high    search.Dosed
	limited float64
}

// noFault is the dose that stands for a run without the fault if a larger dose does less harm. Otherwise 0 does.
var noFault = math.Inf(1)

// Tolerate searches for the lowest dose at which the answer of the target changes. A majority of probes decides on
// each dose of a grid, because a client that gives up early makes harm fall again at larger doses. Between two doses
// of the grid the search sees no change that is undone before the next one. The first change is bisected.
//
// Each end of the interval is then probed afresh, n times, and stays if all n answers are the wanted one; else the end
// moves outwards to the next decided dose, for which n grows by one. The first n is log2(2/(1 - confidence)), rounded
// up. At a dose beyond the true change at least half of the runs contradict, so all n agree with a probability of at
// most 2^-n, and the sum over all attempts is at most 1 - confidence. Both ends cannot be beyond it at once. Old probes
// do not count, as they have chosen the end.
//
// A target that fails without the fault is a [BaselineError].
func Tolerate(ctx context.Context, p Prober, o DoseOptions) (*search.Tolerance, error) {
	o.Grid = cmp.Or(o.Grid, LeastGrid)
	o.Precision = cmp.Or(o.Precision, .1)
	o.Confidence = cmp.Or(o.Confidence, defaultConfidence)
	var err error
	o.Confirm, err = majority(o.Confirm)
	switch {
	case err != nil:
		return nil, err
	case !(o.Step > 0) || !(o.To > o.From) || !(o.From >= 0) || math.IsInf(o.To, 0):
		return nil, fmt.Errorf("doses from %v to %v in steps of %v", o.From, o.To, o.Step)
	case o.Grid < LeastGrid:
		return nil, fmt.Errorf("a grid of %d doses is too coarse; it takes %d", o.Grid, LeastGrid)
	case !(o.Confidence > 0 && o.Confidence < 1):
		return nil, fmt.Errorf("a confidence of %v", o.Confidence)
	}
	t := &tolerating{o: o, panel: panel{prober: p, confirm: o.Confirm, tried: o.Tried}}
	t.unfound = func() error { return fmt.Errorf("%d probes did not find an interval", mostAsk) }
	found, err := t.search(ctx)
	for _, try := range t.tries {
		dose := try.Rate
		if math.IsInf(dose, 1) {
			dose = 0
		}
		found.Probes = append(found.Probes, search.Probed{
			Dose: dose, Answer: try.Answer, Why: try.Why, Failed: try.Failed, Figures: try.Figures,
		})
	}
	return found, err
}

// Doses returns the doses of the grid, from the smallest. Dose 0, which is no fault, is left out.
func (o DoseOptions) Doses() (list []float64) {
	n := cmp.Or(o.Grid, LeastGrid)
	first, of := 1, n // multiples of To/n
	if o.From > 0 {
		first, of = 0, n-1
	}
	for i := first; i <= of; i++ {
		dose := o.round(o.From + float64(i)*(o.To-o.From)/float64(of))
		if dose > 0 && !slices.Contains(list, dose) {
			list = append(list, dose)
		}
	}
	return list
}

func (o DoseOptions) round(dose float64) float64 { return math.Round(dose/o.Step) * o.Step }

func (t *tolerating) search(ctx context.Context) (*search.Tolerance, error) {
	found := &search.Tolerance{From: t.o.From, To: t.o.To, High: result.NaN}
	without := 0.0
	if t.o.Falling {
		without = noFault
	}
	for _, dose := range append([]float64{without}, t.o.Doses()...) {
		a, err := t.decided(ctx, dose)
		switch {
		case err != nil:
			return t.describe(found), err
		case dose == without && a == search.Breaks:
			return found, BaselineError{t.tries[len(t.tries)-1].Why}
		case dose == noFault:
			continue
		}
		t.place(search.Dosed{Dose: dose, Answer: a})
	}
	err := t.narrow(ctx, found)
	return t.describe(found), err
}

// place keeps a decided dose.
func (t *tolerating) place(d search.Dosed) {
	i, known := slices.BinarySearchFunc(t.doses, d.Dose, func(e search.Dosed, dose float64) int {
		return cmp.Compare(e.Dose, dose)
	})
	if known {
		t.doses[i] = d
		return
	}
	t.doses = slices.Insert(t.doses, i, d)
}

// judged returns the decided doses at which brunt was not the limit.
func (t *tolerating) judged() []search.Dosed {
	return slices.DeleteFunc(slices.Clone(t.doses), func(d search.Dosed) bool { return d.Answer == search.Limited })
}

// narrow bisects the lowest change, and confirms both ends.
func (t *tolerating) narrow(ctx context.Context, found *search.Tolerance) error {
	list := t.judged()
	if len(list) == 0 {
		return errNoDose
	}
	i := changed(list)
	if i < 0 {
		last := list[len(list)-1]
		found.Low, found.Below = last.Dose, last.Answer
		sure, err := t.confirmed(ctx, last, t.votes(1))
		if sure {
			found.Confidence = t.o.Confidence
		}
		return err
	}
	t.low, t.high = list[i], list[i+1]
	err := t.halve(ctx, t)
	lowSure, highSure := false, false
	if err == nil {
		t.low, lowSure, err = t.end(ctx, t.low, -1)
	}
	if err == nil {
		t.high, highSure, err = t.end(ctx, t.high, 1)
	}
	if lowSure && highSure {
		found.Confidence = t.o.Confidence
	}
	found.Low, found.High, found.Limited = t.low.Dose, result.Num(t.high.Dose), t.limited
	found.Below, found.Above = t.low.Answer, t.high.Answer
	return err
}

// changed returns the index of the last dose before the first change; -1 if there is none.
func changed(list []search.Dosed) int {
	for i := range len(list) - 1 {
		if list[i].Answer != list[i+1].Answer {
			return i
		}
	}
	return -1
}

// between returns the mean of the ends, until they are close, or brunt is the limit between them.
func (t *tolerating) between() (dose float64, more bool) {
	low, high := t.low.Dose, t.high.Dose
	dose = t.o.round((low + high) / 2)
	return dose, t.limited == 0 && dose > low && dose < high && high-low > t.o.Precision*high
}

// note moves one end to a dose that was decided.
func (t *tolerating) note(dose float64, a search.Answer) {
	d := search.Dosed{Dose: dose, Answer: a}
	t.place(d)
	switch a {
	case t.low.Answer:
		t.low = d
	case search.Limited:
		t.limited = dose
	default:
		t.high = d
	}
}

// votes is the number of probes that must agree in the nth attempt to confirm an end.
func (t *tolerating) votes(n int) int {
	return int(math.Ceil(float64(n) - math.Log2(1-t.o.Confidence)))
}

// end confirms one end of the interval, or moves it outwards, by one decided dose at a time, as long as the answer
// there is the same.
func (t *tolerating) end(ctx context.Context, d search.Dosed, outwards int) (end search.Dosed, sure bool, err error) {
	for n := 1; ; n++ {
		if sure, err = t.confirmed(ctx, d, t.votes(n)); sure || err != nil {
			return d, sure, err
		}
		list := t.judged()
		next := slices.Index(list, d) + outwards
		if next < 0 || next >= len(list) || list[next].Answer != d.Answer {
			return d, false, nil
		}
		d = list[next]
	}
}

// confirmed reports whether as many new probes of a dose as votes says have the answer of d.
func (t *tolerating) confirmed(ctx context.Context, d search.Dosed, votes int) (bool, error) {
	for disturbed := 0; votes > 0; {
		a, err := t.ask(ctx, d.Dose)
		switch {
		case err != nil:
			return false, err
		case a == d.Answer:
			votes--
		case a == search.Disturbed && disturbed < t.patience(d.Dose):
			disturbed++
		default:
			return false, nil
		}
	}
	return true, nil
}

// describe fills in the decided doses, their changes, and the first objective to fail.
func (t *tolerating) describe(f *search.Tolerance) *search.Tolerance {
	f.Doses, f.Changes = t.doses, []search.Change{}
	list := t.judged()
	if f.Below != "" && f.High.Known() { // doses within the interval were contradicted
		within := func(d search.Dosed) bool { return d.Dose > f.Low && d.Dose < float64(f.High) }
		list = slices.DeleteFunc(list, within)
	}
	for i := 1; i < len(list); i++ {
		if list[i].Answer != list[i-1].Answer {
			f.Changes = append(f.Changes, search.Change{
				From: list[i-1].Dose, To: list[i].Dose, Then: list[i].Answer,
			})
		}
	}
	at := f.Low
	if f.Above == search.Breaks {
		at = float64(f.High)
	}
	counts := map[string]int{}
	for _, try := range t.tries {
		if try.Rate != at || try.Answer != search.Breaks {
			continue
		}
		f.Why = try.Why
		for _, text := range try.Failed {
			if counts[text]++; !slices.Contains(f.Objectives, text) {
				f.Objectives = append(f.Objectives, text)
			}
		}
	}
	// the objective that failed in most probes there; of several the first of the scenario
	for _, text := range f.Objectives {
		if counts[text] > counts[f.Objective] {
			f.Objective = text
		}
	}
	return f
}
