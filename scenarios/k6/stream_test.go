package k6

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestStream_Checks checks that a check belongs to the last request of its virtual user.
func TestStream_Checks(t *testing.T) {
	var b bytes.Buffer
	s := NewStream(&b, nil)
	step := s.Step("a")
	at := func(ms int) *Request { return &Request{Step: step, End: time.Duration(ms) * time.Millisecond} }
	s.CheckMade("1", "before any", false)
	s.Request("1", at(1))
	s.Request("2", at(2))
	s.CheckMade("1", "right", true)
	s.CheckMade("2", "wrong", false)
	s.CheckMade("2", "wrong too", false)
	s.Request("1", at(3))
	s.Iteration("1", time.Second, time.Second)
	s.CheckMade("1", "after its iteration", false)
	s.Request("", at(4)) // of an unknown virtual user
	s.Request("3", at(5))
	s.Sweep(s.begun.Add(2 * time.Second))
	s.CheckMade("3", "too late", false)
	s.Dropped(time.Second, 3)
	s.Exception(time.Second, strings.Repeat("x", 5000))
	s.Note(Note{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	g := newGot()
	if err := readMessages(&b, g); err != nil {
		t.Fatal(err)
	}
	if g.dropped != 3 || len(g.exceptions) != 1 || len(g.exceptions[0]) > 2100 {
		t.Errorf("%d dropped, %q", g.dropped, g.exceptions)
	}
	type seen struct{ end, checks, wrong int }
	want := map[seen]bool{{1, 1, 0}: true, {2, 2, 2}: true, {3, 0, 0}: true, {4, 0, 0}: true, {5, 0, 0}: true}
	for _, r := range g.requests {
		k := seen{int(r.End / time.Millisecond), r.Checks, r.Wrong}
		if !want[k] {
			t.Errorf("%+v", r)
		}
		delete(want, k)
		if r.Wrong > 0 && g.checks[r.Check] != "wrong" {
			t.Errorf("the first that did not hold is %q", g.checks[r.Check])
		}
	}
	if len(want) > 0 || g.last().Loose != 3 {
		t.Errorf("left %v, %d loose", want, g.last().Loose)
	}
}

// stuck is a pipe that is not read until it is released.
type stuck struct {
	go_ chan struct{}
	bytes.Buffer
}

func (w *stuck) Write(b []byte) (int, error) {
	<-w.go_
	return w.Buffer.Write(b)
}

// TestStream_Lost checks that a missing reader never blocks the script, that memory is bounded,
// and that lost frames are counted and reported.
func TestStream_Lost(t *testing.T) {
	w := &stuck{go_: make(chan struct{})}
	s := NewStream(w, nil)
	step := s.Step("a")
	const n = 4_000_000 // more than fits into the writer and the buffer
	for i := range n {
		s.put(true, func(b []byte) []byte {
			return appendRequest(b, &Request{Step: step, End: time.Duration(i) * time.Microsecond})
		})
	}
	s.mu.Lock()
	waiting, lost := len(s.buf), s.lost
	s.mu.Unlock()
	if waiting > mostWaiting+100 || lost == 0 {
		t.Errorf("%d bytes wait, %d are lost", waiting, lost)
	}
	s.Note(Note{End: &End{}})
	close(w.go_)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	g := newGot()
	if err := readMessages(&w.Buffer, g); err != nil {
		t.Fatal(err)
	}
	if got := int64(len(g.requests)) + g.last().Lost; got != n || g.last().End == nil {
		t.Errorf("%d came or are said to be lost, of %d", got, n)
	}
}

// TestStream_Broken checks that the script is notified once when the reader is gone.
func TestStream_Broken(t *testing.T) {
	r, w := io.Pipe()
	_ = r.CloseWithError(errors.New("gone"))
	var calls atomic.Int64
	broken := make(chan bool, 1)
	s := NewStream(w, func(error) { calls.Add(1); broken <- true })
	<-broken
	s.Users(5)
	if err := s.Close(); err == nil || calls.Load() != 1 {
		t.Errorf("notified %d times, %v", calls.Load(), err)
	}
}

// TestStream_Steps checks that the number of steps is bounded.
func TestStream_Steps(t *testing.T) {
	var b bytes.Buffer
	s := NewStream(&b, nil)
	for i := range 3 * MostSteps {
		s.Request("", &Request{Step: s.Step(strings.Repeat("x", i+1))})
	}
	for i := range mostChecks + 10 {
		s.Request("1", &Request{})
		s.CheckMade("1", strings.Repeat("y", i+1), false)
	}
	s.Note(Note{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	g := newGot()
	if err := readMessages(&b, g); err != nil {
		t.Fatal(err)
	}
	if len(g.steps) != MostSteps+1 || g.steps[MostSteps] != OtherSteps || g.last().Others != 2*MostSteps {
		t.Errorf("%d steps, the last %q, %d requests in it", len(g.steps), g.steps[MostSteps], g.last().Others)
	}
	if len(g.checks) > mostChecks+1 {
		t.Errorf("%d checks", len(g.checks))
	}
}

// TestStream_StepOr: a request of a step that is not known is one of the script's first step.
func TestStream_StepOr(t *testing.T) {
	s := NewStream(new(bytes.Buffer), nil)
	first, second := s.StepOr("read"), s.Step("write")
	for name, want := range map[string]int{"read": first, "write": second, "never seen": first} {
		if got := s.StepOr(name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}
