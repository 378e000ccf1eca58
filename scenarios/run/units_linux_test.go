package run_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/run"
)

// counted is how many processes of a test ran from an instant on.
type counted struct {
	at time.Time
	n  int
}

// counts looks for the children of this process whose command lines hold all words, until it is stopped.
func counts(words ...string) (stop func() []counted) {
	ended, out := make(chan struct{}), make(chan []counted)
	go func() {
		var all []counted
		for {
			select {
			case <-ended:
				out <- all
				return
			case <-time.After(20 * time.Millisecond):
			}
			stats, _ := filepath.Glob("/proc/[0-9]*/stat")
			at, n := time.Now(), 0
			for _, file := range stats {
				stat, _ := os.ReadFile(file)
				_, rest, _ := bytes.Cut(stat, []byte(") "))
				fields := strings.Fields(string(rest))
				if len(fields) < 2 || fields[0] == "Z" || fields[1] != strconv.Itoa(os.Getpid()) {
					continue
				}
				command, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
				has := true
				for _, word := range words {
					has = has && bytes.Contains(command, []byte(word))
				}
				if has {
					n++
				}
			}
			if k := len(all); k == 0 || all[k-1].n != n {
				all = append(all, counted{at, n})
			}
		}
	}()
	return func() []counted { close(ended); return <-out }
}

// TestUnits: how many units of a service run, and when those that were stopped are back, beside what /proc shows
// another reader.
func TestUnits(t *testing.T) {
	t.Parallel()
	const mark = "marked-by-test-units"
	stop := counts(mark)
	res := runOnce(t, `version: 1
target: {processes: {web: {command: [`+strings.Join(self("echo", mark), ", ")+
		`], replicas: 4, ready: {get: /}}}, entry: web}
judge: {hold: 1s}
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 9s, flow: [{get: /}]}}
chaos: {lose: {at: 2s, for: 2s, process.stop: {unit: "web[0]"}}}
slo: [web.units >= 4 in baseline, web.units >= 3, web.units = 4, reach(web.units >= 4) < 4s after lose, reach(web.units >= 5) < 4s after lose]
`, run.Options{})
	seen := stop()
	want := []scenarios.Verdict{scenarios.Pass, scenarios.Pass, scenarios.Fail, scenarios.Pass, scenarios.Fail}
	for i, o := range res.Objectives {
		if o.Verdict != want[i] {
			t.Errorf("%s: %s, measured %v (%s)", o.Text, o.Verdict, o.Measured, o.Note)
		}
	}
	injected := res.T0.Add(res.Faults[0].Injected.D())
	var least int
	var back time.Duration
	// Not from the injection on: /proc may show its effect before brunt notes the time.
	for _, c := range seen[1+slices.IndexFunc(seen, func(c counted) bool { return c.n == 4 }):] {
		if back > 0 {
			break
		}
		if least == 0 || c.n < least {
			least = c.n
		}
		if c.n == 4 && least < 4 { // a moment after the injection all may still be there
			back = c.at.Sub(injected)
		}
	}
	if got := int(res.Objectives[1].Measured); got != 3 || least != 3 {
		t.Errorf("%d ran at the least, and /proc showed %d: %v", got, least, seen)
	}
	const late = 100 * time.Millisecond // of either reader
	if o := res.Objectives[3]; back < o.Low.D()-late || back > o.High.D()+late || back < 2*time.Second {
		t.Errorf("they were back between %s and %s after the injection, and /proc showed them after %s", o.Low.D(),
			o.High.D(), back)
	}
}
