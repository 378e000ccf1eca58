package run_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// A replicated is a store with two replicas whose behaviour a test can change. POST /w has a body
// {"key": K} and answers {"id": …}; GET /r/ID of a replica answers {"items": […], "text": …}.
type replicated struct {
	t     *testing.T
	front *httptest.Server
	at    [2]*httptest.Server

	mu     sync.Mutex
	n      int
	copies [2]map[string]int // number of copies by id, at each replica
	write  func(s *replicated, n int, key string) (status int, id string)
	read   func(s *replicated, replica int, id string) (status int, body string)
}

// newReplicated starts one; with a nil write it keeps a copy at both replicas, under the key.
func newReplicated(t *testing.T) *replicated {
	s := &replicated{t: t, copies: [2]map[string]int{{}, {}}}
	s.write = func(s *replicated, _ int, key string) (int, string) {
		s.put(key, 1, 1)
		return 201, key
	}
	s.read = func(s *replicated, replica int, id string) (int, string) { return s.list(replica, id, "same") }
	s.front = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct {
			Key string `json:"key"`
		}
		_ = json.NewDecoder(r.Body).Decode(&body)
		s.mu.Lock()
		s.n++
		status, id := s.write(s, s.n, body.Key)
		s.mu.Unlock()
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"id":%q}`, id)
	}))
	for i := range s.at {
		s.at[i] = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			status, body := s.read(s, i, strings.TrimPrefix(r.URL.Path, "/r/"))
			s.mu.Unlock()
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}))
		t.Cleanup(s.at[i].Close)
	}
	t.Cleanup(s.front.Close)
	return s
}

func (s *replicated) put(id string, copies ...int) {
	for i, n := range copies {
		s.copies[i][id] += n
	}
}

// list is the answer of a correct replica.
func (s *replicated) list(replica int, id, text string) (int, string) {
	n := s.copies[replica][id]
	items := strings.TrimSuffix(strings.Repeat(`{},`, n), ",")
	if n == 0 {
		return 404, `{"items":[]}`
	}
	return 200, fmt.Sprintf(`{"items":[%s],"text":%q}`, items, text)
}

// written is how many writes a test makes.
const written = 40

// run runs a scenario with the given ledger; FRONT, AT0 and AT1 are URLs.
func (s *replicated) run(ledger, slo string, o run.Options) *result.Result {
	return runOnce(s.t, s.text(ledger, slo), o)
}

func (s *replicated) text(ledger, slo string) string {
	text := fmt.Sprintf(`
version: 1
name: ledger
seed: 7
target: {url: FRONT}
load:
  main: {executor: shared-iterations, vus: 4, iterations: %d, flow: [{post: /w, name: write, json: {key: "${ledger.id}"}, extract: {id: "$.id"}}]}
ledger: %s
slo: %s
`, written, ledger, slo)
	for word, server := range map[string]*httptest.Server{"FRONT": s.front, "AT0": s.at[0], "AT1": s.at[1]} {
		text = strings.ReplaceAll(text, word, fmt.Sprintf("%q", server.URL))
	}
	return text
}

const (
	byKey    = `{write: write, ack: status 201, id: "${ledger.id}", read: {get: "/r/${id}"}, at: [AT0, AT1], settle: 0s, within: 10s, count: "$.items"}`
	byAnswer = `{write: write, ack: status 201, id: "${var.id}", read: {get: "/r/${id}"}, at: [AT0, AT1], settle: 0s, within: 10s}`
	plainly  = `{write: write, id: "${ledger.id}", read: {get: "/r/${id}"}, at: [AT0, AT1], settle: 0s, within: 10s}`
)

// TestLedger plants every outcome of a write, and checks that the ledger finds exactly that.
func TestLedger(t *testing.T) {
	t.Parallel()
	every := func(n, of int) bool { return n%of == 0 }
	const all, some = written, written / 10 // every tenth is planted
	tests := []struct {
		name   string
		ledger string
		plant  func(s *replicated)
		want   result.LedgerRecord // expected counts
		state  result.WriteState   // expected state of each planted write
	}{
		{"all held", byKey, func(*replicated) {}, result.LedgerRecord{Acknowledged: all, Held: all}, ""},
		{"all held, by the answer's id", byAnswer, func(s *replicated) {
			s.write = func(s *replicated, n int, _ string) (int, string) {
				id := fmt.Sprint("id-", n)
				s.put(id, 1, 1)
				return 201, id
			}
		}, result.LedgerRecord{Acknowledged: all, Held: all}, ""},
		{"some lost", byKey, func(s *replicated) {
			s.write = func(s *replicated, n int, key string) (int, string) {
				if !every(n, 10) {
					s.put(key, 1, 1)
				}
				return 201, key
			}
		}, result.LedgerRecord{Acknowledged: all, Held: all - some, Lost: some}, result.WriteLost},
		{"some late", byKey, func(s *replicated) {
			asked := map[string]int{}
			late := map[string]bool{}
			s.write = func(s *replicated, n int, key string) (int, string) {
				s.put(key, 1, 1)
				late[key] = every(n, 10)
				return 201, key
			}
			s.read = func(s *replicated, replica int, id string) (int, string) {
				if asked[id]++; late[id] && asked[id] <= 4 {
					return 404, `{"items":[]}`
				}
				return s.list(replica, id, "same")
			}
		}, result.LedgerRecord{Acknowledged: all, Held: all - some, Late: some}, result.WriteLate},
		{"some late at one replica, and the other silent from then on", byKey, func(s *replicated) {
			asked := [2]map[string]int{{}, {}}
			late := map[string]bool{}
			s.write = func(s *replicated, n int, key string) (int, string) {
				s.put(key, 1, 1)
				late[key] = every(n, 10)
				return 201, key
			}
			s.read = func(s *replicated, replica int, id string) (int, string) {
				asked[replica][id]++
				switch {
				case late[id] && asked[replica][id] == 1:
					return 404, `{"items":[]}`
				case late[id] && replica == 1:
					return 503, "down"
				}
				return s.list(replica, id, "same")
			}
		}, result.LedgerRecord{Acknowledged: all, Held: all - some, Stale: some}, result.WriteStale},
		{"some twice", byKey, func(s *replicated) {
			s.write = func(s *replicated, n int, key string) (int, string) {
				s.put(key, 1, 1)
				if every(n, 10) {
					s.put(key, 0, 1)
				}
				return 201, key
			}
		}, result.LedgerRecord{Acknowledged: all, Held: all - some, Duplicated: some}, result.WriteDuplicated},
		{"some twice, and nothing counts them", plainly, func(s *replicated) {
			s.write = func(s *replicated, _ int, key string) (int, string) { s.put(key, 2, 2); return 201, key }
		}, result.LedgerRecord{Acknowledged: all, Held: all}, ""},
		{"some at one replica only", byKey, func(s *replicated) {
			s.write = func(s *replicated, n int, key string) (int, string) {
				s.put(key, 1)
				if !every(n, 10) {
					s.put(key, 0, 1)
				}
				return 201, key
			}
		}, result.LedgerRecord{Acknowledged: all, Held: all - some, Stale: some}, result.WriteStale},
		{
			"an older value at one replica", strings.Replace(byKey, `"/r/${id}"}`, `"/r/${id}", extract: {text: "$.text"}}`, 1),
			func(s *replicated) {
				old := map[string]bool{}
				s.write = func(s *replicated, n int, key string) (int, string) {
					s.put(key, 1, 1)
					old[key] = every(n, 10)
					return 201, key
				}
				s.read = func(s *replicated, replica int, id string) (int, string) {
					if replica == 1 && old[id] {
						return s.list(replica, id, "older")
					}
					return s.list(replica, id, "same")
				}
			},
			result.LedgerRecord{Acknowledged: all, Held: all - some, Stale: some},
			result.WriteStale,
		},
		{
			"a value that the read does not take",
			strings.Replace(plainly, `"/r/${id}"}`, `"/r/${id}", check: {"$.text": same}}`, 1), func(s *replicated) {
				s.read = func(s *replicated, replica int, id string) (int, string) { return s.list(replica, id, "other") }
			},
			result.LedgerRecord{Acknowledged: all, Stale: all},
			result.WriteStale,
		},
		{
			"some refused, and there all the same", byKey, func(s *replicated) {
				s.write = func(s *replicated, n int, key string) (int, string) {
					s.put(key, 1, 1)
					if every(n, 10) {
						return 503, ""
					}
					return 201, key
				}
			},
			result.LedgerRecord{Acknowledged: all - some, Held: all - some, Refused: some, Present: some},
			result.WritePresent,
		},
		{"some refused, and not there", byKey, func(s *replicated) {
			s.write = func(s *replicated, n int, key string) (int, string) {
				if every(n, 10) {
					return 503, ""
				}
				s.put(key, 1, 1)
				return 201, key
			}
		}, result.LedgerRecord{Acknowledged: all - some, Held: all - some, Refused: some}, ""},
		{"some acknowledged in another way", byKey, func(s *replicated) {
			s.write = func(s *replicated, n int, key string) (int, string) {
				if every(n, 10) {
					return 202, key // lost, but never acknowledged
				}
				s.put(key, 1, 1)
				return 201, key
			}
		}, result.LedgerRecord{Acknowledged: all - some, Held: all - some, Refused: some}, ""},
		{"an id that is given again", byAnswer, func(s *replicated) {
			s.write = func(s *replicated, n int, _ string) (int, string) {
				id := fmt.Sprint("id-", n)
				if every(n, 10) {
					id = "one and the same"
				}
				s.copies[0][id], s.copies[1][id] = 1, 1
				return 201, id
			}
		}, result.LedgerRecord{Acknowledged: all, Held: all - some + 1, Lost: some - 1}, result.WriteLost},
		{"acknowledged without an id", byAnswer, func(s *replicated) {
			s.write = func(s *replicated, n int, _ string) (int, string) {
				id := fmt.Sprint("id-", n)
				s.put(id, 1, 1)
				if every(n, 10) {
					return 201, ""
				}
				return 201, id
			}
		}, result.LedgerRecord{Acknowledged: all, Held: all - some, Unnamed: some}, ""},
		{"a replica that is silent of some", byKey, func(s *replicated) {
			mute := map[string]bool{}
			s.write = func(s *replicated, n int, key string) (int, string) {
				s.put(key, 1, 1)
				mute[key] = every(n, 10)
				return 201, key
			}
			s.read = func(s *replicated, replica int, id string) (int, string) {
				if replica == 1 && mute[id] {
					return 403, ""
				}
				return s.list(replica, id, "same")
			}
		}, result.LedgerRecord{Acknowledged: all, Held: all - some, Unread: some}, result.WriteUnread},
		{"a replica that does not have what the other is silent of", byKey, func(s *replicated) {
			mute := map[string]bool{}
			s.write = func(s *replicated, n int, key string) (int, string) {
				if mute[key] = every(n, 10); !mute[key] {
					s.put(key, 1, 1)
				}
				return 201, key
			}
			s.read = func(s *replicated, replica int, id string) (int, string) {
				if replica == 1 && mute[id] {
					return 403, ""
				}
				return s.list(replica, id, "same")
			}
		}, result.LedgerRecord{Acknowledged: all, Held: all - some, Unknown: some}, result.WriteUnknown},
		{"no answer at first, then one", byKey, func(s *replicated) {
			tries := map[string]int{}
			s.read = func(s *replicated, replica int, id string) (int, string) {
				if tries[fmt.Sprint(replica, id)]++; tries[fmt.Sprint(replica, id)] < 3 {
					return 503, ""
				}
				return s.list(replica, id, "same")
			}
		}, result.LedgerRecord{Acknowledged: all, Held: all}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newReplicated(t)
			tt.plant(s)
			file := filepath.Join(t.TempDir(), "ledger.jsonl")
			res := s.run(tt.ledger, "[lost = 0]", run.Options{Ledger: file})
			got := res.Ledger
			if got == nil || !got.Read {
				t.Fatalf("it was not read: %+v", got)
			}
			counts := func(l result.LedgerRecord) [10]int64 {
				return [10]int64{
					l.Acknowledged, l.Held, l.Late, l.Lost, l.Duplicated, l.Stale, l.Unknown, l.Unread, l.Unnamed, l.Present,
				}
			}
			if counts(*got) != counts(tt.want) || got.Refused != tt.want.Refused {
				t.Errorf("got  %+v\nwant %+v", *got, tt.want)
			}
			var listed int64
			for _, k := range got.Keys {
				if k.State != tt.state {
					t.Errorf("%s is %s", k.ID, k.State)
				}
				listed++
			}
			w := tt.want
			if n := w.Lost + w.Late + w.Duplicated + w.Stale + w.Unknown + w.Unread + w.Present; listed != n {
				t.Errorf("%d writes are listed, want %d", listed, n)
			}
			if lines := linesOf(t, file); int64(len(lines)) != listed {
				t.Errorf("the file lists %d, want %d", len(lines), listed)
			}
			if left, _ := filepath.Glob(filepath.Dir(file) + "/*"); len(left) != 2 {
				t.Errorf("the folder holds %v", left)
			}
			audited(t, file, res)
			verdict := objective(t, res, "lost = 0").Verdict
			want := scenarios.Pass
			switch {
			case w.Lost > 0:
				want = scenarios.Fail
			case w.Unknown+w.Unnamed > 0:
				want = scenarios.Inconclusive
			}
			if verdict != want {
				t.Errorf("lost = 0 is %s, want %s", verdict, want)
			}
		})
	}
}

// audited holds the list of acknowledged writes beside the list of findings against the counts of the report.
func audited(t *testing.T, findings string, res *result.Result) {
	t.Helper()
	text, err := os.ReadFile(strings.TrimSuffix(findings, ".jsonl") + "-acknowledged.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	states, found, lost := map[result.WriteState]int64{}, int64(0), int64(0)
	for line := range strings.Lines(string(text)) {
		var w result.AcknowledgedWrite
		if err := json.Unmarshal([]byte(line), &w); err != nil {
			t.Fatal(err)
		}
		states[w.State]++
		switch {
		case w.Found != nil && *w.Found:
			found++
		case w.Found != nil:
			lost++
		}
		if at := w.Time.Sub(res.T0); w.ID == "" || at < 0 || (at-w.Acknowledged.D()).Abs() > time.Millisecond {
			t.Errorf("%+v, of a run that began at %s", w, res.T0)
		}
	}
	l := res.Ledger
	want := map[result.WriteState]int64{
		result.WriteHeld: l.Held, result.WriteLost: l.Lost, result.WriteLate: l.Late, result.WriteStale: l.Stale,
		result.WriteDuplicated: l.Duplicated, result.WriteUnknown: l.Unknown, result.WriteUnread: l.Unread,
	}
	maps.DeleteFunc(want, func(_ result.WriteState, n int64) bool { return n == 0 })
	if !maps.Equal(states, want) || lost != l.Lost || found != l.Acknowledged-l.Lost-l.Unknown-l.Unnamed {
		t.Errorf("listed for an auditor: %v, %d found and %d lost; want %v", states, found, lost, want)
	}
}

// linesOf reads a file with one JSON value per line.
func linesOf(t *testing.T, file string) (out []result.WriteKey) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var k result.WriteKey
		if err := json.Unmarshal(lines.Bytes(), &k); err != nil {
			t.Fatal(err)
		}
		out = append(out, k)
	}
	return out
}

// TestLedger_Blind: a verification that could not detect a loss passes no objective.
func TestLedger_Blind(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, ledger string
		read         func(s *replicated, replica int, id string) (int, string)
		want         string
	}{
		{
			"finds everything", plainly, func(*replicated, int, string) (int, string) { return 200, `{"items":[]}` },
			"never existed, so its reads prove nothing",
		},
		{
			"a count that leads nowhere", strings.Replace(byKey, "$.items", "$.itms", 1),
			func(s *replicated, replica int, id string) (int, string) {
				return s.list(replica, id, "same")
			}, "led nowhere",
		},
		{
			"a place where nothing is", byKey, func(*replicated, int, string) (int, string) { return 404, "" },
			"not one write was found",
		},
		{
			"is not let in", byKey, func(*replicated, int, string) (int, string) { return 401, "" },
			"for 40 of 40 writes: status 401",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newReplicated(t)
			s.read = tt.read
			file := filepath.Join(t.TempDir(), "ledger.jsonl")
			res := s.run(tt.ledger, "[lost = 0, rpo < 1s]", run.Options{Ledger: file})
			if !res.Ledger.Read { // nothing is known of any write
				res.Ledger.Held, res.Ledger.Lost, res.Ledger.Unknown = 0, 0, res.Ledger.Acknowledged
			}
			audited(t, file, res)
			if res.Verdict == scenarios.Pass {
				t.Error("it passes")
			}
			if !strings.Contains(res.Ledger.Note, tt.want) {
				t.Errorf("the note is %q, want %q", res.Ledger.Note, tt.want)
			}
		})
	}
}

// TestLedger_OldVariable: where a check of the write fails nothing is extracted, and the value of an
// earlier step in the variable is no id of this write.
func TestLedger_OldVariable(t *testing.T) {
	s := newReplicated(t)
	text := s.text(byAnswer, "[lost = 0]")
	was := `flow: [{post: /w, name: write, `
	if !strings.Contains(text, was) {
		t.Fatal(text)
	}
	text = strings.Replace(text, was,
		`flow: [{post: /w, name: before, json: {key: before}, extract: {id: "$.id"}}, {post: /w, name: `+
			`write, check: {"$.id": none}, `, 1)
	res := runOnce(t, text, run.Options{})
	if l := res.Ledger; l.Acknowledged != written || l.Unnamed != written || l.Held != 0 {
		t.Errorf("%+v", l)
	}
}

// TestLedger_Gone: the verification waits for a unit that is down for a quarter of `within`. Its
// writes are unknown, and the other units are still read.
func TestLedger_Gone(t *testing.T) {
	s := newReplicated(t)
	s.at[1].Close()
	began := time.Now()
	res := s.run(strings.Replace(byKey, "within: 10s", "within: 1s", 1), "[lost = 0, stale < 50%]", run.Options{})
	if l := res.Ledger; l.Lost != 0 || l.Held != 0 || l.Unread != written {
		t.Errorf("%+v", l)
	}
	if took := time.Since(began); took < time.Second/4 {
		t.Errorf("it was waited for %s", took)
	}
	if res.Verdict == scenarios.Pass {
		t.Error("it passes")
	}
}

// TestLedger_Interrupted: an interrupt while the target settles, or while it is read, ends the run
// at once, and writes that were not read back pass no objective.
func TestLedger_Interrupted(t *testing.T) {
	for _, during := range []string{"ledger.settle", "reading"} {
		t.Run(during, func(t *testing.T) {
			s := newReplicated(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			interrupt := func() { cancel(run.Interrupt{Code: 130}) }
			settle := "settle: 1m"
			if during == "reading" {
				settle = "settle: 0s"
				s.read = func(s *replicated, replica int, id string) (int, string) {
					if s.copies[replica][id] > 0 {
						interrupt()
						return 503, ""
					}
					return 404, ""
				}
			}
			began := time.Now()
			res, err := run.Run(ctx, mustCompile(t, s.text(strings.Replace(byKey, "settle: 0s", settle, 1), "[lost = 0]")),
				run.Options{
					State: t.TempDir(),
					Event: func(e result.Event) {
						if e.Event == during {
							interrupt()
						}
					},
				})
			if err != nil {
				t.Fatal(err)
			}
			if res.Verdict != scenarios.Interrupted || res.ExitCode != 130 {
				t.Errorf("%s (%d): %s", res.Verdict, res.ExitCode, res.Reason)
			}
			if o := objective(t, res, "lost = 0"); o.Verdict != scenarios.Inconclusive {
				t.Errorf("lost = 0 is %s", o.Verdict)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// TestLedger_Moment: the verification comes after the load and its settling, and before teardown; it
// is not measured; and its progress is reported.
func TestLedger_Moment(t *testing.T) {
	s := newReplicated(t)
	var mu sync.Mutex
	var reads []time.Time
	s.read = func(s *replicated, replica int, id string) (int, string) {
		reads = append(reads, time.Now())
		return s.list(replica, id, "same")
	}
	var lastWrite time.Time
	s.write = func(s *replicated, _ int, key string) (int, string) {
		lastWrite = time.Now()
		s.put(key, 1, 1)
		return 201, key
	}
	reported := 0
	var events []string
	res := s.run(strings.Replace(byKey, "settle: 0s", "settle: 700ms", 1), "[lost = 0, duplicated = 0]", run.Options{
		Live: func(iv result.Interval) {
			if iv.ToAsk == written {
				reported++
			}
		},
		Event: func(e result.Event) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, e.Event)
		},
	})
	if res.Verdict != scenarios.Pass && !wasLate(res) {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if gap := reads[0].Sub(lastWrite); gap < 700*time.Millisecond {
		t.Errorf("it was read %s after the last write", gap)
	}
	if n := len(reads); n != 2*(written+1) {
		t.Errorf("%d reads, want one of each write at each unit, and one of a write that there never was", n)
	}
	if n := cellOf(res, "run", "*").Count; n != written {
		t.Errorf("%d requests are measured, want the %d writes", n, written)
	}
	if reported == 0 || !slices.Contains(events, "ledger.settle") || !slices.Contains(events, "ledger.read") {
		t.Errorf("reported %d times, events %v", reported, events)
	}
}

// TestLedger_Probe checks the reads during the load: a replica that has writes a while later answers stale reads
// until then, at itself alone and under the fault that is in, and none where every replica has them at once.
func TestLedger_Probe(t *testing.T) {
	t.Parallel()
	const probing = `{write: write, ack: status 201, id: "${ledger.id}", read: {get: "/r/${id}"}, at: [AT0, AT1], settle: 0s, within: 10s, probe: 40/s}`
	for _, behind := range []bool{false, true} {
		s := newReplicated(t)
		s.write = func(s *replicated, n int, key string) (int, string) {
			s.put(key, 1, 1)
			if behind && n > 30 && n <= 60 {
				s.copies[1][key] = 0
			}
			if n == 61 { // it has caught up
				for k := range s.copies[0] {
					s.copies[1][k] = 1
				}
			}
			return 201, key
		}
		missed := 0
		s.read = func(s *replicated, replica int, id string) (int, string) {
			status, body := s.list(replica, id, "same")
			if status == 404 && s.copies[0][id] > 0 && replica == 1 { // not the write that there never was
				missed++
			}
			return status, body
		}
		text := strings.Replace(s.text(probing, "[stale.reads = 0, lost = 0]"),
			"executor: shared-iterations, vus: 4, iterations: 40", "executor: constant-arrival-rate, rate: 30/s, duration: 3s",
			1)
		mark := filepath.Join(t.TempDir(), "in")
		text += fmt.Sprintf("chaos: {behind: {at: 950ms, for: 1200ms, exec: {inject: 'touch %[1]s', verify: 'test -e "+
			"%[1]s', revert: 'rm -f %[1]s'}}}\n", mark)
		res := runOnce(t, text, run.Options{})
		s.mu.Lock()
		stale := missed
		s.mu.Unlock()
		r := res.Ledger.Reads
		if r == nil || r.Made < 60 || r.Unanswered != 0 {
			t.Fatalf("reads %+v", r)
		}
		if r.Stale != int64(stale) || (stale > 5) != behind {
			t.Errorf("behind %t: %d stale reads, and the replica missed %d", behind, r.Stale, stale)
		}
		if !behind {
			if res.Objectives[0].Verdict != scenarios.Pass {
				t.Errorf("%+v", res.Objectives[0])
			}
			continue
		}
		if o := res.Objectives[0]; o.Verdict != scenarios.Fail || float64(o.Measured) != float64(stale) || o.Count != r.Made {
			t.Errorf("%+v", o)
		}
		at1 := strings.TrimPrefix(s.at[1].URL, "http://")
		for unit, n := range r.Units {
			if !strings.Contains(unit, at1) || n != r.Stale {
				t.Errorf("stale at %v, want %s alone", r.Units, at1)
			}
		}
		if n := r.Faults["behind"]; n < r.Stale/2 || r.First < .9 || r.Last > 2.5 || r.Longest <= 0 || r.Longest > 1 {
			t.Errorf("%+v", r)
		}
		if res.Ledger.Lost != 0 || res.Ledger.Stale != 0 {
			t.Errorf("after the load %d are lost and %d stale", res.Ledger.Lost, res.Ledger.Stale)
		}
	}
}

// plantedRun runs SocialConnect, which logs every write, under a fault.
func plantedRun(t *testing.T, with, fault, ledger string) (res *result.Result, logs string) {
	t.Helper()
	logs = t.TempDir()
	res = runOnce(t, fmt.Sprintf(`
version: 1
name: planted
seed: 7
target: {stack: demo, with: {limiter: off, log_writes: on, %s}}
setup: [{post: /login, json: {user: ann}, extract: {token: "$.token"}}]
load:
  main:
    executor: constant-arrival-rate
    rate: 60/s
    duration: 6s
    timeout: 4s
    flow:
      - post: /posts
        name: write
        json: {author: ann, text: hello}
        headers: {Authorization: "Bearer ${var.token}", Idempotency-Key: "${ledger.id}"}
        check: {status: 201}
        extract: {id: "$.id"}
ledger: %s
chaos: {f: %s}
slo: [lost = 0, stale < 1%%]
`, with, ledger, fault), run.Options{LogDir: logs, Watchdog: self("guard")})
	if res.Ledger == nil || !res.Ledger.Read {
		t.Fatalf("%s: %+v", res.Reason, res.Ledger)
	}
	return res, logs
}

// logged counts in the logs of a service how often each write was logged with msg.
func logged(t *testing.T, logs, service, msg, by string) map[string]int {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(logs, service+"-*.log"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no logs of %s: %v", service, err)
	}
	out := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			var l map[string]any
			if json.Unmarshal([]byte(line), &l) == nil && l["msg"] == msg {
				out[fmt.Sprint(l[by])]++
			}
		}
	}
	return out
}

// keysOf returns the ledger's keys in a state, by id.
func keysOf(res *result.Result, state result.WriteState) map[string]int {
	out := map[string]int{}
	for _, k := range res.Ledger.Keys {
		if k.State == state {
			out[k.ID] = 1
		}
	}
	return out
}

// TestLedger_RPOWithoutOutage: a target that loses its last write and then refuses all for a while has lost no more
// than that write, whether an id is known before the answer or from it.
func TestLedger_RPOWithoutOutage(t *testing.T) {
	t.Parallel()
	for name, ledger := range map[string]string{"by key": byKey, "by the answer's id": byAnswer} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newReplicated(t)
			var down, up time.Time
			s.write = func(s *replicated, n int, key string) (int, string) {
				switch {
				case n == written/2: // acknowledged and lost
					time.Sleep(20 * time.Millisecond) // simulates work, while the answers before it arrive
					down = time.Now()
				case n > written/2 && n < written:
					time.Sleep(20 * time.Millisecond) // simulates an outage
					up = time.Now()
					return 503, ""
				default:
					s.put(key, 1, 1)
				}
				return 201, key
			}
			l := s.run(strings.Replace(ledger, "within: 10s", "within: 3s", 1), "[rpo < 1s]", run.Options{}).Ledger
			if outage := up.Sub(down).Seconds(); l.Lost != 1 || float64(l.RPO) > outage/2 {
				t.Errorf("%d lost, RPO at most %v s; want 1 and less than half of the outage of %v s: %+v", l.Lost, l.RPO, outage, l)
			}
		})
	}
}

const (
	readByKey = `{write: write, ack: status 201, id: "${ledger.id}", read: {get: "/posts?key=${id}"}, count: "$.items", at: [posts], settle: 1s, within: 10s}`
	readByID  = `{write: write, ack: status 201, id: "${var.id}", read: {get: "/posts/${id}"}, at: [posts, gateway], settle: 1s, within: 10s}`
)

// TestLedger_PlantedLosses crashes a replica that acknowledges writes before the store has them. The
// logs of the replica and the store show which acknowledged writes the store lacks; the ledger must
// find exactly those, by its own id and by the answer's.
func TestLedger_PlantedLosses(t *testing.T) {
	t.Parallel()
	const crash = `{at: 3s, process.crash: {service: posts, pick: one}}`
	for _, tt := range []struct{ name, ledger, by string }{
		{"by an id of its own", readByKey, "key"}, {"by the answer's", readByID, "id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			res, logs := plantedRun(t, "ack_early: on", crash, tt.ledger)
			planted := logged(t, logs, "posts", "acknowledged early", tt.by)
			for id := range logged(t, logs, "store", "committed", tt.by) {
				delete(planted, id)
			}
			lost := keysOf(res, result.WriteLost)
			if len(lost) == 0 || int64(len(lost)) != res.Ledger.Lost {
				t.Fatalf("%d lost, %d of them listed", res.Ledger.Lost, len(lost))
			}
			for id := range lost {
				if planted[id] == 0 {
					t.Errorf("%s is lost, and was not planted", id)
				}
				delete(planted, id)
			}
			// Logged, but killed before the answer was sent: these were not acknowledged.
			unanswered := cellOf(res, "run", "error").Count
			if int64(len(planted)) > unanswered {
				t.Errorf("%d planted losses were not found, and %d writes had no answer: %v", len(planted), unanswered, planted)
			}
			if rpo := float64(res.Ledger.RPO); rpo <= 0 || rpo > 0.8 || res.Ledger.RPOFault != "f" {
				t.Errorf("RPO %vs, lost to %q; a replica holds a write for half a second", rpo, res.Ledger.RPOFault)
			}
			if o := objective(t, res, "lost = 0"); o.Verdict != scenarios.Fail || int64(o.Measured) != res.Ledger.Lost {
				t.Errorf("%+v", o)
			}
			t.Logf("%d lost of %d, RPO %.3fs", res.Ledger.Lost, res.Ledger.Acknowledged, float64(res.Ledger.RPO))
		})
	}
	t.Run("without the switch", func(t *testing.T) {
		t.Parallel()
		res, _ := plantedRun(t, "ack_early: off", crash, readByKey)
		if l := res.Ledger; l.Lost != 0 || l.Held == 0 || l.Held != l.Acknowledged {
			t.Errorf("%+v", l)
		}
	})
}

// TestLedger_PlantedDuplicates slows the store down until writes to it time out in transit and are
// retried. The store's log shows the writes that it committed more than once; the ledger must find
// exactly them. With idempotency the same retries leave one of each.
func TestLedger_PlantedDuplicates(t *testing.T) {
	if testing.Short() {
		t.Skip("the ledger of another run")
	}
	const slow = `{at: 2s, for: 2500ms, network.latency: {from: posts, to: store, delay: 750ms, jitter: 300ms}}`
	run := func(t *testing.T, idempotency string) (found, planted map[string]int, l *result.LedgerRecord) {
		res, logs := plantedRun(t, "retry_writes: on, breaker: off, ejection: off, idempotency: "+idempotency, slow,
			readByKey)
		found = map[string]int{}
		for _, k := range res.Ledger.Keys {
			for _, n := range k.Found {
				if n > 1 {
					found[k.ID] = n
				}
			}
		}
		planted = logged(t, logs, "store", "committed", "key")
		maps.DeleteFunc(planted, func(_ string, n int) bool { return n < 2 })
		return found, planted, res.Ledger
	}
	t.Run("off", func(t *testing.T) {
		t.Parallel()
		found, planted, l := run(t, "off")
		if len(planted) == 0 || !maps.Equal(found, planted) || l.Duplicated != int64(len(planted)) {
			t.Errorf("%d found (%d counted), %d planted:\n%v\n%v", len(found), l.Duplicated, len(planted), found, planted)
		}
		if l.Lost != 0 {
			t.Errorf("%d are lost", l.Lost)
		}
		t.Logf("%d duplicated, %d present though unacknowledged, of %d", l.Duplicated, l.Present, l.Acknowledged)
	})
	t.Run("on", func(t *testing.T) {
		t.Parallel()
		found, planted, l := run(t, "on")
		if len(found)+len(planted) != 0 || l.Duplicated != 0 || l.Lost != 0 || l.Held == 0 {
			t.Errorf("%v, %v, %+v", found, planted, l)
		}
	})
}

// TestLedger_Damaged: writes that the ledger kept and can't read back from its own file, as of a disk that was full,
// are not held: no objective passes without them.
func TestLedger_Damaged(t *testing.T) {
	s := newReplicated(t)
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	res := s.run(byKey, "[lost = 0]", run.Options{Ledger: path, Event: func(e result.Event) {
		if e.Event != "ledger.settle" {
			return
		}
		raw := strings.TrimSuffix(path, ".jsonl") + "-writes.jsonl"
		b, err := os.ReadFile(raw)
		if err == nil {
			err = os.Truncate(raw, int64(len(b)-len(b)/4))
		}
		if err != nil {
			t.Error(err)
		}
	}})
	if w := res.Ledger; w == nil || w.Acknowledged != written || w.Held >= written || w.Held+w.Unrecorded != written ||
		res.Verdict != scenarios.Inconclusive {
		t.Errorf("%s: %s: %+v", res.Verdict, res.Reason, w)
	}
}
