package load

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// at returns a second of the test logs in the format of combined.
func at(second int) string {
	return time.Date(2026, 10, 10, 13, 55, second, 0, time.FixedZone("", 2*3600)).Format("02/Jan/2006:15:04:05 -0700")
}

// combined writes a line for each request: a second, a method and a target.
func combined(requests ...string) string {
	var b strings.Builder
	for _, r := range requests {
		var second int
		var method, target string
		if _, err := fmt.Sscan(r, &second, &method, &target); err != nil {
			panic(err)
		}
		fmt.Fprintf(&b, "127.0.0.1 - ann [%s] \"%s %s HTTP/1.1\" 200 2326 \"-\" \"curl/8\"\n", at(second), method, target)
	}
	return b.String()
}

// replayOf scans a log with the settings of a replay, and returns the mistakes.
func replayOf(t testing.TB, settings, text string) (Plan, []string) {
	t.Helper()
	doc := fmt.Sprintf("version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\nload:\n  a: {executor: replay, from: "+
		"x.log%s}\n", settings)
	sc, err := scenarios.Parse("s.yaml", scenarios.Options{Read: func(path string) ([]byte, error) {
		if path == "x.log" {
			return []byte(text), nil
		}
		return []byte(doc), nil
	}})
	if sc == nil {
		t.Fatal(err)
	}
	m := sc.Mistakes()
	var plan Plan
	if x, ok := syntax.Resolve(sc.Loads[0].Shape, Kinds(), m); ok {
		plan = x.Plan(Scope{Start: sc.Loads[0].Start.D(), Open: sc.Open, Mistakes: m})
	}
	if m.Len() == 0 {
		return plan, nil
	}
	return plan, strings.Split(m.Err().Error(), "\n")
}

// replayed lists the arrivals of a plan: due time and target of each.
func replayed(t testing.TB, p Plan, seed uint64) (out []string) {
	t.Helper()
	c := p.Log.cursor(p.Start(), p.Poisson, seed, Part{})
	last := time.Duration(-1)
	for n, at, ok := c.Next(); ok; n, at, ok = c.Next() {
		if n != int64(len(out)) || at < last {
			t.Errorf("arrival %d at %v, behind one at %v", n, at, last)
		}
		last = at
		out = append(out, fmt.Sprintf("%v %s %s", at, p.Log.Steps()[c.entry.flow].Name, c.entry.target))
	}
	if err := c.close(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReplay(t *testing.T) {
	for _, c := range []struct{ name, settings, log, want string }{
		{
			"seconds are spread evenly", "", combined("1 GET /a", "1 GET /b", "1 GET /c", "1 GET /d", "3 GET /e"),
			"0s GET /a /a,250ms GET /b /b,500ms GET /c /c,750ms GET /d /d,2s GET /e /e",
		},
		{
			"faster", ", speed: 4", combined("1 GET /a", "1 GET /b", "3 GET /e"),
			"0s GET /a /a,125ms GET /b /b,500ms GET /e /e",
		},
		{"slower", ", speed: 0.5", combined("1 GET /a", "2 GET /e"), "0s GET /a /a,2s GET /e /e"},
		{"a later start", ", start: 10s", combined("1 GET /a", "2 GET /e"), "10s GET /a /a,11s GET /e /e"},
		{
			"what changes something is left out", "", combined("1 GET /a", "1 POST /a", "2 DELETE /a/1", "2 HEAD /b"),
			"0s GET /a /a,1s HEAD /b /b",
		},
		{"unless it is asked for", ", methods: [post]", combined("1 GET /a", "2 POST /a"), "1s POST /a /a"},
		{
			"out of order, within the window", "", combined("5 GET /e", "3 GET /c", "4 GET /d", "9 GET /z", "1 GET /a"),
			"0s GET /a /a,2s GET /c /c,3s GET /d /d,4s GET /e /e,8s GET /z /z",
		},
		{
			"out of order, beyond the window", ", window: 2s", combined("1 GET /a", "5 GET /e", "9 GET /z", "2 GET /b"),
			"0s GET /a /a,4s GET /e /e,4.5s GET /b /b,8s GET /z /z",
		},
		{
			"skipped at the beginning", ", skip: 2s", combined("1 GET /a", "2 GET /b", "3 GET /c", "4 GET /d"),
			"0s GET /c /c,1s GET /d /d",
		},
		{
			"a part of it", ", skip: 1s, for: 2s", combined("1 GET /a", "2 GET /b", "3 GET /c", "4 GET /d"),
			"0s GET /b /b,1s GET /c /c",
		},
		{
			"steps are named by what they have in common", "",
			combined("1 GET /users/17?x=1", "2 GET /users/18", "3 GET /f/6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
			"0s GET /users/:id /users/17?x=1,1s GET /users/:id /users/18,2s GET /f/:id /f/6ba7b810-9dad-11d1-80b4-00c04fd430c8",
		},
		{
			"milliseconds as they are", "",
			`{"ts": 1791000000.25, "request": {"method": "GET", "uri": "/a"}}` + "\n" +
				`{"ts": 1791000000.75, "request": {"method": "GET", "uri": "/b"}}` + "\n",
			"250ms GET /a /a,750ms GET /b /b",
		},
		{
			"csv", "", "time,method,path\n2026-10-10T11:55:01Z,GET,/a\n2026-10-10T11:55:03.5Z,GET,\"/b?x=1,2\"\n",
			"0s GET /a /a,2.5s GET /b /b?x=1,2",
		},
		{
			"csv with columns of its own", `, fields: {time: when, path: what}`,
			"when;what\n1791000001000;GET /a HTTP/1.1\n1791000002500;https://example.org/b?c=d\n",
			"0s GET /a /a,1.5s GET /b /b?c=d",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, wrong := replayOf(t, c.settings, c.log)
			if wrong != nil {
				t.Fatal(wrong)
			}
			got := replayed(t, p, 1)
			if strings.Join(got, ",") != c.want {
				t.Errorf("got %s, want %s", strings.Join(got, ","), c.want)
			}
			if n := p.Arrivals(); n != int64(len(got)) || math.Abs(p.Rate.Total()-float64(n)) > 1e-6 {
				t.Errorf("%d arrivals, an area of %g, and %d came", n, p.Rate.Total(), len(got))
			}
		})
	}
}

func TestReplay_Packed(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, combined("1 GET /a", "2 GET /b"))
	_ = z.Close()
	p, wrong := replayOf(t, "", b.String())
	if wrong != nil {
		t.Fatal(wrong)
	}
	if got := replayed(t, p, 1); len(got) != 2 {
		t.Errorf("%q", got)
	}
	if _, wrong = replayOf(t, "", b.String()[:b.Len()/2]); !strings.Contains(fmt.Sprint(wrong), "unexpected EOF") {
		t.Errorf("of half a file: %v", wrong)
	}
}

func TestReplay_Mistakes(t *testing.T) {
	ten := combined("1 GET /a", "1 GET /a", "1 GET /a", "1 GET /a", "1 GET /a", "1 GET /a", "1 GET /a", "1 GET /a",
		"1 GET /a", "1 GET /a")
	long := strings.Repeat("x", 128<<10) + "\n"
	for _, c := range []struct{ name, settings, log, want string }{
		{
			"bad lines", "", "nonsense\n" + ten + long + "nonsense",
			"3 of 13 lines can't be read: line 1: it is not of the form",
		},
		{"a line too long", "", ten + long, "line 11: it is longer than 64 KiB"},
		{"as many as are allowed", ", bad_lines: 30%", "nonsense\n" + ten, ""},
		{
			"nothing to replay", "", combined("1 POST /a", "1 POST /b"),
			"holds no request to replay: not replayed: 2 by POST (methods)",
		},
		{"an empty log", "", "", "holds no request to replay: it is empty"},
		{"a method that is none", ", methods: ['G T']", ten, `"G T" is not a method`},
		{"a time that is none", "", strings.ReplaceAll(ten, "Oct", "Okt"), "its time can't be read"},
		{
			"csv without columns that are known", ", format: csv", "a,b\n1,2\n",
			"no column of a, b is known for its time; name one under fields: {time: …}",
		},
		{"json without what is named", ", fields: {path: where}", `{"time": 1791000000, "path": "/a"}`, `it has no "where"`},
		{"json that is none", ", format: json", ten, "it is not a JSON object"},
		{"a time of another age", "", `{"time": 12, "path": "/a"}`, "its time can't be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, wrong := replayOf(t, c.settings, c.log)
			if got := fmt.Sprint(wrong); c.want == "" && wrong != nil || !strings.Contains(got, c.want) {
				t.Errorf("got %s, want %q", got, c.want)
			}
		})
	}
}

func TestReplay_Notes(t *testing.T) {
	p, wrong := replayOf(t, ", speed: 2, bad_lines: 50%, window: 1s",
		combined("1 GET /a", "2 GET /b", "2 GET /b", "9 GET /c", "1 GET /d", "9 POST /d")+"nonsense\n127.0.0.1 - - ["+at(9)+
			`] "\x16\x03" 400 0 "-" "-"`)
	if wrong != nil {
		t.Fatal(wrong)
	}
	want := []string{
		"x.log: 5 requests over 9s of the log, at most 6/s, 500ms into it; replayed 2 times as fast. Its times are whole " +
			"multiples of " +
			"1s: requests of the same one are spread over it",
		"x.log: not replayed: 1 by POST (methods), 1 without a request",
		"x.log: 1 of 8 lines can't be read: line 7: it is not of the form 127.0.0.1 - - [10/Oct/2026:13:55:36 +0200] " +
			"\"GET / HTTP/1.1\" 200 2326",
		"x.log: 1 line stood more than 1s behind later ones; their requests are made as soon as the log's order allows " +
			"(window)",
	}
	if got := p.Log.Notes(); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A Poisson replay keeps the count of every second, and repeats for the same seed.
func TestReplay_Poisson(t *testing.T) {
	var lines []string
	for s := range 5 {
		for range 200 * (s + 1) {
			lines = append(lines, fmt.Sprintf("%d GET /", s))
		}
	}
	p, wrong := replayOf(t, ", arrivals: poisson", combined(lines...))
	if wrong != nil {
		t.Fatal(wrong)
	}
	one, again, other := replayed(t, p, 1), replayed(t, p, 1), replayed(t, p, 2)
	if !slices.Equal(one, again) || slices.Equal(one, other) {
		t.Error("a seed does not decide on the arrivals")
	}
	counts := map[time.Duration]int{}
	gaps := map[time.Duration]bool{}
	c := p.Log.cursor(0, true, 1, Part{})
	defer c.close()
	last := time.Duration(0)
	for _, at, ok := c.Next(); ok; _, at, ok = c.Next() {
		counts[at.Truncate(time.Second)]++
		gaps[at-last] = true
		last = at
	}
	for s := range 5 {
		if got := counts[time.Duration(s)*time.Second]; got != 200*(s+1) {
			t.Errorf("second %d has %d arrivals", s, got)
		}
	}
	if len(gaps) < 2500 {
		t.Errorf("only %d gaps differ: they are even", len(gaps))
	}
}

// A log of days is counted in longer intervals; its total is exact.
func TestReplay_Long(t *testing.T) {
	var b strings.Builder
	const days = 30
	for i := range days * 24 {
		fmt.Fprintf(&b, `{"time": %d, "path": "/%d"}`+"\n", 1791000000+i*3600, i)
	}
	p, wrong := replayOf(t, ", speed: 1000000", b.String())
	if wrong != nil {
		t.Fatal(wrong)
	}
	if n := len(p.Rate.pieces); n > mostCounts || math.Abs(p.Rate.Total()-days*24) > 1e-6 || p.Arrivals() != days*24 {
		t.Errorf("%d pieces, an area of %g", n, p.Rate.Total())
	}
	if got := len(replayed(t, p, 1)); got != days*24 {
		t.Errorf("%d came", got)
	}
}

// TestReplay_Run checks that requests are made at the times and with the targets of the log.
func TestReplay_Run(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p, wrong := replayOf(t, "", combined("1 GET /a", "1 GET /b", "4 GET /c"))
		if wrong != nil {
			t.Fatal(wrong)
		}
		r := newFakeTarget()
		r.answer = takes(5 * ms)
		run := r.run(t, `{executor: constant-arrival-rate, rate: 1/s, duration: 1s}`, get)
		run.Plan, run.Warmup = p, 2*time.Second
		r.t0 = time.Now().Add(3 * time.Second)
		run.Flows = nil
		for i, s := range p.Log.Steps() {
			run.Flows = append(run.Flows, Flow{Weight: 1, Steps: []Step{{Call: call(s.Name), Index: int32(i)}}})
		}
		var asked []string
		r.answer = func(it *template.Iter, c call, now time.Duration) verdict {
			if it.N >= 0 {
				asked = append(asked, fmt.Sprintf("%v %s %s", now, c, it.Recorded))
			}
			return verdict{after: 5 * ms}
		}
		r.do(t, run)
		if want := []string{"0s GET /a /a", "500ms GET /b /b", "3s GET /c /c"}; !slices.Equal(asked, want) {
			t.Errorf("asked %q, want %q", asked, want)
		}
		warm := 0
		for _, o := range r.outcomes(scenarios.IterationStep) {
			if o.Intended < 0 {
				warm++
			}
		}
		if warm != 3 { // the log begins with 2/s, and the warm-up contains three
			t.Errorf("%d in the warm-up", warm)
		}
	})
}

// The run ends if the log has changed since the scan.
func TestReplay_Changed(t *testing.T) {
	p, wrong := replayOf(t, "", combined("1 GET /a", "1 GET /b"))
	if wrong != nil {
		t.Fatal(wrong)
	}
	p.Log.open = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(combined("1 GET /a"))), nil }
	r := newFakeTarget()
	r.answer = takes(0)
	run := r.run(t, `{executor: constant-arrival-rate, rate: 1/s, duration: 1s}`, get)
	run.Plan, run.Flows = p, []Flow{{Weight: 1, Steps: []Step{get}}, {Weight: 1, Steps: []Step{get}}}
	if _, err := run.Go(context.Background()); err == nil ||
		!strings.Contains(err.Error(), "has changed since it was read: it had 2 requests, and now 1") {
		t.Errorf("got %v", err)
	}
}

// FuzzLogLine checks that every line that parses, in any format, gives a request that can be made.
func FuzzLogLine(f *testing.F) {
	f.Add(combined("1 GET /a?b=c"))
	f.Add(`{"ts": 1791000000.25, "request": {"method": "GET", "uri": "/a"}}`)
	f.Add("time,path\n2026-10-10T11:55:01Z,/ä b\n")
	f.Add(`1.2.3.4 - "x" [` + at(3) + `] "GET /\x22\"\\ HTTP/1.1" 200`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, format := range []string{"auto", "combined", "json", "csv"} {
			l := Log{logSettings: logSettings{
				name: "x", format: format, speed: 1, methods: safeMethods, window: time.Second,
				open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
			}}
			if l.scan() != nil {
				continue
			}
			c := l.cursor(0, false, 0, Part{})
			n, last := int64(0), time.Duration(-1)
			for _, at, ok := c.Next(); ok; _, at, ok = c.Next() {
				n++
				u := c.entry.target
				if _, err := template.LiteralURL(strings.ReplaceAll(u, "%", "")); err != nil || u[0] != '/' ||
					strings.ContainsAny(u, " #\r\n") || at < last {
					t.Errorf("%q at %v: %v", u, at, err)
				}
				last = at
			}
			if err := c.close(); err != nil || n != l.Count() {
				t.Errorf("%s: %d of %d: %v", format, n, l.Count(), err)
			}
		}
	})
}

func BenchmarkReplay_Scan(b *testing.B) {
	text := combined(slices.Repeat([]string{"1 GET /posts/17?page=2"}, 10_000)...)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		l := Log{logSettings: logSettings{
			name: "x", speed: 1, methods: safeMethods, window: time.Second,
			open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
		}}
		if err := l.scan(); err != nil {
			b.Fatal(err)
		}
	}
}
