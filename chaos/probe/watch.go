package probe

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Watch asks each unit for a value of its own during the run: its role, its term, its lag in replication. Values are
// states over time, or numbers if their unit is given. Each unit is asked on its own, over its own connection, so a
// unit that does not answer delays no other question. A missed answer is a gap.
//
// A pod is asked through the API server, at the port that target.kubernetes.services names, or that it declares. If
// another pod takes its place, that pod is asked from then on. A pod that joins is not asked.
type Watch struct {
	Asking `yaml:",inline"`
	Of     string `yaml:"of"` // service, or unit such as db[0], to ask; zero is every unit
	// where the value is in the answer: "$.path" of JSON, or "~ regexp", whose first group it is; nil is the first line
	Value *Finder `yaml:"value"`
	// how many of the units answer yes, as one number over time, such as how many say that they lead. Units that give no
	// answer do not count. Where more than one says yes, those are asked again at once, and count if they say so again
	Count bool `yaml:"count"`
	// unit of the value, which is then a number; zero is a state, with scrape a number
	Unit    string            `yaml:"unit,oneof=bytes|seconds|share|number"`
	Every   quantity.Duration `yaml:"every,positive"`   // time between two questions to a unit; zero is 1s
	Timeout quantity.Duration `yaml:"timeout,positive"` // time limit of one question; zero is 1s
}

const watchTimeout = time.Second

// Check notes every mistake in the settings.
func (w *Watch) Check(sc chaos.Scope, m *syntax.Mistakes) {
	if kind := w.Kind(); kind == "prometheus" {
		m.AddHint(w.Place.Of("prometheus"), "such as metrics: {lag: {prometheus: URL, query: …}}",
			"a watch asks each unit; a query belongs into metrics")
		return
	}
	for _, key := range []string{"value", "unit"} {
		if w.Count && w.Has(key) {
			m.AddHint(w.Place.Of(key), "`check` says which answers are yes", "%s does not go with count", key)
		}
	}
	w.ValidateFor(Use{Unit: true, Value: !w.Count}, w.At, sc, m)
	checkEvery(w.Place, w.Every, m)
}

// CheckUnits notes a mistake if the target lacks the units that the watch asks. at is the position of the watch's name.
func (w *Watch) CheckUnits(sc chaos.Scope, at syntax.Pos, m *syntax.Mistakes) {
	service, index, one := chaos.SplitUnit(w.Of)
	if !one {
		service = w.Of
	}
	switch n, known := sc.Services[service]; {
	case sc.Has(service) && sc.Cluster != nil: // its pods are found during the run
	case len(sc.Services) == 0 && sc.Cluster == nil:
		m.AddHint(at, "containers that run already are named by target: {url: …, units: {db: {container: NAME}}}",
			"the target has no units that brunt could ask")
	case w.Of == "":
	case !known:
		m.AddHint(w.Place.Of("of"), syntax.DidYouMean(service, slices.Collect(maps.Keys(sc.Services))),
			"there is no service %q", service)
	case one && !sc.Later(service) && index >= n:
		m.Add(w.Place.Of("of"), "%s has %s, counted from 0", service, syntax.Amount(n, "replica"))
	}
}

// Numeric reports whether the values are numbers.
func (w *Watch) Numeric() bool { return w.Count || w.Unit != "" || w.Kind() == "scrape" }

// EveryOr returns the time between two questions to a unit.
func (w *Watch) EveryOr() time.Duration { return or(w.Every, detectEvery) }

// Asks reports whether the watch asks a unit.
func (w *Watch) Asks(u chaos.Unit) bool { return w.Of == "" || w.Of == u.Name() || w.Of == u.Service() }

// Gauge returns a watch of numbers as a metric.
func (w *Watch) Gauge() *Gauge {
	return &Gauge{Asking: w.Asking, Value: w.Value, Unit: w.Unit, Every: w.Every, Timeout: w.Timeout}
}

// A WatchReading asks one unit. It is not safe for concurrent use.
type WatchReading struct {
	watch *Watch
	unit  chaos.Unit
	on    chaos.Host
}

// Reading prepares to ask a unit.
func (w *Watch) Reading(u chaos.Unit, on chaos.Host) *WatchReading { return &WatchReading{w, u, on} }

// State asks once. It resolves the question each time, because a unit may have another address after a restart.
func (r *WatchReading) State(ctx context.Context) (string, error) {
	timeout := or(r.watch.Timeout, watchTimeout)
	q, err := r.watch.QuestionOf(r.unit, r.on, timeout)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return q.Value(ctx, r.watch.Value)
}

// Read asks once for a number, which is labelled with the unit.
func (r *WatchReading) Read(ctx context.Context) ([]Value, error) {
	text, err := r.State(ctx)
	if err != nil {
		return nil, err
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fmt.Errorf("%s: the answer %q is not a number", r.watch, text)
	}
	return []Value{{Labels: map[string]string{"unit": r.unit.Name()}, V: v}}, nil
}

// A CountReading asks units at once, and counts those that answer yes. It is not safe for concurrent use.
type CountReading struct {
	watch *Watch
	units []chaos.Unit
	on    chaos.Host

	asked, missed int   // readings; those in which a unit gave no answer
	why           error // of the last unit that gave none
}

// Counting prepares to ask units.
func (w *Watch) Counting(units []chaos.Unit, on chaos.Host) *CountReading {
	return &CountReading{watch: w, units: units, on: on}
}

// Read asks once. A role may pass from one unit to the next between their answers: so where several say yes, only those
// count that say so again. The error says that no unit answered.
func (r *CountReading) Read(ctx context.Context) ([]Value, error) {
	yes, silent, err := r.ask(ctx, r.units)
	if len(yes) > 1 {
		var again int
		var why error
		yes, again, why = r.ask(ctx, yes)
		silent, err = silent+again, cmp.Or(err, why)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if r.asked++; silent > 0 {
		r.missed++
		r.why = err
	}
	if silent == len(r.units) {
		return nil, err
	}
	return []Value{{V: float64(len(yes))}}, nil
}

// ask returns the units that answer yes, how many gave no answer, and why the last of them gave none.
func (r *CountReading) ask(ctx context.Context, units []chaos.Unit) (yes []chaos.Unit, silent int, why error) {
	holds, errs := make([]bool, len(units)), make([]error, len(units))
	var all sync.WaitGroup
	for i, u := range units {
		all.Go(func() {
			holds[i], _, errs[i] = r.watch.AskOnce(ctx, u, r.on, or(r.watch.Timeout, watchTimeout))
		})
	}
	all.Wait()
	for i, u := range units {
		switch {
		case errs[i] != nil:
			silent++
			why = fmt.Errorf("%s: %w", u.Name(), errs[i])
		case holds[i]:
			yes = append(yes, u)
		}
	}
	return yes, silent, why
}

// Missed says in how many readings a unit gave no answer, and so did not count; empty if in none.
func (r *CountReading) Missed() string {
	if r.missed == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d times a unit gave no answer, and did not count; the last time %v",
		r.missed, r.asked, r.why)
}
