package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/template"
	"brunt/targets"
)

// asked is a unit that the verification reads writes from.
type asked struct {
	Place
	client  targets.Client
	samples *samples.Set
	silent  atomic.Int64 // number of writes in a row without an answer
	failed  atomic.Int64 // number of all writes without an answer
	why     atomic.Pointer[string]
}

// A sight is a unit's answer about one write.
type sight struct {
	n      int    // how often the write is there; noAnswer means unknown
	value  string // the value that was read
	differ bool   // the value fails the read's check
}

const noAnswer = -1

// unmeasuredStep is the step number of a verification request, which is not measured.
const unmeasuredStep = -2

// open opens the units and asks each, until it answers, for a write that was never made. The answers of a unit that
// finds this write are worthless, because it would find any write. A unit that stays down uses only a part of the
// time, so that the others are still asked.
func (b *verification) open(ctx context.Context) error {
	first, cancel := context.WithTimeout(ctx, b.ledger.spec.WithinOr().D()/firstPart)
	defer cancel()
	if err := b.reader.open(); err != nil {
		return err
	}
	notes, err := b.prove(first, b.reader)
	b.out.Note = cmp.Or(notes...)
	return err
}

// prove asks each unit of a reader for a write that was never made, until it answers, and returns a note for each that
// finds it. A unit without an answer until ctx ends is asked no more.
func (b *verification) prove(first context.Context, r *reader) (notes []string, err error) {
	var all sync.WaitGroup
	notes = make([]string, len(r.units))
	never, err := b.ledger.neverWritten(b.run)
	if err != nil {
		return nil, err
	}
	for i, u := range r.units {
		all.Go(func() {
			a := r.asker(u)
			defer a.close()
			for first.Err() == nil {
				s, again := a.once(first, never)
				switch {
				case s.n > 0:
					notes[i] = fmt.Sprintf("%s finds a write that never existed, so its reads prove nothing: for a missing "+
						"write it must answer with status 404 or what else says so (`absent` of a stream), or `count` must find 0", u.Name)
					return
				case s.n == 0 || !again:
					return
				}
				pause(first, 4*askPause)
			}
			u.silent.Store(silentAfter)
		})
	}
	all.Wait()
	return notes, nil
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// ask asks every unit for each write of a batch.
func (b *verification) ask(ctx context.Context, batch []checkedWrite) { askAll(ctx, b.reader, batch) }

// askAll asks every unit of a reader for each write of a batch.
func askAll(ctx context.Context, r *reader, batch []checkedWrite) {
	units := r.units
	each := max(1, askers/len(units))
	var all sync.WaitGroup
	for i := range batch {
		batch[i].answers = make([]sight, len(units))
	}
	for k, u := range units {
		var next atomic.Int64
		for range min(each, len(batch)) {
			all.Go(func() {
				a := r.asker(u)
				defer a.close()
				for {
					i := int(next.Add(1)) - 1
					if i >= len(batch) {
						return
					}
					batch[i].answers[k] = a.ask(ctx, batch[i].ID)
				}
			})
		}
	}
	all.Wait()
}

// A reader reads the writes of a ledger from all its places, for the verification or while the load runs.
type reader struct {
	run     Run
	spec    *Spec
	places  []Place
	units   []*asked
	counted atomic.Bool // some answer had the path `count`
	nowhere atomic.Bool // some answer lacked the path `count`
}

// open makes a client for each place. The caller closes the reader, also after an error.
func (r *reader) open() error {
	for _, p := range r.places {
		if p.Base == "" {
			p.Base = r.run.URL(p.Name)
		}
		u := &asked{Place: p, samples: &samples.Set{Mask: r.run.Mask}}
		var err error
		if u.client, err = r.run.Client(p, askTimeout, u.samples); err != nil {
			return err
		}
		r.units = append(r.units, u)
	}
	return nil
}

func (r *reader) close() {
	for _, u := range r.units {
		_ = u.client.Close()
	}
}

// asker asks one unit for one write at a time.
type asker struct {
	reader  *reader
	unit    *asked
	session targets.Session
	it      template.Iter
}

func (r *reader) asker(u *asked) *asker {
	a := &asker{reader: r, unit: u, it: template.Iter{Rand: r.run.Rand(), Env: r.run.Env}}
	a.it.Vars = make([]template.Value, len(r.run.Vars))
	a.session, _ = u.client.Open(0)
	return a
}

func (a *asker) close() { _ = a.session.Close() }

// ask asks for a write until the unit answers, or until another try is useless.
func (a *asker) ask(ctx context.Context, id string) sight {
	u := a.unit
	for try := 0; try < askTries && ctx.Err() == nil && u.silent.Load() < silentAfter; try++ {
		if try > 0 {
			pause(ctx, askPause<<(try-1))
		}
		s, again := a.once(ctx, id)
		if s.n != noAnswer {
			u.silent.Store(0)
			return s
		}
		if !again {
			break
		}
	}
	u.silent.Add(1)
	return sight{n: noAnswer}
}

// once asks for a write once. again reports whether another try may succeed if this one failed.
func (a *asker) once(ctx context.Context, id string) (s sight, again bool) {
	r, it := &a.reader.run, &a.it
	it.Reset()
	template.CopyVars(it.Vars, r.Vars)
	it.Write = append(it.Write[:0], id...)
	it.Intended = r.Now()
	it.Deadline = it.Intended + askTimeout
	if end, ok := ctx.Deadline(); ok {
		it.Deadline = min(it.Deadline, end.Sub(r.T0))
	}
	defer context.AfterFunc(ctx, a.unit.client.Abort)()
	if r.EndIteration != nil {
		defer r.EndIteration(a.session, it)
	}
	var out scenarios.Outcome
	call := a.reader.spec.Query.Call
	do := func(c scenarios.Call) (ok bool) {
		call, out = c, scenarios.Outcome{Step: unmeasuredStep, Intended: it.Intended, Ready: it.Intended}
		a.session.Do(it, c, &out)
		return out.Kind == scenarios.OK && !(out.Answered && r.Absent(c, &out))
	}
	ready := true
	for _, step := range a.reader.spec.Before {
		if ready = do(step.Call); !ready {
			break
		}
	}
	if ready {
		do(a.reader.spec.Query.Call)
	}
	cause := r.Causes.Name(out.Cause)
	switch {
	case out.Answered && r.Absent(call, &out):
		return sight{}, false
	case !ready:
	case out.Kind == scenarios.OK:
		return a.seen(), false
	case out.Cause.IsCheck() && out.Answered:
		return sight{n: 1, differ: true}, false
	case cause == "extract "+Counted && out.Answered:
		a.reader.nowhere.Store(true)
		return sight{}, false
	case out.Cause.IsExtraction() && out.Answered:
		return sight{n: 1, differ: true}, false
	}
	if sm := a.unit.samples.First(unmeasuredStep, out.Cause); sm != nil && sm.Said() != "" {
		cause += ": " + sm.Said()
	}
	a.unit.why.Store(&cause)
	return sight{n: noAnswer}, r.Retry(call, &out)
}

// seen evaluates a successful answer.
func (a *asker) seen() sight {
	s := sight{n: 1}
	if a.reader.spec.Counts >= 0 {
		a.reader.counted.Store(true)
		s.n = countOf(&a.it.Vars[a.reader.spec.Counts])
	}
	for _, slot := range a.reader.spec.Values {
		if v := &a.it.Vars[slot]; v.Set {
			s.value += string(v.Text) + "\x00"
		}
	}
	return s
}

// countOf returns how often a write is there: the length of a list, or a number, also one in a text. Any other value
// that exists counts as one.
func countOf(v *template.Value) int {
	var list []json.RawMessage
	var n float64
	switch {
	case !v.JSON:
		if n, err := strconv.ParseUint(strings.TrimSpace(string(v.Text)), 10, 31); err == nil {
			return int(n)
		}
		return 1
	case string(v.Text) == "null":
		return 0
	case json.Unmarshal(v.Text, &list) == nil:
		return len(list)
	case json.Unmarshal(v.Text, &n) == nil:
		return max(0, int(n))
	}
	return 1
}
