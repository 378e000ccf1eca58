package terminal_test

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"brunt/reporters/reporterstest"
	"brunt/reporters/terminal"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

func TestTerminal_Golden(t *testing.T) {
	for _, name := range []string{
		"failing", "invalid", "infinite", "hostile", "empty", "interrupted", "not-reverted",
		"objectives-none", "faults", "ledger", "consistency",
	} {
		t.Run(name, func(t *testing.T) {
			o := terminal.Options{Files: "brunt-results/posts-20251120/report.html"}
			reporterstest.Golden(t, name+".txt", reporterstest.Render(t, terminal.New(nil, o), reporterstest.Results()[name]))
			o.Verbose = true
			reporterstest.Golden(t, name+".verbose.txt", reporterstest.Render(t, terminal.New(nil, o),
				reporterstest.Results()[name]))
		})
	}
	t.Run("colour", func(t *testing.T) {
		reporterstest.Golden(t, "failing.colour.txt", reporterstest.Render(t,
			terminal.New(nil, terminal.Options{Color: true, Width: 132}), reporterstest.Results()["failing"]))
	})
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

func TestTerminal_FitsItsWidth(t *testing.T) {
	reporterstest.Each(t, func(t *testing.T, r *result.Result) {
		for _, width := range []int{40, 80, 200} {
			o := terminal.Options{Width: width, Verbose: width != 80}
			plain := reporterstest.Render(t, terminal.New(nil, o), r)
			for line := range strings.SplitSeq(plain, "\n") {
				if words.Width(line) > width {
					t.Errorf("%d columns of %d: %s", words.Width(line), width, line)
				}
			}
			if strings.ContainsFunc(plain, func(c rune) bool { return c != '\n' && unicode.IsControl(c) }) {
				t.Error("a control character came through")
			}
			o.Color = true
			coloured := reporterstest.Render(t, terminal.New(nil, o), r)
			if escapes.ReplaceAllString(coloured, "") != plain {
				t.Error("without its colours the text is another")
			}
		}
	})
}

func TestTerminal_PlainLines(t *testing.T) {
	var b bytes.Buffer
	term := terminal.New(&b, terminal.Options{Summary: []string{"posts survive losing a replica"}})
	for s := -5; s <= 41; s++ {
		iv := reporterstest.Interval(s)
		iv.Errors = int64(s % 10 / 9)
		term.Observe(iv)
	}
	want := `posts survive losing a replica
00:00 warm-up: 300/s offered, 299/s ok, 0 errors, worst second p50 3.2ms p95 12ms p99 48ms, 7 in flight, lag 84µs
00:10 run: 300/s offered, 299/s ok, 1 errors, worst second p50 3.2ms p95 12ms p99 48ms, 7 in flight, lag 84µs
00:20 run: 300/s offered, 299/s ok, 1 errors, worst second p50 3.2ms p95 12ms p99 48ms, 7 in flight, lag 84µs, faults in: split
00:30 run: 300/s offered, 299/s ok, 1 errors, worst second p50 3.2ms p95 12ms p99 48ms, 7 in flight, lag 84µs, faults in: split
00:40 run: 300/s offered, 299/s ok, 1 errors, worst second p50 3.2ms p95 12ms p99 48ms, 7 in flight, lag 84µs
`
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}

// screen is a simple terminal that wraps at its width and scrolls, to show what the live block
// leaves on it.
type screen struct {
	width, height int
	rows          [][]rune
	x, y          int
	scrolled      int
	frames        int
}

func newScreen(width, height int) *screen {
	return &screen{width: width, height: height, rows: make([][]rune, 1)}
}

func (s *screen) Write(p []byte) (int, error) {
	s.frames++
	text := []rune(string(p))
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\r':
			s.x = 0
		case c == '\n':
			s.down()
			s.x = 0 // a terminal's line discipline does this
		case c == 0x1b:
			end := i + 2
			for text[end] < '@' || text[end] > '~' {
				end++
			}
			s.control(string(text[i+2:end]), text[end])
			i = end
		default:
			if s.x == s.width {
				s.down()
				s.x = 0
			}
			for len(s.rows[s.y]) <= s.x {
				s.rows[s.y] = append(s.rows[s.y], ' ')
			}
			s.rows[s.y][s.x] = c
			s.x++
		}
	}
	return len(p), nil
}

func (s *screen) down() {
	s.y++
	if s.y == len(s.rows) {
		s.rows = append(s.rows, nil)
	}
	if s.y-s.scrolled >= s.height {
		s.scrolled++
	}
}

func (s *screen) control(args string, what rune) {
	switch what {
	case 'A':
		n := 0
		_, _ = fmt.Sscan(args, &n)
		s.y = max(s.scrolled, s.y-n)
	case 'K':
		s.rows[s.y] = s.rows[s.y][:min(s.x, len(s.rows[s.y]))]
	case 'J':
		s.rows[s.y] = s.rows[s.y][:min(s.x, len(s.rows[s.y]))]
		s.rows = s.rows[:s.y+1]
	}
}

// narrow makes the screen narrower; longer lines are wrapped, as most terminals do it. The
// cursor stays with its character.
func (s *screen) narrow(width int) {
	var out [][]rune
	for y, row := range s.rows {
		for {
			n := min(width, len(row))
			out = append(out, slices.Clone(row[:n]))
			row = row[n:]
			if len(row) == 0 {
				break
			}
		}
		if y == s.y {
			s.x = len(out[len(out)-1])
			s.y = len(out) - 1
		}
	}
	s.rows, s.width = out, width
	s.scrolled = max(s.scrolled, len(out)-s.height)
}

func (s *screen) String() string {
	var b strings.Builder
	for _, r := range s.rows {
		b.WriteString(strings.TrimRight(string(r), " ") + "\n")
	}
	return b.String()
}

func TestTerminal_LiveBlock(t *testing.T) {
	s := newScreen(80, 24)
	width := 80
	term := terminal.New(s, terminal.Options{
		TTY: true, Color: true, Size: func() (int, int) { return width, 24 },
		Summary: []string{"posts survive losing a replica"},
	})
	fmt.Fprintln(s, "$ brunt run scenario.yaml")
	for i := -3; i <= 14; i++ {
		before := s.frames
		term.Observe(reporterstest.Interval(i))
		if i > -3 && s.frames != before+1 {
			t.Fatalf("%d writes for a frame", s.frames-before)
		}
	}
	reporterstest.Golden(t, "live.txt", s.String())

	fmt.Fprintf(term, "a log line\nand half")
	fmt.Fprintf(term, " of another\n")
	if got := s.String(); strings.Count(got, "requests") != 1 ||
		!strings.Contains(got, "replica\na log line\nand half of another\nrun ") {
		t.Errorf("after logging:\n%s", got)
	}

	width = 48
	s.narrow(48)
	term.Observe(reporterstest.Interval(15))
	if got := s.String(); strings.Count(got, "requests") != 1 || strings.Count(got, "latency") != 1 {
		t.Errorf("after the screen became narrower:\n%s", got)
	}
	width, s.width = 120, 120
	term.Observe(reporterstest.Interval(16))
	if got := s.String(); strings.Count(got, "requests") != 1 || s.scrolled != 0 {
		t.Errorf("after it became wider, %d rows scrolled:\n%s", s.scrolled, got)
	}
	term.Clear()
	want := "$ brunt run scenario.yaml\nposts survive losing a replica\na log line\nand half of another\n\n"
	if s.String() != want {
		t.Errorf("after the end:\n%s", s.String())
	}
}

func TestTerminal_LowScreenDoesNotScroll(t *testing.T) {
	s := newScreen(80, 4)
	term := terminal.New(s, terminal.Options{TTY: true, Width: 80, Height: 4})
	for i := range 5 {
		term.Observe(reporterstest.Interval(i))
	}
	if s.scrolled != 0 || len(s.rows) != 3 {
		t.Errorf("%d rows scrolled off, %d drawn:\n%s", s.scrolled, len(s.rows), s)
	}
}

func TestTerminal_NarrowLiveBlockDoesNotWrap(t *testing.T) {
	for _, width := range []int{10, 20, 40} {
		s := newScreen(width, 24)
		term := terminal.New(s, terminal.Options{TTY: true, Width: width})
		for i := -2; i < 42; i++ {
			term.Observe(reporterstest.Interval(i))
		}
		if len(s.rows) != 5 {
			t.Errorf("%d columns: %d rows:\n%s", width, len(s.rows), s)
		}
	}
}

// TestTerminal_Ledger checks the progress of reading the ledger: in a terminal a line in place
// of the block, elsewhere a line at once and then every ten seconds.
func TestTerminal_Ledger(t *testing.T) {
	reading := func(at time.Duration, n int64) result.Interval {
		return result.Interval{At: at, End: time.Minute, Phase: "ledger", Asked: n, ToAsk: 3000}
	}
	s := newScreen(80, 24)
	tty := terminal.New(s, terminal.Options{TTY: true, Width: 80})
	tty.Observe(reporterstest.Interval(3))
	tty.Observe(reading(61*time.Second, 512))
	if text := s.String(); !strings.Contains(text, "reading the ledger: 512 of 3000 writes") ||
		strings.Contains(text, "requests") {
		t.Errorf("the screen shows\n%s", text)
	}
	var b strings.Builder
	pipe := terminal.New(&b, terminal.Options{})
	for i := range 25 {
		pipe.Observe(reading(time.Minute+time.Duration(i)*time.Second, int64(i)*100))
	}
	if n := strings.Count(b.String(), "reading the ledger"); n != 3 {
		t.Errorf("%d lines in 25 s:\n%s", n, b.String())
	}
}

// TestTerminal_ManyObjectives checks that with any number of objectives and faults the block
// fits the screen, shows the failing ones, and counts the others.
func TestTerminal_ManyObjectives(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {80, 10}, {40, 24}, {200, 60}, {20, 5}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			s := newScreen(size[0], size[1])
			term := terminal.New(s, terminal.Options{TTY: true, Width: size[0], Height: size[1]})
			for i := range 30 {
				iv := reporterstest.Interval(i)
				for n := range 40 {
					iv.Faults = append(iv.Faults, fmt.Sprint("fault#", n))
					v, left := scenarios.Pass, result.Num(.5)
					switch {
					case n == 33:
						v, left = scenarios.Fail, -1.5
					case n%3 == 0:
						v, left = scenarios.Pending, result.NaN
					}
					iv.Objectives = append(iv.Objectives, result.RunningVerdict{
						Text: fmt.Sprintf("p95 < %dms of \"a step with a rather long name\"", n), Verdict: v,
						Left: left, Measured: result.NaN,
					})
				}
				term.Observe(iv)
			}
			text := s.String()
			if s.scrolled != 0 || len(s.rows) > size[1]-1 {
				t.Errorf("%d rows, %d scrolled off:\n%s", len(s.rows), s.scrolled, text)
			}
			if size[1] < 8 {
				return
			}
			if !strings.Contains(text, "✗ p95 < 33ms") ||
				size[0] >= 80 && !strings.Contains(text, "2.5x the limit") {
				t.Errorf("what fails is not seen:\n%s", text)
			}
			if !strings.Contains(text, " more: ") || !strings.Contains(text, " hold, 13 not") && size[0] > 40 {
				t.Errorf("the others are not counted:\n%s", text)
			}
			if size[0] >= 80 && !strings.Contains(text, "fault#0; fault#1") || !strings.Contains(text, " more") {
				t.Errorf("the faults that are in:\n%s", text)
			}
		})
	}
}

// TestTerminal_RunningVerdicts checks the states of objectives in words.
func TestTerminal_RunningVerdicts(t *testing.T) {
	for _, c := range []struct {
		s    result.RunningVerdict
		want string
	}{
		{result.RunningVerdict{Verdict: scenarios.Pass, Left: .999}, "– / – / 99% left"},
		{result.RunningVerdict{Verdict: scenarios.Pass, Left: 1}, "– / – / 100% left"},
		{result.RunningVerdict{Verdict: scenarios.Pass, Left: result.NaN}, "– / – / holds"},
		{result.RunningVerdict{Verdict: scenarios.Fail, Left: result.NaN}, "– / – / fails"},
		{result.RunningVerdict{Verdict: scenarios.Fail, Left: -.4}, "– / – / 1.4x the limit"},
		{result.RunningVerdict{Verdict: scenarios.Fail, Left: result.Num(math.Inf(-1))}, "– / – / none may"},
		{result.RunningVerdict{Verdict: scenarios.Pending, Left: result.NaN}, "– / – / not yet known"},
		{result.RunningVerdict{Verdict: scenarios.Pending, Left: 1}, "– / – / not yet known"},
		{
			result.RunningVerdict{
				Text: "errors < 1%", Phase: slo.ParsePhase("run"), Verdict: scenarios.Pass,
				Measured: .0012, Left: .88,
			},
			"0.12% / 1% / 88% left",
		},
		{
			result.RunningVerdict{
				Text: "errors < 1%", Phase: slo.ParsePhase("run"), Verdict: scenarios.Fail,
				Measured: .014, Left: -.4,
			},
			"1.4% / 1% / 1.4x the limit",
		},
		{
			result.RunningVerdict{
				Text: "availability > 99%", Phase: slo.ParsePhase("run"), Verdict: scenarios.Fail,
				Measured: .97, Left: -2,
			},
			"97% / 99% / 3x the 1% allowed",
		},
		{
			result.RunningVerdict{
				Text: "p95 < 200ms", Phase: slo.ParsePhase("run"), Verdict: scenarios.Fail,
				Measured: result.NaN, Left: -6.6,
			},
			"12ms now / 200ms / 7.6x the budget",
		},
		{result.RunningVerdict{
			Text: "errors = 0%", Phase: slo.ParsePhase("run"), Verdict: scenarios.Fail, Measured: .5,
			Left: result.Num(math.Inf(-1)),
		}, "50% / 0% / none may"},
		{
			result.RunningVerdict{
				Text: "p95 < 200ms", Phase: slo.ParsePhase("run"), Verdict: scenarios.Pass,
				Measured: result.NaN, Left: .99,
			},
			"12ms now / 200ms / 99% of budget left",
		},
		{
			result.RunningVerdict{
				Text: "p95 < 200ms in split", Phase: slo.ParsePhase("split"), Measured: result.NaN, Verdict: scenarios.Pass,
				Left: .99,
			},
			"12ms now / 200ms / 99% of budget left",
		},
		{result.RunningVerdict{
			Text: "p95 < 200ms in other", Phase: slo.ParsePhase("other"), Measured: result.NaN, Verdict: scenarios.Pass,
			Left: .99,
		}, "– / 200ms / 99% of budget left"},
		{result.RunningVerdict{
			Text: "p95 < 200ms of x", Phase: slo.ParsePhase("run"), Measured: result.NaN, Verdict: scenarios.Pass,
			Left: .99,
		}, "– / 200ms / 99% of budget left"},
	} {
		if c.s.Text != "" {
			asked, err := slo.ParseObjective(c.s.Text)
			if err != nil {
				t.Fatal(err)
			}
			c.s.Asked = asked
		}
		iv := reporterstest.Interval(14) // split is in
		if got := words.StateOf(c.s, &iv).String(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.s, got, c.want)
		}
	}
}

// TestIncidents: the incidents of a run are reported in full, however narrow the screen is.
func TestIncidents(t *testing.T) {
	r := reporterstest.Results()["minute"]
	render := func() string {
		return reporterstest.Render(t, terminal.New(nil, terminal.Options{Width: 80, Verbose: true}), r)
	}
	if s := render(); strings.Contains(s, "Incidents") {
		t.Error("a run without incidents lists some")
	}
	in := result.Incident{
		Begin: 15.1, End: 16.4, Over: true, Bad: 26, Requests: 390, Kinds: map[string]int64{"refused": 26},
	}
	in.Faults, in.By = []string{"lose-a-replica"}, "lose-a-replica"
	r.Incidents = []result.Incident{in}
	const want = "Incidents 1 from 15.1s to 16.4s (1.3s): 26 of 390 requests were bad: refused; by lose-a-replica "
	if s := strings.Join(strings.Fields(render()), " "); !strings.Contains(s, want) {
		t.Errorf("no incident in:\n%s", s)
	}
}

// A fault that made the load slower, and no request fail, has nothing to recover from.
func TestFaults_OnlySlower(t *testing.T) {
	r := reporterstest.Results()["minute"]
	slower := reporterstest.SlowStore().Rec
	slower.Impact, slower.Parts = result.Impacted, &result.ImpactParts{Requests: 800, Slowed: true}
	r.Faults = []result.FaultRecord{slower}
	for range 13 { // as a table
		many := slower
		many.Recover, many.Heal = 0, 0
		r.Faults = append(r.Faults, many)
	}
	if s := reporterstest.Render(t, terminal.New(nil, terminal.Options{Width: 200, Verbose: true}),
		r); strings.Contains(s[strings.Index(s, "Faults"):], " 0s ") {
		t.Error(s)
	}
	r.Faults = r.Faults[:1]
	table := reporterstest.Render(t, terminal.New(nil, terminal.Options{Width: 200, Verbose: true}), r)
	s := strings.Join(strings.Fields(table), " ")
	if !strings.Contains(s, "Impact: no request failed, and the load was slower.") || strings.Contains(s, "recover 0s") ||
		strings.Contains(s, "heal 0s") {
		t.Error(s)
	}
}

// What is written to a pipe has no line breaks within a sentence, and none of its text is cut.
func TestTerminal_Unwrapped(t *testing.T) {
	for name, r := range reporterstest.Results() {
		if name == "hostile" {
			continue // its text has line breaks
		}
		long := *r
		long.Verdict, long.Reason = scenarios.Invalid, strings.Repeat("a long reason ", 50)+"ends here."
		text := reporterstest.Render(t, terminal.New(nil, terminal.Options{Width: terminal.Unwrapped}), &long)
		if !strings.Contains(text, " "+long.Reason+"\n") || strings.Contains(text, "…") {
			t.Errorf("%s: wrapped or cut:\n%s", name, text)
		}
	}
}

// TestTerminal_OwnEnds: a unit that ended without a fault on it is told also without -v, and one that brunt ended after
// the load is not.
func TestTerminal_OwnEnds(t *testing.T) {
	r := *reporterstest.Results()["failing"]
	end := r.Phases[0].End
	for _, p := range r.Phases {
		end = max(end, p.End)
	}
	r.Events = []result.Event{
		{T: 1, Event: "unit.exit", Unit: "posts[7]", Text: "exit status 3"},
		{T: 2, Event: "unit.exit", Unit: "posts[7]", Text: "exit status 3"},
		{T: end + 1, Event: "unit.exit", Unit: "posts[8]", Text: "signal: terminated"},
	}
	text := reporterstest.Render(t, terminal.New(nil, terminal.Options{Width: 132}), &r)
	if !strings.Contains(text, "\nposts[7] ended by itself 2 times, first at 1s: exit status 3\n") ||
		strings.Contains(text, "posts[8]") {
		t.Error(text)
	}
}
