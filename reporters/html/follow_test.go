package html

import (
	"math"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// going returns second s of a run in which the fault crash is in from 20 s to 23 s: a tenth of the requests fails then,
// and answers are slow until 26 s.
func going(t *testing.T, s int) result.Interval {
	t.Helper()
	o, err := slo.ParseObjective("errors < 1%")
	if err != nil {
		t.Fatal(err)
	}
	iv := result.Interval{
		At: time.Duration(s) * time.Second, End: 40 * time.Second, Phase: "run", Offered: 200, OK: 200,
		P50: 2 * time.Millisecond, P95: 10 * time.Millisecond, P99: 20 * time.Millisecond,
		Next: "crash", NextAt: 20 * time.Second,
		Timetable: []result.PlannedFault{{
			Name: "crash", Kind: "process.crash", At: 20 * time.Second, Clear: 23 * time.Second,
		}},
		Objectives: []result.RunningVerdict{{
			Asked: o, Text: o.Text, Phase: slo.Phase{Kind: slo.RunPhase}, Verdict: scenarios.Pass, Measured: 0, Left: .57,
		}},
	}
	switch {
	case s < 0:
		iv.Phase = "warmup"
	case s >= 20 && s < 23:
		iv.OK, iv.Errors, iv.Faults, iv.Next = 180, 20, []string{"crash"}, ""
		iv.Steps = []result.StepInterval{{Causes: map[string]int64{"status 503": 19, "timeout": 1}}}
		iv.Objectives[0].Verdict, iv.Objectives[0].Left = scenarios.Fail, -1.5
	case s >= 23:
		iv.Next = ""
	}
	if s >= 20 && s < 26 {
		iv.P95 = 400 * time.Millisecond
	}
	return iv
}

// TestFollower_Log follows a run with a fault: the log says what happened, each thing once.
func TestFollower_Log(t *testing.T) {
	var f Follower
	for s := -2; s < 40; s++ {
		f.Add(going(t, s))
	}
	var got []string
	for _, h := range f.log {
		got = append(got, h.At+" "+h.Text)
	}
	want := []string{
		"−00:02 The warm-up began; nothing is judged yet.",
		"00:00 The judged load began. It lasts 00:40.",
		"00:20 crash (process.crash) is in.",
		"00:20 Requests fail: 20 of 200 that ended, by status 503 and timeout.",
		"00:20 Answers are slower: p95 is 400ms, and was 10ms.",
		"00:20 Objective errors < 1% fails as it stands.",
		"00:23 crash is out, after 00:03.",
		"00:23 Objective errors < 1% holds again.",
		"00:25 No request has failed for 3 s. 60 requests failed in all since 00:20.",
		"00:28 Answers are as fast as before: p95 is 10ms, 00:08 after they became slower.",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the log is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestFollower_Desk: people can mark faults in a run that expects them to act, or once they did, and in no other one.
func TestFollower_Desk(t *testing.T) {
	acted, err := slo.ParseObjective("acted < 5m after crash")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		with func(*result.Interval)
		want int
	}{
		{"a run without people", func(*result.Interval) {}, 0},
		{"an objective asks about marks", func(iv *result.Interval) {
			iv.Objectives = append(iv.Objectives, result.RunningVerdict{Asked: acted, Text: acted.Text})
		}, 1},
		{"a mark by curl", func(iv *result.Interval) { iv.Marked[0].Marks = []result.MarkKind{result.Seen} }, 1},
		{"a fault waits", func(iv *result.Interval) { iv.Waiting = []result.WaitingFault{{Name: "cut"}} }, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			iv := going(t, 21)
			iv.Marked = []result.MarkedFault{{Name: "crash", In: true}}
			c.with(&iv)
			var f Follower
			f.Add(iv)
			if got := f.Now().Desk; len(got) != c.want {
				t.Errorf("the desk has %+v, want %d rows", got, c.want)
			}
		})
	}
}

// TestFollower_Rates: figures of an interval that is longer than a second are rates, as in the dials.
func TestFollower_Rates(t *testing.T) {
	iv := going(t, 5)
	iv.Span = 2 * time.Second
	var f Follower
	f.Add(iv)
	n := f.Now()
	if got := n.Big[0].Value + ", " + n.Big[0].Note + ", " + n.Figures[0].Value + ", " + n.Figures[1].Value; got !=
		"100/s, of 100/s asked for, 100/s, 100/s" {
		t.Error(got)
	}
}

// TestFollower_Aim: the limit of p95 in the baseline is drawn until the first fault, and not after it.
func TestFollower_Aim(t *testing.T) {
	o, err := slo.ParseObjective("p95 < 100ms in baseline")
	if err != nil {
		t.Fatal(err)
	}
	for last, want := range map[int]string{15: "objective 100ms", 21: "in the last second", 30: "in the last second"} {
		var f Follower
		for s := range last + 1 {
			iv := going(t, s)
			iv.Objectives = []result.RunningVerdict{{Asked: o, Text: o.Text, Phase: slo.Phase{Kind: slo.BaselinePhase}}}
			f.Add(iv)
		}
		if got := f.Now().Big[2].Note; got != want {
			t.Errorf("at %d s: %q, want %q", last, got, want)
		}
	}
}

// TestFollower_Quiet follows a run in which nothing happens: the log says no more than that it began.
func TestFollower_Quiet(t *testing.T) {
	var f Follower
	for s := range 19 {
		f.Add(going(t, s))
	}
	if len(f.log) != 1 {
		t.Errorf("the log has %+v", f.log)
	}
}

// TestFollower_Now checks what the page shows of a second: the title, the countdown, the figures and the objectives.
func TestFollower_Now(t *testing.T) {
	for _, c := range []struct {
		name                     string
		second                   int
		title, fault, note, left string
		value                    string
	}{
		{"before the fault", 15, "▶ 00:15/00:40", "Next fault in", "crash", "0% / 1% / 57% left", "00:05"},
		{"in the fault", 21, "✗ 1 failing · 00:21/00:40", "Fault now", "crash", "0% / 1% / 2.5x the limit", "00:02 left"},
		{"after it", 30, "▶ 00:30/00:40", "Next fault", "none to come", "0% / 1% / 57% left", "–"},
		{"in the warm-up", -1, "▶ warm-up", "Next fault in", "crash", "0% / 1% / 57% left", "00:21"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var f Follower
			for s := -2; s <= c.second; s++ {
				f.Add(going(t, s))
			}
			n := f.Now()
			if n.Title != c.title {
				t.Errorf("the title is %q, want %q", n.Title, c.title)
			}
			if d := n.Big[3]; d.Name != c.fault || d.Value != c.value || d.Note != c.note {
				t.Errorf("the fault is %+v", d)
			}
			if n.Objectives[0].Left != c.left {
				t.Errorf("the objective is %+v, want %q", n.Objectives[0], c.left)
			}
			for _, d := range n.Big[:3] {
				if d.Line == "" || strings.Contains(d.Line+d.Behind+d.Aim+d.Shade, "NaN") {
					t.Errorf("the line of %s is %q", d.Name, d.Line)
				}
			}
			if shaded := n.Big[0].Shade != ""; shaded != (c.second >= 20) {
				t.Errorf("the time of the fault is shaded: %v", shaded)
			}
		})
	}
}

// TestFollower_Minute keeps one minute of a long run, and a bounded log.
func TestFollower_Minute(t *testing.T) {
	var f Follower
	for s := range 500 {
		iv := going(t, s)
		iv.End, iv.P95, iv.Faults = time.Hour, 0, nil
		if s%2 == 0 {
			iv.Faults = []string{"again"}
		}
		f.Add(iv)
	}
	if len(f.minute) != 60 || len(f.log) != mostLogged {
		t.Errorf("%d seconds and %d entries are kept", len(f.minute), len(f.log))
	}
	if n := f.Now(); n.Big[2].Value != "–" || !math.IsNaN(f.minute[0].p95) || n.Big[2].Line != "" {
		t.Errorf("p95 without an answer is %+v", n.Big[2])
	}
}

// TestFollower_Chips sorts objectives by how near they are to failing, and counts those without room.
func TestFollower_Chips(t *testing.T) {
	verdict := func(v scenarios.Verdict, left float64, text string) result.RunningVerdict {
		return result.RunningVerdict{Text: text, Verdict: v, Left: result.Num(left), Measured: result.NaN}
	}
	list := []result.RunningVerdict{
		verdict(scenarios.Pending, math.NaN(), "later"), verdict(scenarios.Pass, .9, "easy"),
		verdict(scenarios.Pass, .1, "tight"), verdict(scenarios.Fail, -2, "broken"),
	}
	for range mostChips {
		list = append(list, verdict(scenarios.Pending, math.NaN(), "unknown"))
	}
	out, more := chips(&result.Interval{Objectives: list})
	if out[0].Text != "broken" || out[1].Text != "tight" || out[2].Text != "easy" || len(out) != mostChips ||
		more != "and 4 more" {
		t.Errorf("%+v, %q", out[:3], more)
	}
	if out[3].Left != "– / – / not yet known" || out[3].Bar != "" || out[1].Left != "– / – / 10% left" ||
		out[1].Bar != "M0 2H10" || out[0].Bar != "M0 0" {
		t.Errorf("%+v, %+v", out[3], out[1])
	}
}
