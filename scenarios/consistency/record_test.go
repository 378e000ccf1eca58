package consistency

import (
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/consistency/register"
	"brunt/scenarios/load"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// A call is a step of the tests.
type call struct {
	scenarios.Call
	name string
}

// A fake is a virtual user whose calls have the outcome that a test sets.
type fake struct {
	load.User
	out  scenarios.Outcome
	sent string // the value that the call sent
	got  string // the value that it extracts
}

func (f *fake) Do(it *template.Iter, _ scenarios.Call, out *scenarios.Outcome) {
	*out, f.sent = f.out, string(it.Write)
	if f.got != "" && f.out.Kind == scenarios.OK {
		it.Vars[1].SetText(f.got)
	}
}

// text is a template of one variable.
func text(t *testing.T, s string, symbols *template.Symbols) (out template.Text) {
	t.Helper()
	m := syntax.NewMistakes(nil, nil)
	n := &syntax.Node{Kind: syntax.String, Value: s}
	scope := template.Scope{Symbols: symbols, Mistakes: m}
	scope.Fill(n, 1)
	out.DecodeNode(n, m)
	if err := m.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// recording starts to record the calls write and read; the register is in variable 0, the value read in variable 1.
func recording(t *testing.T, shards int) (s *Set, write, read *call) {
	t.Helper()
	symbols := &template.Symbols{}
	write, read = &call{name: "set"}, &call{name: "get"}
	spec := &Spec{
		Consistency: &scenarios.Consistency{
			Name: "kv", Write: "set", Read: "get", Key: text(t, "${var.key}", symbols), Found: text(t, "${var.got}", symbols),
		},
		Writes: []scenarios.Call{write}, Reads: []scenarios.Call{read},
	}
	absent := func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status == 404 }
	return Open([]*Spec{spec}, shards, absent), write, read
}

func iter() *template.Iter {
	it := &template.Iter{
		Vars: make([]template.Value, 2), Env: &template.Env{}, Rand: rand.New(rand.NewPCG(1, 2)), Load: 1, VU: 2,
	}
	it.Vars[0].SetText("k")
	return it
}

// TestSet_Outcomes: what each outcome of a call is recorded as.
func TestSet_Outcomes(t *testing.T) {
	ok := scenarios.Outcome{Kind: scenarios.OK, WasSent: true, Answered: true, Status: 200, Slot: 5, Sent: 6, End: 9}
	with := func(change func(o *scenarios.Outcome)) scenarios.Outcome { o := ok; change(&o); return o }
	tests := []struct {
		name       string
		write      bool
		out        scenarios.Outcome
		got        string
		want       register.Kind
		none       bool // nothing is recorded
		unanswered int64
	}{
		{name: "acknowledged", write: true, out: ok, want: register.Write},
		{
			name: "no answer", write: true, want: register.Unknown,
			out: with(func(o *scenarios.Outcome) { o.Kind, o.Answered = scenarios.Error, false }),
		},
		{
			name: "sent twice", write: true, out: with(func(o *scenarios.Outcome) { o.Attempts = 2 }),
			want: register.Repeated,
		},
		{
			name: "never sent", write: true, none: true,
			out: with(func(o *scenarios.Outcome) { o.Kind, o.WasSent = scenarios.Error, false }),
		},
		{name: "read", out: ok, got: "v", want: register.Read},
		{
			name: "read nothing", want: register.Read,
			out: with(func(o *scenarios.Outcome) { o.Kind, o.Status = scenarios.Error, 404 }),
		},
		{
			name: "a read without an answer", none: true, unanswered: 1,
			out: with(func(o *scenarios.Outcome) { o.Kind, o.Status = scenarios.Error, 500 }),
		},
		{name: "a read of an empty value", out: ok, none: true, unanswered: 1},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			s, write, read := recording(t, 1)
			f := &fake{out: c.out, got: c.got}
			step := read
			if c.write {
				step = write
			}
			it, out := iter(), scenarios.Outcome{}
			s.User(f, 3).Do(it, step, &out)
			h, _ := s.all[0].history()
			if n := s.all[0].unanswered.Load(); n != c.unanswered {
				t.Errorf("%d without an answer, want %d", n, c.unanswered)
			}
			if c.none {
				if len(h.ops) > 0 {
					t.Errorf("recorded %+v", h.ops)
				}
				return
			}
			if len(h.ops) != 1 || h.ops[0].Kind != c.want || h.ops[0].Call != 5 || h.ops[0].End != 9 ||
				h.sessions[0] != (session{1, 2}) || h.keys[0] != "k" {
				t.Fatalf("%+v", h)
			}
			want := c.got
			if c.write {
				want = f.sent
			}
			if h.values[h.ops[0].Value] != want || c.write && len(f.sent) != 36 {
				t.Errorf("value %q, want %q", h.values[h.ops[0].Value], want)
			}
			if it.Write != nil {
				t.Error("the next step is a write as well")
			}
		})
	}
}

// TestSet_Full: beyond the capacity operations are counted, and so are the reads that may return their values.
func TestSet_Full(t *testing.T) {
	s, write, read := recording(t, 1)
	s.ops.Store(mostOps - 2)
	f := &fake{out: scenarios.Outcome{Kind: scenarios.OK, WasSent: true, Slot: 10, End: 20}, got: "v"}
	u, out := s.User(f, 0), scenarios.Outcome{}
	u.Do(iter(), write, &out)
	f.out.Slot, f.out.End = 5, 40
	u.Do(iter(), read, &out)
	f.out.Slot, f.out.End = 30, 50
	u.Do(iter(), write, &out) // there is no room
	h, dropped := s.all[0].history()
	if len(h.ops) != 1 || dropped != 1 || s.all[0].over.Load() != 1 {
		t.Errorf("%d operations, %d reads dropped, %d beyond", len(h.ops), dropped, s.all[0].over.Load())
	}
}

// TestSet_Shards: users that share shards record every operation once.
func TestSet_Shards(t *testing.T) {
	s, write, _ := recording(t, 2)
	const users, each = 8, 500
	var wg sync.WaitGroup
	var mu sync.Mutex
	var sent []string
	for i := range users {
		wg.Go(func() {
			f := &fake{out: scenarios.Outcome{Kind: scenarios.OK, WasSent: true}}
			u, it := s.User(f, i), iter()
			it.Rand = rand.New(rand.NewPCG(uint64(i), 1))
			for range each {
				out := scenarios.Outcome{}
				u.Do(it, write, &out)
				mu.Lock()
				sent = append(sent, f.sent)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	h, _ := s.all[0].history()
	got := slices.Clone(h.values[1:])
	slices.Sort(got)
	slices.Sort(sent)
	if len(h.ops) != users*each || !slices.Equal(got, sent) {
		t.Errorf("%d operations, %d values, want %d", len(h.ops), len(got), users*each)
	}
}

// TestSet_Check: the findings name users, values and the faults that were active.
func TestSet_Check(t *testing.T) {
	s, write, read := recording(t, 1)
	f := &fake{}
	u := s.User(f, 0)
	do := func(c *call, got string, begin, end time.Duration) string {
		f.out = scenarios.Outcome{
			Kind: scenarios.OK, WasSent: true, Slot: begin * time.Second, End: end * time.Second,
		}
		f.got = got
		it, out := iter(), scenarios.Outcome{}
		it.Rand = rand.New(rand.NewPCG(uint64(begin), 0))
		u.Do(it, c, &out)
		return f.sent
	}
	first := do(write, "", 0, 1)
	second := do(write, "", 2, 3)
	do(read, second, 4, 5)
	do(read, first, 6, 7)
	got := s.Check(Run{Loads: []string{"warm", "main"}, Mask: strings.ToUpper})[0]
	if got.Anomalies != 1 || len(got.Witnesses) != 1 || got.Kinds[0].Kind != "non_monotonic_read" || got.Staleness != 3 {
		t.Fatalf("%+v", got)
	}
	w := got.Witnesses[0]
	last := w.Operations[len(w.Operations)-1]
	if w.Register != "K" || w.Age != 3 || !last.Convicts || last.Session != "main 3" ||
		last.Value != strings.ToUpper(first) || last.Write || last.Begin != 6 {
		t.Errorf("%+v", w)
	}
	if len(got.Seconds) != 1 || got.Seconds[0].T != 6 || got.Seconds[0].Stale != 1 || got.Seconds[0].Staleness != 3 {
		t.Errorf("%+v", got.Seconds)
	}
}
