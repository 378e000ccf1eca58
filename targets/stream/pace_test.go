package stream_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
)

// TestPace_Stall: a server that stands still cannot hide it inside a stream: the time of a message counts from when it
// was due.
func TestPace_Stall(t *testing.T) {
	for _, own := range []bool{true, false} {
		for _, outstanding := range []int{100, 3} {
			s := start(t, "ws")
			message, expect := `{json: {id: "${message.id}"}}`, `{"$.re": "${message.id}"}`
			if !own {
				message, expect = "hello", "ok hello"
			}
			f := newFixture(t, s.Base(), `{ws: /, as: room, name: join}`,
				fmt.Sprintf(`{send: %s, name: say, pace: {rate: 100/s, for: 2s, outstanding: %d}, expect: %s}`, message,
					outstanding, expect))
			u := f.user(t, 0)
			good(t, u, 0)
			stalled := make(chan struct{})
			go func() {
				defer close(stalled)
				within(t, "a message", func() bool { return s.requests.Load() >= 50 })
				s.frozen.Lock()
				time.Sleep(400 * time.Millisecond) // simulates a stall
				s.frozen.Unlock()
			}()
			last := good(t, u, 1)
			<-stalled
			all := append(f.of("say", scenarios.WholeCall), last)
			if len(all) != 200 || s.requests.Load() != 200 {
				t.Fatalf("%d outcomes, the server had %d", len(all), s.requests.Load())
			}
			var took []time.Duration
			for i, o := range all {
				if o.Kind != scenarios.OK {
					t.Fatalf("message %d: %+v", i, o)
				}
				if gap := o.Intended - all[0].Intended; own && gap != time.Duration(i)*10*time.Millisecond {
					t.Fatalf("message %d was due after %v", i, gap)
				}
				took = append(took, o.Took())
			}
			slices.Sort(took)
			// The stall of 400 ms meets 40 messages of 200: the longest waits 400 ms, and the one at 90 % 200 ms.
			if p90, p99 := took[len(took)*90/100],
				took[len(took)*99/100]; p90 < 180*time.Millisecond || p99 < 340*time.Millisecond {
				t.Errorf("own %v, outstanding %d: p90 %v, p99 %v", own, outstanding, p90, p99)
			}
			if paced := last.Think; paced < 1900*time.Millisecond || paced > 2*time.Second {
				t.Errorf("the schedule took %v", paced)
			}
		}
	}
}

// TestPace_Late: a message that is not answered in time is a timeout, and its answer does not answer the next one.
func TestPace_Late(t *testing.T) {
	s := start(t, "ws")
	f := newFixture(t, s.Base(), `{ws: /, as: room}`,
		`{send: far, name: say, pace: {rate: 20/s, for: 500ms}, expect: ok far}`)
	u := f.user(t, 0)
	good(t, u, 0)
	last := u.Do(1, 100*time.Millisecond)
	all := append(f.of("say", scenarios.WholeCall), last)
	if len(all) != 10 || all[0].Cause != scenarios.Timeout || all[0].End-all[0].Intended != 100*time.Millisecond {
		t.Errorf("%d outcomes, the first is %+v", len(all), all[0])
	}
	for i, o := range all { // a busy machine may lose more of them
		if took := o.End - o.Intended; took < 79*time.Millisecond {
			t.Errorf("message %d was answered after %v, and the way takes 80 ms", i, took)
		}
	}
}

// TestPace_Sample: what is kept of a message that fails is kept of its step.
func TestPace_Sample(t *testing.T) {
	s := start(t, "tcp")
	f := newFixture(t, s.Base(), `{tcp: lines, as: line}`,
		`{send: mute, name: say, pace: {rate: 50/s, for: 100ms}, expect: exists}`)
	u := f.user(t, 0)
	good(t, u, 0)
	last := u.Do(1, 50*time.Millisecond)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.kept) != 5 || last.Step != 1 {
		t.Fatalf("%d samples, %+v", len(f.kept), last)
	}
	for i, kept := range f.kept {
		if f.steps[i] != 1 || kept.Step != "say" || !strings.Contains(kept.Message, "no message came: i/o timeout") {
			t.Errorf("of step %d: %+v", f.steps[i], kept)
		}
	}
}

// TestPace_Reconnect: users open their lost streams again, each after a wait of its own, and what was due meanwhile
// keeps its time.
func TestPace_Reconnect(t *testing.T) {
	s := start(t, "ws")
	f := newFixture(t, s.Base(),
		`{ws: /welcome, as: room, name: join, expect: {"$.type": welcome}, reconnect: {after: 50ms..150ms}}`,
		`{send: {json: {id: "${message.id}"}}, name: say, pace: {rate: 100/s, for: 1s}, expect: {"$.re": "${message.id}"}}`)
	const users = 4
	done := make(chan scenarios.Outcome, users)
	for vu := range users {
		u := f.user(t, vu)
		good(t, u, 0)
		go func() {
			out := u.Do(1, long)
			ended(u)
			done <- out
		}()
	}
	within(t, "messages", func() bool { return s.requests.Load() >= 100 })
	s.cut(true)
	all := f.of("say", scenarios.WholeCall)[:0]
	for range users {
		all = append(all, <-done)
	}
	all = append(all, f.of("say", scenarios.WholeCall)...)
	written, lost := int64(0), 0
	for _, o := range all {
		written += o.Written()
		if o.Kind == scenarios.Error {
			lost++
			if !slices.Contains([]string{"reset", "closed"}, o.Cause.String()) {
				t.Errorf("%q", o.Cause)
			}
		}
	}
	if len(all) != users*100 || written-s.requests.Load() > int64(lost) || written < s.requests.Load() {
		t.Errorf("%d outcomes, %d written, %d lost, the server had %d", len(all), written, lost, s.requests.Load())
	}
	again := f.of("join", scenarios.WholeCall)
	if len(again) != users || s.handshakes.Load() != 2*users {
		t.Errorf("%d opened again, %d handshakes", len(again), s.handshakes.Load())
	}
	causes := map[string]int{}
	for _, o := range f.of("join", heldTime) {
		causes[o.Cause.String()]++
	}
	if causes[""] != users || causes["reset"]+causes["closed"] != users {
		t.Errorf("held %v", causes)
	}
	if waited := slices.MaxFunc(all, func(a,
		b scenarios.Outcome,
	) int {
		return int(a.Took() - b.Took())
	}); waited.Took() < 50*time.Millisecond {
		t.Errorf("what was due while a stream was lost took %v", waited.Took())
	}
	if !slices.ContainsFunc(all, func(o scenarios.Outcome) bool { return o.Queue() >= 40*time.Millisecond }) {
		t.Error("the wait for a lost stream is no wait in a queue, and so brunt's own lag")
	}
	for _, o := range again {
		if o.Kind != scenarios.OK || o.Opening.Connect <= 0 {
			t.Errorf("%+v", o)
		}
	}
}

// TestPace_Lost: without `reconnect` the schedule ends with the stream.
func TestPace_Lost(t *testing.T) {
	s := start(t, "tcp")
	f := newFixture(t, s.Base(), `{tcp: lines, as: line, name: open}`,
		`{send: hello, name: say, pace: {rate: 50/s, for: 1h}, expect: ok hello}`)
	u := f.user(t, 0)
	good(t, u, 0)
	go func() {
		within(t, "messages", func() bool { return s.requests.Load() >= 5 })
		s.cut(false)
	}()
	out := u.Do(1, long)
	if out.Kind != scenarios.Error || !strings.Contains("closed reset", out.Cause.String()) {
		t.Errorf("%q: %+v", out.Cause, out)
	}
	if ok := f.of("say", scenarios.WholeCall); len(ok) < 5 {
		t.Errorf("%d messages before", len(ok))
	}
}
