package html

import (
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"html"
	"image/png"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"brunt/reporters/chart"
	"brunt/reporters/reporterstest"
	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

var pagesDir = flag.String("pages", "", "a folder to write the page of every fixture to, for a look at them")

func TestHTML_Pages(t *testing.T) {
	if *pagesDir == "" {
		t.Skip("run with -pages DIR to look at the pages")
	}
	all := maps.Clone(reporterstest.Results())
	all["hour"] = reporterstest.Hour(200).Result()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		page := reporterstest.Render(t, Page{}, all[name])
		if err := os.WriteFile(filepath.Join(*pagesDir, name+".html"), []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d kB", name, len(page)/1000)
	}
}

var (
	styles  = regexp.MustCompile(`(?s)<style>(.*?)</style>`)
	scripts = regexp.MustCompile(`(?s)<script[^>]*>(.*?)</script>`)
	// the data of the script, in base64
	packedData = regexp.MustCompile(`<script type="text/plain" id="(data|facets)">([A-Za-z0-9+/=]*)</script>`)
	policy     = regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`)
	besideIt   = regexp.MustCompile(`^\.\./[^/]+/report\.html$`) // an earlier run
	numbers    = regexp.MustCompile(`^[-MmLlHhVvCZz0-9. ]+$`)
)

// element is an element of the page, as far as the tests need it.
type element struct {
	name string
	attr map[string]string
	in   []string // names of the enclosing elements
}

// elements parses the page, without its style and scripts, as strictly as XML except for void
// elements and attributes without a value.
func elements(t *testing.T, page string) []element {
	t.Helper()
	page = scripts.ReplaceAllString(styles.ReplaceAllString(page, ""), "")
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, []string{"meta"}, xml.HTMLEntity
	var out []element
	var open []string
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			if len(open) > 0 {
				t.Errorf("never closed: %v", open)
			}
			return out
		}
		if err != nil {
			line, col := d.InputPos()
			t.Fatalf("line %d, column %d in %v: %v", line, col, open, err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			e := element{name: tok.Name.Local, attr: map[string]string{}, in: slices.Clone(open)}
			for _, a := range tok.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			out = append(out, e)
			open = append(open, tok.Name.Local)
		case xml.EndElement:
			if open[len(open)-1] != tok.Name.Local {
				t.Fatalf("</%s> closes %v", tok.Name.Local, open)
			}
			open = open[:len(open)-1]
		}
	}
}

// unpack decodes the data of the script.
func unpack(t *testing.T, text string, v any) {
	t.Helper()
	z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(v); err != nil {
		t.Fatal(err)
	}
}

func TestHTML_IsSoundAndSelfContained(t *testing.T) {
	reporterstest.Each(t, func(t *testing.T, r *result.Result) {
		page := reporterstest.Render(t, Page{}, r)
		style, script := styles.FindAllStringSubmatch(page, -1), scripts.FindAllStringSubmatch(page, -1)
		data := packedData.FindAllStringSubmatch(page, -1)
		if len(style) != 1 || len(script) != 1+len(data) || strings.Count(page, "<script") != 1+len(data) ||
			strings.Count(page, "</style") != 1 {
			t.Fatalf("%d styles, %d scripts", len(style), len(script))
		}
		want := "default-src 'none'; img-src data:; style-src '" + hash(style[0][1]) + "'; script-src '" +
			hash(script[len(data)][1]) +
			"'; base-uri 'none'; form-action 'none'"
		if got := policy.FindStringSubmatch(page); got == nil || html.UnescapeString(got[1]) != want {
			t.Errorf("policy %v, want %s", got, want)
		}
		for _, d := range data {
			unpack(t, d[2], &json.RawMessage{})
		}
		body := scripts.ReplaceAllString(page, "")
		if strings.Contains(body, "NaN") || strings.Contains(body, "Inf") || strings.Contains(body, "ZgotmplZ") {
			t.Error("a number came out as NaN or Inf, or the template refused a value")
		}
		ids, classes := map[string]bool{}, map[string]bool{}
		var links []string
		leadsOut := false
		for _, e := range elements(t, page) {
			for name, v := range e.attr {
				switch {
				case name == "style" || strings.HasPrefix(name, "on"):
					t.Errorf("<%s %s=%q>", e.name, name, v)
				case name == "href" && besideIt.MatchString(v):
					leadsOut = true
				case name == "src" || name == "href" && !strings.HasPrefix(v, "#") && !strings.HasPrefix(v, "data:image/"):
					t.Errorf("<%s> leads outside: %q", e.name, v)
				case name == "href" && v[0] == '#':
					links = append(links, v[1:])
				case name == "d" && !numbers.MatchString(v):
					t.Errorf("path %q", v)
				case name == "id":
					if ids[v] {
						t.Errorf("id %q stands twice", v)
					}
					ids[v] = true
				case name == "class":
					for c := range strings.FieldsSeq(v) {
						classes[c] = true
					}
				}
			}
			if e.name == "table" && !slices.Contains(e.in, "div") {
				t.Error("a table that can't scroll")
			}
		}
		if says := strings.Contains(page, "lead to files beside this page"); says != leadsOut {
			t.Errorf("links to files beside the page: %v, and the page says so: %v", leadsOut, says)
		}
		for _, l := range links {
			if !ids[l] {
				t.Errorf("no part %q", l)
			}
		}
		for c := range classes {
			if position := regexp.MustCompile(`^[ltwr]m?\d+$`); position.MatchString(c) &&
				!strings.Contains(style[0][1], "."+c+"{") {
				t.Errorf("place %q is nowhere", c)
			}
		}
	})
}

func TestHTML_EscapesHostileText(t *testing.T) {
	page := reporterstest.Render(t, Page{}, reporterstest.Results()["hostile"])
	for _, bad := range []string{"<script>alert", "</textarea>", "<!--]]", "\x00", "\x1b", "\u202e", "\u2028", "\xff"} {
		if strings.Contains(page, bad) {
			t.Errorf("%q came through", bad)
		}
	}
	// every field shows its value
	if n := strings.Count(page, "&lt;script&gt;alert(1)&lt;/script&gt;"); n < 350 {
		t.Errorf("the text stands %d times only", n)
	}
}

func TestHTML_ShowsWhatThereIs(t *testing.T) {
	suite.Sequential(t)
	all := []string{
		`id="objectives"`, `id="faults"`, `id="c-latency"`, `id="c-throughput"`, `id="c-errors"`, `id="c-flight"`,
		`id="c-waits"`, `id="c-cpu"`,
		`id="c-steal"`, `id="c-heatmap"`,
		`id="c-percentiles"`, `id="phases"`, `id="c-good"`, `id="c-unit-memory"`, `id="c-tracked-1"`, `id="run"`,
	}
	tests := []struct {
		name    string
		want    []string
		without []string
	}{
		{"minute", slices.Concat(all, []string{
			"</span> Ship</span>", "All 6 objectives held, and of 3 faults 1 had no effect seen",
			"Recovery, asked and achieved", "p95 &lt; 200ms in baseline",
			"process.crash on posts[1], via signal", "taken back", "warm-up", "∞ p99", "stair",
			"4bf92f3577b34da6a3ce929d0e0e4736", "brunt run scenario.yaml --set rate=300/s", "seed: 7",
			"executor: constant-arrival-rate", "✓ Healthy",
		}), nil},
		{"failing", []string{"</span> Don't ship</span>", "✗</span> fail", "2226 requests, and 10000 are needed"}, nil},
		{
			"faults-none",
			[]string{`id="c-latency"`},
			[]string{`id="faults"`, `id="c-errors"`, `id="errors"`, "shade\"", "∞ p", "first harm"},
		},
		{"objectives-none", []string{"None was set"}, []string{"stair c", `class="gauge`}},
		{"empty", []string{"Not started", "Setup failed"}, all[1:15]},
		{"infinite", []string{"∞ p50", "&gt; 16s", "not recovered"}, nil},
		{"invalid", []string{
			"Not healthy", "Give it a processor of its own", "1 step of the wall clock", "12% of the CPU time stolen",
			`<td class="v bad">lost at 41.2s</td><td>33.3%</td>`, `<td class="v bad">late</td>`,
			`<td class="v good">in order</td>`,
		}, nil},
		{"interrupted", []string{"Interrupted", "the fault was not injected"}, nil},
		{"not-reverted", []string{
			"Not reverted", "could NOT be taken back", "slow-store was in as well",
			"closed: hides stalls",
		}, nil},
		{"short", []string{"Stopped", "not injected", `id="c-latency"`}, []string{"shade\""}},
		{"faults", []string{"What was seen of each fault", "split#40"}, nil},
		{"ledger", []string{
			`id="ledger"`, "✗ 12 writes lost",
			"<td>f289a7a9-c74e-40cc-be81-48849f13b011</td><td>14.943s</td><td>59ms</td><td>lose-a-replica</td><td>posts[0]: " +
				"0, posts[1]: 0</td>",
			"posts[1]: no answer", "no, 15.2s", "4 more are in ledger.jsonl", "</dt><dd>440ms to 499ms",
		}, nil},
		{"consistency", []string{
			`id="consistency"`, "✗ users: 2 lost writes, 1 non-monotonic read, 14 stale reads, stale by at least 1.2s.",
			"Main 2 wrote b7 of register k7, acknowledged at 15.2s, and it was gone 12s later, when main 3 read a7, during lose-a-replica.",
			"Main 3 read a1 of register k1 at 16s, although it had read b1 by 15.5s, which is newer.",
			"Main 4 found nothing of register k2 at 17s, 1.2s after main 2 wrote b2", "1 more witnesses",
			"main 2 sent b3, unknown", `class="said s2`,
		}, nil},
		{"minute", nil, []string{`id="ledger"`, `id="workers"`, `id="consistency"`}},
		{"steps", []string{"more rows are in result.json", "section-199"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			page := html.UnescapeString(reporterstest.Render(t, Page{}, reporterstest.Results()[tt.name]))
			for _, w := range tt.want {
				if !strings.Contains(page, html.UnescapeString(w)) {
					t.Errorf("no %q", w)
				}
			}
			for _, w := range tt.without {
				if strings.Contains(page, w) {
					t.Errorf("has %q", w)
				}
			}
		})
	}
}

// Every chart, or its group of panels, has a table with the same values.
func TestHTML_ChartsHaveTables(t *testing.T) {
	page := reporterstest.Render(t, Page{}, reporterstest.Results()["minute"])
	figures := strings.Split(page, "<figure")[1:]
	for _, f := range figures {
		f, _, _ = strings.Cut(f, "</figure>")
		if strings.Contains(f, `class="brief"`) {
			continue // the charts below have the values of those of the first screen
		}
		small := strings.Contains(f, `class="small"`)
		if !strings.Contains(f, "<table") && (!small || strings.Contains(f, "c-steal") ||
			strings.Contains(f, "c-tracked-1")) {
			t.Errorf("no table in %.60s", f)
		}
		if !strings.Contains(f, `role="img" aria-label="`) {
			t.Errorf("no label in %.60s", f)
		}
	}
	if len(figures) != 17 {
		t.Errorf("%d charts", len(figures))
	}
}

func TestHTML_ShadeStaysLight(t *testing.T) {
	css, err := sources.ReadFile("assets/page.css")
	if err != nil {
		t.Fatal(err)
	}
	for _, class := range []string{"shade", "warm"} {
		m := regexp.MustCompile(`path\.` + class + `\{[^}]*opacity:([.\d]+)`).FindStringSubmatch(string(css))
		if m == nil {
			t.Fatalf("no opacity of %s", class)
		}
		if f, _ := strconv.ParseFloat(m[1], 64); f <= 0 || f > .15 {
			t.Errorf("%s has opacity %v", class, f)
		}
	}
	// two overlapping faults make one shade
	r := &result.Result{Duration: 100, Faults: []result.FaultRecord{
		{Name: "a", Injected: 10, Cleared: 30, OnsetAt: reporterstest.Nan, RecoveredAt: reporterstest.Nan},
		{Name: "b", Injected: 20, Cleared: 40, OnsetAt: reporterstest.Nan, RecoveredAt: reporterstest.Nan},
		{Name: "c", Injected: 22, Cleared: 25, OnsetAt: reporterstest.Nan, RecoveredAt: reporterstest.Nan},
		{Name: "d", Injected: 80, Cleared: reporterstest.Nan, OnsetAt: reporterstest.Nan, RecoveredAt: reporterstest.Nan},
		{
			Name: "e", Injected: reporterstest.Nan, Cleared: reporterstest.Nan, OnsetAt: reporterstest.Nan,
			RecoveredAt: reporterstest.Nan,
		},
	}}
	got := string(chart.NewTimeline(r, nil, chart.Places{}).Shade())
	for _, want := range []string{`class="shade" d="M200 0h600v500h-600z"`, `class="shade" d="M1600 0h400v500h-400z"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if n := strings.Count(got, `"shade"`); n != 2 {
		t.Errorf("%d shades", n)
	}
}

// An hour at one-second windows stays under 440 kB, a day is not much larger, and the script
// is small.
func TestHTML_Size(t *testing.T) {
	script, err := scriptOf("assets/page.js")
	if err != nil {
		t.Fatal(err)
	}
	if len(script) > 23_500 {
		t.Errorf("the script has %d bytes", len(script))
	}
	if testing.Short() {
		t.Skip("simulating an hour takes seconds")
	}
	r := reporterstest.Hour(100).Result()
	page := reporterstest.Render(t, Page{}, r)
	if len(page) > 440_000 {
		t.Errorf("an hour has %d bytes", len(page))
	}
	r.Usage = reporterstest.Usage(3600, "store[0]", "users[0]", "posts[0]", "posts[1]", "notifications[0]", "gateway[0]")
	if page := reporterstest.Render(t, Page{}, r); len(page) > 480_000 {
		t.Errorf("an hour with six units has %d bytes", len(page))
	}
	r.Usage = nil
	if page := reporterstest.Render(t, Page{}, reporterstest.Results()["faults"]); len(page) > 520_000 {
		t.Errorf("forty faults on forty units have %d bytes", len(page))
	}
	if n := len(r.Windows); n < 3600 {
		t.Errorf("%d windows", n)
	}
	rows := rowsOf(t, r, "*", "*")
	last := rows[len(rows)-1]
	for i := range 20_000 {
		w := last
		w.T += result.Num(i + 1)
		r.Windows = append(r.Windows, w)
	}
	if page := reporterstest.Render(t, Page{}, r); len(page) > 450_000 ||
		!strings.Contains(page, "Each point is the worst of 6 windows") {
		t.Errorf("six and a half hours have %d bytes", len(page))
	}
}

// A line says at each point what the table of its chart says, and the moments have their texts.
func TestHTML_DataSaysWhatTheWindowsSay(t *testing.T) {
	r := reporterstest.Results()["minute"]
	var data struct {
		A, B float64
		T    []json.RawMessage
		S    []struct {
			O, W int
			V    string
		}
		K []struct{ T string }
		W struct {
			S, F int64
			T    [][]json.RawMessage
		}
	}
	unpack(t, packedData.FindStringSubmatch(reporterstest.Render(t, Page{}, r))[2], &data)
	list, _ := chart.Points(r)
	var spacing [][2]int64
	if err := json.Unmarshal(data.T[1], &spacing); err != nil {
		t.Fatal(err)
	}
	n, span := int64(0), int64(0)
	for _, s := range spacing {
		n, span = n+s[1], span+s[0]*s[1]
	}
	if n != int64(len(list)) || span != 65_000 || string(data.T[0]) != "-5000" {
		t.Errorf("%d points over %d ms from %s, want %d", n, span, data.T[0], len(list))
	}
	var texts []string
	for part := strings.Split(data.K[0].T, "|"); len(part) > 0; part = part[3:] {
		for _, c := range cmp.Or(part[1], "-") {
			texts = append(texts, part[0]+strings.Trim(string(c), "-")+part[2])
		}
	}
	p99, infinite := data.S[2], 0
	for i := range list {
		n := 0
		for k := range p99.W {
			n = n*57 + int(p99.V[k*len(list)+i]-'#')
		}
		want := words.Percentile(result.Num(list[i].P99), list[i].Population)
		if got := texts[n+p99.O]; got != want {
			t.Errorf("point %d: p99 is %s, want %s", i, got, want)
		}
		if want == "∞" {
			infinite++
		}
	}
	if infinite == 0 {
		t.Error("no infinite p99")
	}
	if data.W.S != 200 || data.W.F != -25 || string(data.W.T[0][0]) != `""` || string(data.W.T[1][0]) != `"1m"` ||
		len(data.W.T) != 2 {
		t.Errorf("moments from %d in steps of %d ms: %.200s", data.W.F, data.W.S, data.W.T)
	}
}

func TestHTML_HeatmapIsAnImage(t *testing.T) {
	page := reporterstest.Render(t, Page{}, reporterstest.Results()["minute"])
	_, data, _ := strings.Cut(page, "data:image/png;base64,")
	data, _, _ = strings.Cut(data, `"`)
	img, err := png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(html.UnescapeString(data))))
	if err != nil {
		t.Fatal(err)
	}
	painted := 0
	for x := range chart.HeatColumns {
		for y := range chart.HeatRows {
			if _, _, _, a := img.At(x, y).RGBA(); a > 0 {
				painted++
				break
			}
		}
	}
	if b := img.Bounds(); b.Dx() != chart.HeatColumns || b.Dy() != chart.HeatRows || painted != chart.HeatColumns {
		t.Errorf("%v, %d columns painted", b, painted)
	}
}

// A load or step has its charts drawn. Its lines have the order of the page's lines, which the
// script relies on.
func TestHTML_FacetsFollowThePage(t *testing.T) {
	type lines struct {
		S []struct{ N string }
		P []string
		N string
		C map[string]chart.Drawing
	}
	for _, name := range []string{"minute", "short", "faults-none"} {
		data := packedData.FindAllStringSubmatch(reporterstest.Render(t, Page{}, reporterstest.Results()[name]), -1)
		var whole lines
		var facets []lines
		unpack(t, data[0][2], &whole)
		unpack(t, data[1][2], &facets)
		if !slices.Equal(whole.P, []string{"list posts", "read post"}) || len(facets) != 2 {
			t.Errorf("%s: %d facets of %q", name, len(facets), whole.P)
		}
		for i, f := range facets {
			if d := f.C["latency"]; !strings.HasPrefix(d.Label, "Response time of "+whole.P[i]+". p50 from ") ||
				!strings.Contains(d.Lines, `data-s="0"/>`) ||
				f.N != "Shown is "+whole.P[i]+" alone." {
				t.Errorf("%s: step %d is drawn as %q: %+v", name, i, f.N, d)
			}
			if len(f.S) < 8 || !slices.Equal(f.S, whole.S[:len(f.S)]) {
				t.Errorf("%s: a step has %v, the page %v", name, f.S, whole.S)
			}
		}
	}
}

func TestHTML_SaysWhoseCommandIsKept(t *testing.T) {
	const note = "Only the slowest of the whole run have a command."
	with, without := result.SlowRequest{Step: "a", Curl: "curl x"}, result.SlowRequest{Step: "a"}
	for _, tt := range []struct {
		name string
		list []result.SlowRequest
		want bool
	}{
		{"all", []result.SlowRequest{with, with}, false},
		{"some", []result.SlowRequest{with, without}, true},
		{"none", []result.SlowRequest{without}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := *reporterstest.Results()["empty"]
			r.Slowest = tt.list
			if got := strings.Contains(reporterstest.Render(t, Page{}, &r), note); got != tt.want {
				t.Errorf("the note is there: %v", got)
			}
		})
	}
}

// TestPage_Incidents: the incidents of a run are a section of their own.
func TestPage_Incidents(t *testing.T) {
	r := reporterstest.Results()["minute"]
	if strings.Contains(reporterstest.Render(t, Page{}, r), `id="incidents"`) {
		t.Error("a run without incidents lists some")
	}
	in := result.Incident{
		Begin: 15.1, End: 16.4, Over: true, Bad: 26, Requests: 390, Kinds: map[string]int64{"refused": 26},
	}
	in.Faults = []string{"<b>"}
	r.Incidents = []result.Incident{in}
	page := reporterstest.Render(t, Page{}, r)
	for _, want := range []string{
		`id="incidents"`, `href="#incidents"`,
		`<th scope="row">1: during &lt;b&gt;</th><td data-of="from">15.1s</td>`,
		`<td data-of="lasted">1.3s</td><td data-of="bad">26</td>`,
		`<td data-of="what failed">refused</td>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s", want)
		}
	}
}
