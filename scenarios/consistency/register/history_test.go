package register_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"brunt/scenarios/consistency/register"
	"brunt/scenarios/machine"
	"brunt/scenarios/suite"
)

// model is a register for porcupine; its value before the first write is 0.
var model = porcupine.Model{
	Init: func() any { return int32(0) },
	Step: func(state, input, output any) (bool, any) {
		o := input.(register.Op)
		if o.Kind != register.Read {
			return true, o.Value
		}
		return state.(int32) == o.Value, state
	},
	Partition: func(history []porcupine.Operation) (out [][]porcupine.Operation) {
		of := map[int32][]porcupine.Operation{}
		for _, o := range history {
			n := o.Input.(register.Op).Register
			of[n] = append(of[n], o)
		}
		for _, one := range of {
			out = append(out, one)
		}
		return out
	},
}

// linearizable asks porcupine. A refused write is no operation.
func linearizable(ops []register.Op, limit time.Duration) porcupine.CheckResult {
	var list []porcupine.Operation
	for _, o := range ops {
		end := int64(o.End)
		switch o.Kind {
		case register.Refused:
			continue
		case register.Unknown:
			end = math.MaxInt64
		}
		list = append(list, porcupine.Operation{ClientId: int(o.Session), Input: o, Call: int64(o.Call), Return: end})
	}
	return porcupine.CheckOperationsTimeout(model, list, limit)
}

// A store makes histories: each operation takes effect at a random time, some reads return an older value, and some
// writes end without an answer.
type store struct {
	registers, clients int
	stale              float64       // share of the reads that are late
	lag                time.Duration // by so much
	unknown, refused   float64       // shares of the writes
	applied            float64       // share of the refused writes that take effect
	tick               time.Duration // times are multiples of it, so that some are equal
}

// history returns n operations.
func (s store) history(r *rand.Rand, n int) []register.Op {
	type event struct {
		register.Op
		at time.Duration
	}
	tick := func(t float64) time.Duration { return time.Duration(t * float64(time.Second)).Truncate(s.tick) }
	var events []event
	values := int32(0)
	clock := make([]float64, s.clients)
	for range n {
		k := r.IntN(s.clients)
		begin := clock[k] + r.Float64()*.2
		end := begin + .1 + r.Float64()
		clock[k] = end
		at := tick(begin + r.Float64()*(end-begin))
		o := register.Op{
			Register: int32(r.IntN(s.registers)), Session: int32(k), Call: tick(begin), End: max(tick(end), tick(begin)),
		}
		if r.IntN(2) == 0 {
			values++
			o.Value, o.Kind = values, register.Write
			switch f := r.Float64(); {
			case f < s.unknown:
				o.Kind, at = register.Unknown, never
				if r.IntN(2) == 0 {
					at = o.Call + tick(r.Float64()*5)
				}
			case f < s.unknown+s.refused:
				if o.Kind = register.Refused; r.Float64() >= s.applied {
					at = never
				}
			}
		}
		events = append(events, event{o, at})
	}
	slices.SortStableFunc(events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	var out []register.Op
	for i, e := range events {
		if e.Kind == register.Read {
			at := e.at
			if r.Float64() < s.stale {
				at -= s.lag
			}
			for _, w := range slices.Backward(events[:i]) {
				if w.Kind != register.Read && w.Register == e.Register && w.at <= at {
					e.Value = w.Value
					break
				}
			}
		}
		out = append(out, e.Op)
	}
	return out
}

const never = time.Duration(math.MaxInt64)

// limits are those of the tests.
var limits = register.Limits{Settle: 10 * time.Second, Search: time.Minute}

// TestCheck_Porcupine: on random histories, with and without writes of unknown outcome, the zones find an anomaly if
// and only if porcupine finds no order. An anomaly's witness is enough to convict.
func TestCheck_Porcupine(t *testing.T) {
	suite.Sequential(t)
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...float64) float64 { return of[r.IntN(len(of))] }
	const trials = 20_000
	bad, open := 0, 0
	kinds := map[register.AnomalyKind]int{}
	for range trials {
		s := store{
			registers: 1 + r.IntN(2), clients: 1 + r.IntN(4), stale: pick(0, .1, .3), unknown: pick(0, .1, .3),
			lag: time.Duration(r.Float64() * 2e9), tick: time.Duration(pick(1, 5e7)),
		}
		ops := s.history(r, 4+r.IntN(14))
		want := linearizable(ops, 0)
		got := register.Check(ops, limits)
		if linear := len(got.Anomalies) == 0; linear != (want == porcupine.Ok) || got.LeftOut > 0 {
			t.Fatalf("porcupine: %v, anomalies %+v of\n%+v", want, got.Anomalies, ops)
		}
		if (got.Staleness > 0) != (want != porcupine.Ok) {
			t.Fatalf("porcupine: %v, staleness %v of\n%+v", want, got.Staleness, ops)
		}
		if want != porcupine.Ok {
			bad++
		}
		if slices.ContainsFunc(ops, func(o register.Op) bool { return o.Kind == register.Unknown }) {
			open++
		}
		for _, a := range got.Anomalies {
			kinds[a.Kind]++
			convicts(t, ops, got, a)
		}
	}
	t.Logf("%d histories, %d with unknown outcomes, %d not linearizable, anomalies by kind %v", trials, open, bad, kinds)
	if bad < trials/10 || open < trials/3 || len(kinds) < 3 {
		t.Error("the histories show too little")
	}
}

// convicts fails the test if the operations of a witness alone have an order.
func convicts(t *testing.T, ops []register.Op, got *register.Report, a register.Anomaly) {
	t.Helper()
	w := got.Witness(a)
	evidence := slices.Clone(w)
	for _, i := range w { // a read is evidence of the write whose value it returned
		k := slices.IndexFunc(ops, func(p register.Op) bool { return p.Kind != register.Read && p.Value == ops[i].Value })
		if k >= 0 && !slices.Contains(evidence, int32(k)) {
			evidence = append(evidence, int32(k))
		}
	}
	var alone []register.Op
	for _, i := range evidence {
		alone = append(alone, ops[i])
	}
	if len(w) < 2 || len(w) > 5 || linearizable(alone, 0) == porcupine.Ok {
		t.Fatalf("the witness %v of %+v does not convict:\n%+v", w, a, alone)
	}
}

// TestCheck_Staleness: how stale a store is, is found from below.
func TestCheck_Staleness(t *testing.T) {
	for _, lag := range []time.Duration{0, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second} {
		r := rand.New(rand.NewPCG(5, 6))
		s := store{registers: 1, clients: 16, stale: .05, lag: lag, tick: 1}
		got := register.Check(s.history(r, 20_000), limits)
		if got.Staleness > lag || got.Staleness < lag/2 || lag == 0 && len(got.Anomalies) > 0 {
			t.Errorf("planted %v, found %v", lag, got.Staleness)
		}
		var most time.Duration
		reads, stale := int64(0), int64(0)
		for _, c := range got.Curve {
			most, reads, stale = max(most, c.Staleness), reads+c.Reads, stale+c.Stale
		}
		if n := got.Count(register.Stale) + got.Count(register.NonMonotonic); stale != n || reads < 9000 || most > lag {
			t.Errorf("planted %v: the curve has %d reads, %d stale of %d, up to %v", lag, reads, stale, n, most)
		}
	}
}

// A stale read is divergent if its value was replaced more than a settle time before it, the system was whole for that
// time, and another read found the newer value at the same time or later.
func TestCheck_Divergent(t *testing.T) {
	const s = time.Second
	write := func(value int32, at time.Duration) register.Op {
		return register.Op{Kind: register.Write, Value: value, Session: 9, Call: at * s, End: at*s + s/2}
	}
	read := func(value int32, at time.Duration) register.Op {
		return register.Op{Value: value, Session: int32(value), Call: at * s, End: at*s + s/2}
	}
	fault := func(until time.Duration) func(time.Duration) bool {
		return func(at time.Duration) bool { return at-limits.Settle > until*s }
	}
	always := func(time.Duration) bool { return true }
	two := []register.Op{write(1, 0), write(2, 2)}
	for _, c := range []struct {
		name  string
		ops   []register.Op
		whole func(time.Duration) bool
		want  int64
	}{
		{"both copies at the end", append(slices.Clone(two), read(2, 20), read(1, 21)), always, 1},
		{"the newer one only later", append(slices.Clone(two), read(1, 21), read(2, 40)), always, 1},
		{"one client of both", append(slices.Clone(two), read(2, 20), func() register.Op {
			o := read(1, 21)
			o.Session = 2
			return o
		}()), always, 1},
		{"not asked", append(slices.Clone(two), read(2, 20), read(1, 21)), nil, 0},
		{"late, not for long", append(slices.Clone(two), read(2, 8), read(1, 9)), always, 0},
		{"lost, not divergent", append(slices.Clone(two), read(2, 3), read(1, 21), read(1, 22)), always, 0},
		{"a fault until a short time before", append(slices.Clone(two), read(2, 20), read(1, 21)), fault(12), 0},
		{"a fault that is over", append(slices.Clone(two), read(2, 20), read(1, 21)), fault(10), 1},
		{"converged", append(slices.Clone(two), read(1, 3), read(2, 20), read(2, 21)), always, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := register.Check(c.ops, register.Limits{Settle: limits.Settle, Whole: c.whole})
			if n := got.Count(register.Divergent); n != c.want {
				t.Fatalf("%d divergent reads, want %d: %+v", n, c.want, got.Anomalies)
			}
			for _, a := range got.Anomalies {
				convicts(t, c.ops, got, a)
			}
		})
	}
}

// TestCheck_Named: histories of a few operations, with the anomaly that each of them shows.
func TestCheck_Named(t *testing.T) {
	const s = time.Second
	write := func(value int32, call, end time.Duration) register.Op {
		return register.Op{Kind: register.Write, Value: value, Session: 9, Call: call * s, End: end * s}
	}
	read := func(value int32, call, end time.Duration) register.Op {
		return register.Op{Value: value, Session: int32(call) + 10, Call: call * s, End: end * s}
	}
	as := func(k register.Kind, o register.Op) register.Op { o.Kind = k; return o }
	swap := func(expects int32, o register.Op) register.Op { o.Expects = expects; return o }
	by := func(session int32, o register.Op) register.Op { o.Session = session; return o }
	tests := []struct {
		name    string
		ops     []register.Op
		want    register.AnomalyKind // zero if no anomaly is expected
		n       int64                // zero is one
		witness []int32
		age     time.Duration
		leftOut int64
	}{
		{name: "nothing", ops: nil},
		{name: "read your write", ops: []register.Op{write(1, 0, 1), read(1, 2, 3)}},
		{name: "either of two at once", ops: []register.Op{write(1, 0, 4), write(2, 0, 4), read(2, 1, 2), read(1, 3, 5)}},
		{
			name: "a stale read", ops: []register.Op{write(1, 0, 1), write(2, 2, 3), read(1, 5, 6), read(2, 7, 8)},
			want: register.Stale, witness: []int32{0, 1, 2}, age: 2,
		},
		{
			name: "nothing there after a write", ops: []register.Op{write(1, 0, 1), read(0, 3, 4), read(1, 7, 8)},
			want: register.Stale, witness: []int32{0, 1}, age: 2,
		},
		{
			name: "a read that overlaps the write", ops: []register.Op{write(1, 0, 1), write(2, 2, 5), read(1, 4, 6)},
		},
		{
			name: "an end and a begin at once", ops: []register.Op{write(1, 0, 1), write(2, 2, 4), read(1, 4, 6)},
		},
		{
			name: "an unknown write that was read before",
			ops:  []register.Op{write(1, 0, 1), as(register.Unknown, write(2, 2, 3)), read(2, 4, 5), read(1, 6, 7)},
			want: register.Stale, witness: []int32{0, 1, 2, 3}, age: 1,
		},
		{
			name: "an unknown write that may come at any time",
			ops:  []register.Op{write(1, 0, 1), as(register.Unknown, write(2, 2, 3)), read(1, 4, 5), read(2, 6, 7)},
		},
		{
			name: "a client that reads an older value",
			ops:  []register.Op{write(1, 0, 1), write(2, 2, 3), by(1, read(2, 4, 5)), by(1, read(1, 6, 7)), read(2, 8, 9)},
			want: register.NonMonotonic, witness: []int32{0, 1, 2, 3}, age: 3,
		},
		{
			name: "a write that was gone", ops: []register.Op{write(1, 0, 1), write(2, 2, 3), read(2, 4, 5), read(1, 20, 21)},
			want: register.Lost, witness: []int32{0, 1, 3}, age: 17,
		},
		{
			name: "several writes that were gone, and one after",
			ops: []register.Op{
				write(1, 0, 1), write(2, 2, 3), write(3, 4, 5), read(1, 20, 21), write(4, 22, 23), read(4, 24, 25),
			},
			want: register.Lost, n: 2, witness: []int32{0, 1, 3}, age: 17,
		},
		{
			name: "a replica that stands still, while others go on",
			ops:  []register.Op{write(1, 0, 1), write(2, 2, 3), read(2, 18, 19), read(1, 20, 21)},
			want: register.Stale, witness: []int32{0, 1, 3}, age: 17,
		},
		{
			name: "a write that is late",
			ops:  []register.Op{write(1, 0, 1), write(2, 2, 3), read(1, 20, 21), read(2, 22, 23)},
			want: register.Stale, witness: []int32{0, 1, 2}, age: 17,
		},
		{
			name: "a refused write", ops: []register.Op{as(register.Refused, write(1, 0, 1)), read(1, 2, 3)},
			want: register.Dirty, witness: []int32{0, 1},
		},
		{name: "a refused write without effect", ops: []register.Op{as(register.Refused, write(1, 0, 1)), read(0, 2, 3)}},
		{
			name: "a read of the future", ops: []register.Op{read(1, 0, 1), write(1, 2, 3)},
			want: register.Future, witness: []int32{0, 1},
		},
		{
			name: "there and back", // of two writes at once
			ops: []register.Op{
				write(1, 0, 9), write(2, 0, 9), read(1, 1, 2), read(2, 3, 4), read(1, 5, 6), read(2, 7, 8),
			},
			want: register.Order, witness: []int32{2, 3, 4, 5},
		},
		{
			name: "there was a value before", ops: []register.Op{read(7, 0, 1), write(1, 2, 3), read(7, 5, 6), read(1, 7, 8)},
			want: register.Stale, witness: []int32{1, 2}, age: 2,
		},
		{
			name:    "a value of another writer",
			ops:     []register.Op{write(1, 0, 1), read(1, 2, 3), read(7, 4, 5), read(1, 6, 7)},
			leftOut: 1,
		},
		{
			name: "compare-and-sets one after the other",
			ops:  []register.Op{write(1, 0, 1), swap(1, write(2, 2, 3)), swap(2, write(3, 4, 5)), read(3, 6, 7)},
		},
		{
			name: "compare-and-sets of the same value",
			ops:  []register.Op{write(1, 0, 1), swap(1, write(2, 2, 5)), swap(1, write(3, 2, 6)), read(3, 7, 8)},
			want: register.Overwritten, witness: []int32{0, 1, 2},
		},
		{
			name: "compare-and-sets of the same value, one of which may have had no effect",
			ops: []register.Op{
				write(1, 0, 1), as(register.Unknown, swap(1, write(2, 2, 5))), swap(1, write(3, 2, 6)), read(3, 7, 8),
			},
		},
		{
			name: "a compare-and-set of a value that had been replaced",
			ops:  []register.Op{write(1, 0, 1), write(2, 2, 3), swap(1, write(3, 4, 5))},
			want: register.Order, witness: []int32{0, 1, 2},
		},
		{
			name: "a value that was written twice",
			ops: []register.Op{
				write(1, 0, 1), write(2, 2, 3), as(register.Repeated, write(1, 4, 5)), read(1, 6, 7), read(2, 8, 9),
			},
			leftOut: 3,
		},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			got := register.Check(c.ops, limits)
			if got.LeftOut != c.leftOut {
				t.Errorf("left out: %d, want %d", got.LeftOut, c.leftOut)
			}
			if c.want == 0 {
				if len(got.Anomalies) > 0 || got.Staleness != 0 {
					t.Errorf("%+v, stale by %v", got.Anomalies, got.Staleness)
				}
				return
			}
			if n := got.Count(c.want); n != max(c.n, 1) {
				t.Fatalf("%d, want %d of %+v", n, max(c.n, 1), got.Anomalies)
			}
			a := got.Anomalies[slices.IndexFunc(got.Anomalies, func(a register.Anomaly) bool { return a.Kind == c.want })]
			if w := got.Witness(a); !slices.Equal(w, c.witness) || a.Age != c.age*s {
				t.Errorf("witness %v after %v, want %v after %v", w, a.Age, c.witness, c.age*s)
			}
		})
	}
}

// TestCheck_Undecided: a search that the time limit ends says neither that an order exists nor that no order exists.
func TestCheck_Undecided(t *testing.T) {
	ops := []register.Op{
		{Kind: register.Write, Value: 1, End: 1},
		{Kind: register.Write, Value: 2, Call: 2, End: 3},
		{Kind: register.Write, Value: 3, Expects: 1, Call: 4, End: 5},
	}
	if got := register.Check(ops, register.Limits{Settle: time.Second}); got.Undecided != 1 || len(got.Anomalies) > 0 {
		t.Errorf("%d undecided, %+v", got.Undecided, got.Anomalies)
	}
	if got := register.Check(ops, limits); got.Undecided != 0 || got.Count(register.Order) != 1 {
		t.Errorf("%d undecided, %+v", got.Undecided, got.Anomalies)
	}
}

// TestCheck_Refused: with refused writes of which some take effect, the zones find more than no order of the rest.
func TestCheck_Refused(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range suite.Trials(2000) {
		s := store{registers: 1, clients: 3, refused: .3, applied: float64(r.IntN(2)), tick: 1}
		ops := s.history(r, 30)
		dirty := int64(0)
		for _, o := range ops {
			if o.Kind == register.Read && slices.ContainsFunc(ops, func(w register.Op) bool {
				return w.Kind == register.Refused && w.Value == o.Value
			}) {
				dirty++
			}
		}
		if got := register.Check(ops, limits); got.Count(register.Dirty) != dirty || s.applied == 0 && dirty > 0 {
			t.Fatalf("%d dirty reads, want %d: %+v", got.Count(register.Dirty), dirty, ops)
		}
	}
}

// BenchmarkCheck measures a million operations of 16 clients on 20 registers.
func BenchmarkCheck(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		name string
		store
	}{
		{"linearizable", store{registers: 20, clients: 16, tick: 1}},
		{"stale", store{registers: 20, clients: 16, tick: 1, stale: .05, lag: 2 * time.Second, unknown: .02}},
	} {
		ops := c.history(r, 1_000_000)
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			began := machine.CPUTime()
			for b.Loop() {
				register.Check(ops, limits)
			}
			b.ReportMetric((machine.CPUTime()-began).Seconds()/float64(b.N), "cpu-s/op")
		})
	}
}
