//go:build linux

package drills

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// An asker asks the server at an address what it is, in one line.
type asker func(ctx context.Context, addr string) (string, error)

// getJSON decodes a page, whatever its status.
func getJSON(ctx context.Context, url string, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(out)
}

// A role is what a unit said from one time on, until its next one. Asked is when the question was sent whose answer
// was the first of them, said is when it came; before is when the last question with another answer was sent.
type role struct {
	unit                string
	says                string // empty: it did not answer
	before, asked, said time.Time
}

// A roleWatch asks the units of a run what they are, each rolesEvery and for roleWithin at most.
type roleWatch struct {
	mu             sync.Mutex
	roles          []role
	stopped, ended chan struct{}
}

const (
	rolesEvery = 20 * time.Millisecond
	roleWithin = 400 * time.Millisecond
)

// watchRoles asks the units whose names begin with those of askers. A unit that brunt has not started yet is
// asked once it has.
func watchRoles(dir string, askers map[string]asker) *roleWatch {
	w := &roleWatch{stopped: make(chan struct{}), ended: make(chan struct{})}
	go w.loop(dir, askers)
	return w
}

// stop returns what the units said, by the time at which they did.
func (w *roleWatch) stop() []role {
	close(w.stopped)
	<-w.ended
	slices.SortStableFunc(w.roles, func(a, b role) int { return a.said.Compare(b.said) })
	return w.roles
}

func (w *roleWatch) loop(dir string, askers map[string]asker) {
	defer close(w.ended)
	var asking sync.WaitGroup
	defer asking.Wait()
	known := map[string]bool{}
	for len(askers) > 0 {
		files, _ := filepath.Glob(filepath.Join(dir, "addr.*"))
		for _, file := range files {
			unit := strings.TrimPrefix(filepath.Base(file), "addr.")
			service, _, is := strings.Cut(unit, "[")
			if ask := askers[service]; is && ask != nil && !known[unit] {
				known[unit] = true
				asking.Go(func() { w.ask(dir, unit, ask) })
			}
		}
		select {
		case <-w.stopped:
			return
		case <-time.After(5 * rolesEvery):
		}
	}
}

// ask asks one unit until the watch stops. A unit that is started again has the address that it had.
func (w *roleWatch) ask(dir, unit string, ask asker) {
	tick := time.NewTicker(rolesEvery)
	defer tick.Stop()
	last := role{unit: unit}
	for n := 0; ; n++ {
		select {
		case <-w.stopped:
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), roleWithin)
		one := role{unit: unit, before: last.asked, asked: time.Now()}
		one.says, _ = ask(ctx, unitAddr(dir, unit))
		one.said = time.Now()
		cancel()
		if n == 0 || one.says != last.says {
			w.mu.Lock()
			w.roles = append(w.roles, one)
			w.mu.Unlock()
		}
		last = one
	}
}

// said lists what units said, from a time on.
func said(roles []role, t0 time.Time) string {
	var b strings.Builder
	for _, r := range roles {
		what := r.says
		if what == "" {
			what = "no answer"
		}
		fmt.Fprintf(&b, "  %8.3fs %-12s %s\n", r.said.Sub(t0).Seconds(), r.unit, what)
	}
	return b.String()
}

// A snapshot is all writes as one reader found them, and what each server said before it read.
type snapshot struct {
	at    time.Time
	ids   map[string]int
	holds string
	err   error
}

// readData reads all writes: once, or, where a failover may take writes away while brunt reads them, again and again
// until brunt has ended.
func (d drill) readData(dir string, exited chan error) (all []snapshot) {
	for {
		one := snapshot{at: time.Now(), holds: holdings(dir, d.holds)}
		one.ids, one.err = d.ids(context.Background(), dir)
		all = append(all, one)
		if d.holds == nil {
			return all
		}
		select {
		case err := <-exited:
			exited <- err
			return all
		case <-time.After(readsEvery):
		}
	}
}

// readsEvery is how long the test waits between two readings of all data.
const readsEvery = 500 * time.Millisecond

// lostOf counts the acknowledged writes that a snapshot lacks.
func lostOf(acked []write, data map[string]int) (n int) {
	for _, w := range acked {
		if data[w.id] == 0 {
			n++
		}
	}
	return n
}

// holdings lists what each server says that it is and has.
func holdings(dir string, askers map[string]asker) string {
	files, _ := filepath.Glob(filepath.Join(dir, "addr.*"))
	var out []string
	for _, file := range files {
		unit := strings.TrimPrefix(filepath.Base(file), "addr.")
		service, _, _ := strings.Cut(unit, "[")
		ask := askers[service]
		if ask == nil {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), roleWithin)
		says, err := ask(ctx, unitAddr(dir, unit))
		cancel()
		if err != nil {
			says = err.Error()
		}
		out = append(out, unit+" "+says)
	}
	return strings.Join(out, "; ")
}

// listed is what snapshots found of the acknowledged writes, by time.
func listed(all []snapshot, acked []write, t0 time.Time) string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "  %8.3fs %d lost", s.at.Sub(t0).Seconds(), lostOf(acked, s.ids))
		if s.err != nil {
			fmt.Fprintf(&b, " (%v)", s.err)
		}
		fmt.Fprintf(&b, "; %s\n", s.holds)
	}
	return b.String()
}

// A watched unit is what brunt shows of its answers.
type watched struct {
	Unit   string
	States []unitState
}

// A unitState is one answer of a unit and when it was given, in seconds.
type unitState struct {
	From, To float64
	Text     string // empty: no answer
}

// Brunt asks each 100 ms for 400 ms at most. A change shows within that of the time at which the test's own question
// saw it, and another 100 ms for the two on a busy machine. What lasts for less may not show.
const (
	roleShows = 500 * time.Millisecond
	roleApart = roleShows + 100*time.Millisecond
)

// answered leaves out the times without an answer, of the test and of brunt: the agents of some systems are so slow on
// a busy machine that one of two questions is answered in time and the other is not. What a unit said before and after
// such a time counts as one answer if it is the same.
func answered(r *report, roles []role) (heard []role) {
	last, gap := map[string]role{}, map[string]time.Time{}
	for _, one := range roles {
		is, known := last[one.unit]
		switch from, silent := gap[one.unit]; {
		case one.says == "":
			if !silent {
				gap[one.unit] = one.before
			}
			continue
		case known && is.says == one.says:
			delete(gap, one.unit)
			continue
		case silent:
			one.before = from
			delete(gap, one.unit)
		}
		last[one.unit] = one
		heard = append(heard, one)
	}
	for i := range r.Watches {
		var states []unitState
		for _, s := range r.Watches[i].States {
			switch n := len(states); {
			case n > 0 && (s.Text == "" || states[n-1].Text == s.Text):
				states[n-1].To = s.To
			case s.Text == "":
			default:
				states = append(states, s)
			}
		}
		r.Watches[i].States = states
	}
	return heard
}

// compareRoles holds each change of a unit's answers against brunt's, and each of brunt's answers against the unit's.
func compareRoles(out *row, r *report, roles []role) {
	of := map[string][]role{}
	for _, one := range roles {
		of[one.unit] = append(of[one.unit], one)
	}
	if len(r.Watches) == 0 {
		out.errorf("brunt has watched no unit")
	}
	var worst time.Duration
	changes := 0
	for _, w := range r.Watches {
		n, apart := w.changes(out, r.T0, of[w.Unit])
		worst, changes = max(worst, apart), changes+n
		w.invented(out, r.T0, of[w.Unit])
	}
	out.verdict += fmt.Sprintf(", %d changes of roles seen within %d ms", changes, worst.Milliseconds())
}

// changes finds the unit's changes among those that brunt shows, and returns how many there are and by how much the
// two are apart at most.
func (w *watched) changes(out *row, t0 time.Time, roles []role) (n int, worst time.Duration) {
	if len(w.States) == 0 {
		out.errorf("brunt has no answer of %s", w.Unit)
		return 0, 0
	}
	first, last := t0.Add(seconds(w.States[0].From)), t0.Add(seconds(w.States[len(w.States)-1].To))
	for i, is := range roles {
		until := last
		if i+1 < len(roles) {
			until = roles[i+1].asked
		}
		if i == 0 || until.Sub(is.said) < 2*roleShows || is.asked.Before(first) || is.said.Add(roleApart).After(last) {
			continue
		}
		found := false
		for _, s := range w.States {
			from := t0.Add(seconds(s.From))
			if s.Text != is.says || from.Before(is.before.Add(-roleApart)) || from.After(is.said.Add(roleApart)) {
				continue
			}
			found = true
			n++
			worst = max(worst, is.asked.Sub(from), from.Sub(is.said))
			break
		}
		if !found {
			out.errorf("%s said %q at %.3f s, and brunt does not show it within %v: %+v", w.Unit, is.says,
				is.said.Sub(t0).Seconds(), roleApart, w.States)
		}
	}
	return n, worst
}

// invented finds answers that brunt shows and the unit did not give.
func (w *watched) invented(out *row, t0 time.Time, roles []role) {
	for _, s := range w.States {
		from, held := t0.Add(seconds(s.From)), s.Text == ""
		for i, is := range roles {
			over := i+1 < len(roles) && roles[i+1].said.Before(from.Add(-roleApart))
			held = held || is.says == s.Text && !over && is.before.Before(from.Add(roleApart))
		}
		if !held {
			out.errorf("brunt shows %q of %s at %.3f s, which it did not say then", s.Text, w.Unit, s.From)
		}
	}
}

// compareHit holds the unit that the report names against what the fault is for, by the test's own question, and
// against the unit whose process changed at the injection.
func (d drill) compareHit(out *row, r *report, changes []change, roles []role) {
	f := r.Faults[0]
	injected := r.T0.Add(seconds(*f.Injected))
	hit := d.hitOf(f.Units)
	says := sayingsBefore(roles, injected)[hit]
	want, not := strings.CutPrefix(d.hits, "!")
	want = sayingOf(want, hit)
	if hit == "" || says == "" || (says == want) == not {
		out.errorf("the report says that the fault hit %v, of which %q said %q before, want %q",
			f.Units, hit, says, d.hits)
	}
	out.member = hit
	for _, c := range changes {
		if c.at.Sub(injected) >= -slack && !d.quiet {
			if c.unit != hit {
				out.errorf("the report says that the fault hit %s, and the process of %s changed", hit, c.unit)
			}
			return
		}
	}
}

// sayingsBefore is what each unit said last before a moment.
func sayingsBefore(roles []role, at time.Time) map[string]string {
	says := map[string]string{}
	for _, is := range roles {
		if is.said.Before(at) {
			says[is.unit] = is.says
		}
	}
	return says
}

// sayingOf is a saying in which # is the index of a unit.
func sayingOf(saying, unit string) string {
	_, index, _ := strings.Cut(strings.TrimSuffix(unit, "]"), "[")
	return strings.ReplaceAll(saying, "#", index)
}

// compareLed holds the unit that the report says led against the one that said so to the test's own question.
func (d drill) compareLed(out *row, r *report, roles []role) {
	says := sayingsBefore(roles, r.T0.Add(seconds(*r.Faults[0].Injected)))
	var led strings.Builder
	for unit, is := range says {
		if strings.HasPrefix(unit, d.store+"[") && is == sayingOf(d.leads, unit) {
			led.WriteString(unit)
		}
	}
	if r.Faults[0].Led != led.String() {
		out.errorf("the report says that %q led, and the units said that it was %q: %v",
			r.Faults[0].Led, led.String(), says)
	}
}

// hitOf is the unit that a fault hit: the only one of a service that is asked for its roles which is all that was hit,
// or an end of each link that was; empty: there is none.
func (d drill) hitOf(hit []string) string {
	if len(hit) == 0 {
		return ""
	}
	common := strings.Split(hit[0], "->")
	for _, one := range hit {
		ends := strings.Split(one, "->")
		common = slices.DeleteFunc(common, func(unit string) bool {
			service, _, _ := strings.Cut(unit, "[")
			return d.roles[service] == nil || !slices.Contains(ends, unit)
		})
	}
	if len(common) == 1 {
		return common[0]
	}
	return ""
}
