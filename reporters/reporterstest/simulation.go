package reporterstest

import (
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Run describes a simulated run. Its method Result simulates the requests, and sorts them into windows and phases by
// the rules of a real run.
type Run struct {
	name     string
	seconds  float64
	warmup   float64
	rate     float64 // requests per second of all steps
	steps    []string
	Faults   []Fault
	slo      []string
	verdicts []scenarios.Verdict // of slo
	verdict  scenarios.Verdict
	reason   string
}

// Fault is a fault with its effect on the requests intended while it is active.
type Fault struct {
	Rec         result.FaultRecord
	from, until float64 // when it affects requests
	slower      float64 // factor on latency; 0 is 1
	failing     float64 // share of requests
	kind        string  // of the failures
	failAfter   float64 // seconds until a failing request ends
}

// tally counts requests.
type tally struct {
	hist [4]*hdrhistogram.PackedHistogram
	n    [4]int64
	sum  [4]float64
	most [4]float64
}

func (t *tally) add(kind int, d float64) {
	if t.hist[kind] == nil {
		t.hist[kind] = result.NewHistogram()
	}
	_ = t.hist[kind].RecordValue(max(1, int64(d*1e6)))
	t.n[kind]++
	t.sum[kind] += d
	t.most[kind] = max(t.most[kind], d)
}

func (t *tally) offered() int64 { return t.n[0] + t.n[1] + t.n[2] + t.n[3] }

func (t *tally) at(q float64) result.Num {
	n := t.offered() - t.n[scenarios.Shed]
	if n == 0 {
		return result.NaN
	}
	r := int64(math.Ceil(q * float64(n)))
	if r > t.n[scenarios.OK] {
		return result.Num(math.Inf(1))
	}
	at := 100 * (float64(r) - .5) / float64(t.n[scenarios.OK])
	return result.Num(float64(t.hist[scenarios.OK].ValueAtPercentile(at)) / 1e6)
}

func (t *tally) merged() *hdrhistogram.PackedHistogram {
	out := result.NewHistogram()
	for _, h := range t.hist {
		if h != nil {
			out.Merge(h)
		}
	}
	return out
}

// Heap keeps the histograms of a fixture.
type Heap []result.HistogramInfo

func (h *Heap) put(hdr *hdrhistogram.PackedHistogram, start, span float64) int {
	if hdr.TotalCount() == 0 {
		return 0
	}
	at := func(s float64) time.Duration { return time.Duration(math.Round(s*1e6)) * time.Microsecond }
	*h = append(*h, result.HistogramInfo{N: len(*h) + 1, Start: at(start), Span: at(span), HDR: hdr})
	return len(*h)
}

func (h *Heap) Get(n int) (*hdrhistogram.PackedHistogram, error) {
	if n < 1 || n > len(*h) {
		return nil, nil
	}
	return (*h)[n-1].HDR, nil
}

func (h *Heap) All() iter.Seq2[result.HistogramInfo, error] {
	return func(yield func(result.HistogramInfo, error) bool) {
		for _, i := range *h {
			if !yield(i, nil) {
				return
			}
		}
	}
}

// A tallyKey is a phase and a step.
type tallyKey struct {
	phase slo.Phase
	step  string
}

// sim is the state of a simulation.
type sim struct {
	Run
	rnd     *rand.Rand
	hists   *Heap
	phases  []result.Phase
	tallies map[tallyKey]*tally
	edges   []float64              // of windows
	windows map[string][]simWindow // by step
	errors  map[[2]string]*result.ErrorGroup
}

// simWindow is a window of a step; "*" stands for all steps.
type simWindow struct {
	tally
	row result.Window
}

var started = time.Date(2025, 11, 20, 9, 20, 0, 123e6, time.UTC)

// Result simulates the run.
func (f Run) Result() *result.Result {
	s := &sim{
		Run: f, rnd: rand.New(rand.NewPCG(7, 7)), hists: &Heap{}, tallies: map[tallyKey]*tally{},
		errors: map[[2]string]*result.ErrorGroup{},
	}
	s.plan()
	for t := -f.warmup; t < f.seconds; t += s.rnd.ExpFloat64() / f.rate {
		s.request(t)
	}
	return s.finish()
}

// plan lays out phases and windows.
func (s *sim) plan() {
	first := s.seconds
	for _, f := range s.Faults {
		if f.Rec.Injected.Known() {
			first = min(first, float64(f.Rec.Injected))
		}
	}
	num := func(f float64) result.Num { return result.Num(f) }
	if s.warmup > 0 {
		s.phases = append(s.phases, result.Phase{Name: slo.Phase{Kind: slo.WarmupPhase}, Start: num(-s.warmup), End: 0})
	}
	s.phases = append(s.phases, result.Phase{Name: slo.Phase{Kind: slo.RunPhase}, Start: 0, End: num(s.seconds)},
		result.Phase{Name: slo.Phase{Kind: slo.BaselinePhase}, Start: 0, End: num(first)})
	for t := math.Floor(-s.warmup); t < s.seconds; t++ {
		s.edges = append(s.edges, t)
	}
	for _, f := range s.Faults {
		inj, clr, rec := float64(f.Rec.Injected), float64(f.Rec.Cleared), float64(f.Rec.RecoveredAt)
		if !f.Rec.Injected.Known() {
			continue
		}
		if !f.Rec.Cleared.Known() {
			clr = s.seconds
		}
		if !f.Rec.RecoveredAt.Known() {
			rec = s.seconds
		}
		s.phases = append(s.phases, result.Phase{Name: f.Rec.Phase(), Start: num(inj), End: num(clr)},
			result.Phase{Name: f.Rec.Phase().Of(slo.RecoveryPhase), Start: num(clr), End: num(max(clr, rec))})
		s.edges = append(s.edges, inj)
		if clr < s.seconds {
			s.edges = append(s.edges, clr)
		}
	}
	slices.Sort(s.edges)
	s.edges = append(slices.Compact(s.edges), s.seconds)
	s.windows = map[string][]simWindow{}
	for _, step := range append([]string{"*"}, s.steps...) {
		s.windows[step] = make([]simWindow, len(s.edges)-1)
	}
}

// request simulates one request intended at t.
func (s *sim) request(t float64) {
	step := s.steps[s.rnd.IntN(len(s.steps))]
	d := 0.004 * math.Exp(.45*s.rnd.NormFloat64()) * (1 + .15*math.Sin(t/9))
	if s.rnd.Float64() < 0.004 {
		d *= 8
	}
	kind, cause := scenarios.OK, ""
	for _, f := range s.Faults {
		if t < f.from || t >= f.until {
			continue
		}
		if f.slower > 0 {
			d *= f.slower
		}
		if s.rnd.Float64() < f.failing {
			kind, cause, d = scenarios.Error, f.kind, f.failAfter*(.9+.2*s.rnd.Float64())
		}
	}
	for _, p := range s.phases {
		if t >= float64(p.Start) && t < float64(p.End) && (p.Name.Kind != slo.BaselinePhase || t+d < float64(p.End)) {
			for _, k := range []string{"*", step} {
				key := tallyKey{p.Name, k}
				if s.tallies[key] == nil {
					s.tallies[key] = &tally{}
				}
				s.tallies[key].add(int(kind), d)
			}
		}
	}
	i, found := slices.BinarySearch(s.edges, t)
	if !found {
		i--
	}
	j, found := slices.BinarySearch(s.edges, t+d)
	if !found {
		j--
	}
	for _, k := range []string{"*", step} {
		w := s.windows[k]
		w[i].add(int(kind), d)
		w[i].row.Sent++
		if cause != "timeout" {
			w[min(j, len(w)-1)].row.Answered++
		}
		if kind == scenarios.Error {
			if w[i].row.Kinds == nil {
				w[i].row.Kinds = map[string]int64{}
			}
			w[i].row.Kinds[cause]++
		}
	}
	if kind != scenarios.Error {
		return
	}
	g := s.errors[[2]string{cause, step}]
	if g == nil {
		g = &result.ErrorGroup{
			Kind: cause, Load: "browse", Step: step, First: result.Num(t + d),
			Sample: &result.Sample{
				At: t + d, Load: "browse", Step: step, Request: "GET http://127.0.0.1:8080/posts?page=7", Status: 503,
				Message: cause,
				Body:    `{"error":"no healthy upstream"}`, Headers: map[string]string{
					"traceparent":  "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
					"content-type": "application/json",
				},
				Sent: &result.Sent{
					Method: "GET", URL: "http://127.0.0.1:8080/posts?page=7",
					Headers: []string{"User-Agent: brunt", "Authorization: Bearer ***"},
				},
			},
		}
		g.Sample.Curl = g.Sample.Sent.Curl()
		s.errors[[2]string{cause, step}] = g
	}
	g.Count++
	g.Last = result.Num(t + d)
}

func (s *sim) finish() *result.Result {
	r := &result.Result{
		Version: result.ResultVersion, Definitions: result.Definitions, Run: "20251120-092000-brunttst", Name: s.name,
		Hypothesis: "One replica less costs no reader more than a retry.", Seed: 7,
		Meta:     scenarios.Meta{"operator": "ann", "approver": "bob", "ticket": "OPS-7", "closes": "RISK-3, RISK-4"},
		Verdict:  s.verdict,
		ExitCode: s.verdict.ExitCode(), Reason: s.reason, Started: started.Add(-2 * time.Second), T0: started,
		Ended: started.Add(time.Duration(s.seconds * 1e9)), Duration: result.Num(s.seconds), Chaos: true,
		Environment: result.Environment{
			Brunt: "v0.1.0", Go: "go1.26.8", OS: "linux", Arch: "amd64", Kernel: "6.18.0", CPUs: 2, Memory: 8 << 30,
			Files:   1 << 20,
			Command: []string{"brunt", "run", "scenario.yaml", "--set", "rate=300/s"}, Target: "http://127.0.0.1:8080",
		},
		Scenario: "version: 1\nname: posts survive losing a replica\nseed: 7\ntarget:\n  stack: demo\nload:\n  browse:\n  " +
			"  executor: " +
			"constant-arrival-rate\n    rate: 300/s\n",
		Loads: []result.LoadInfo{{
			Name: "browse", Executor: "constant-arrival-rate", Start: 0, End: result.Num(s.seconds),
			Steps: s.steps,
		}},
		Phases: s.phases, Histograms: s.hists,
	}
	for _, p := range s.phases {
		for _, step := range append([]string{"*"}, s.steps...) {
			if t := s.tallies[tallyKey{p.Name, step}]; t != nil {
				s.cells(r, p, step, t)
			}
		}
	}
	for i := range s.windows["*"] {
		s.window(r, "*", i)
		for _, step := range s.steps {
			if w := &s.windows[step][i]; w.offered() > 0 || w.row.Answered > 0 {
				s.window(r, step, i)
			}
		}
	}
	for _, g := range s.errors {
		r.Errors = append(r.Errors, *g)
	}
	slices.SortFunc(r.Errors, func(a, b result.ErrorGroup) int {
		return int(b.Count-a.Count)*1000 + len(a.Step) - len(b.Step)
	})
	for _, f := range s.Faults {
		r.Faults = append(r.Faults, f.Rec)
		r.Events = append(r.Events, result.Event{
			T: f.Rec.Injected, Event: "fault.injected", Fault: f.Rec.Name, Text: f.Rec.Evidence,
		})
	}
	r.Repeats = result.Repeats(r.Faults)
	for i, text := range s.slo {
		r.Objectives = append(r.Objectives, s.objective(text, s.verdicts[i]))
	}
	r.Generator = s.generator(r)
	return r
}

func (s *sim) cells(r *result.Result, p result.Phase, step string, t *tally) {
	load := "browse"
	if step == "*" {
		load = "*"
	}
	span := float64(p.End - p.Start)
	c := result.Cell{
		Phase: p.Name, Load: load, Step: step, Outcome: "*", Count: t.offered(),
		Rate: result.Num(float64(t.offered()) / span),
	}
	c.Hist = s.hists.put(t.merged(), float64(p.Start), span)
	c.Response = result.Times{
		P50: t.at(.5), P90: t.at(.9), P95: t.at(.95), P99: t.at(.99), P999: t.at(.999), Max: result.Num(math.Inf(1)),
		Mean: result.Num(math.Inf(1)),
	}
	if t.n[scenarios.Error] == 0 {
		c.Response.Max, c.Response.Mean = result.Num(t.most[0]), result.Num(t.sum[0]/float64(t.n[0]))
	}
	c.Service = c.Response
	r.Cells = append(r.Cells, c)
	for k := range scenarios.Kinds {
		if t.n[k] == 0 {
			continue
		}
		one := tally{}
		one.hist[0], one.n[0] = t.hist[k], t.n[k]
		o := c
		o.Outcome, o.Count, o.Rate = k.String(), t.n[k], result.Num(float64(t.n[k])/span)
		o.Hist = s.hists.put(t.hist[k], float64(p.Start), span)
		o.Response = result.Times{
			P50: one.at(.5), P90: one.at(.9), P95: one.at(.95), P99: one.at(.99), P999: one.at(.999), Max: result.Num(t.most[k]),
			Mean: result.Num(t.sum[k] / float64(t.n[k])),
		}
		r.Cells = append(r.Cells, o)
	}
}

func (s *sim) window(r *result.Result, step string, i int) {
	t, w := &s.windows[step][i].tally, &s.windows[step][i].row
	w.T, w.D, w.Load, w.Step = result.Num(s.edges[i]), result.Num(s.edges[i+1]-s.edges[i]), "browse", step
	if step == "*" {
		w.Load = "*"
	}
	w.Offered, w.OK, w.Shed, w.Error = t.offered(), t.n[0], t.n[1], t.n[2]
	w.P50, w.P95, w.P99, w.Max = t.at(.5), t.at(.95), t.at(.99), result.Num(max(t.most[0], t.most[2]))
	if step != "*" {
		w.Lag, w.Queue = result.NaN, result.NaN
		r.Windows = append(r.Windows, *w)
		return
	}
	w.Lag, w.Queue = result.Num(6e-5*math.Exp(.4*s.rnd.NormFloat64())), 0
	w.InFlight = 1 + int64(t.sum[0]+t.sum[2])
	w.Hist = s.hists.put(t.merged(), float64(w.T), float64(w.D))
	r.Windows = append(r.Windows, *w)
}

// objective computes an objective from the simulated requests or from the record of a fault, as far as that is
// possible. The verdict is given.
func (s *sim) objective(text string, v scenarios.Verdict) result.ObjectiveResult {
	o, err := slo.ParseObjective(text)
	if err != nil {
		panic(err)
	}
	out := result.NewObjective(o, v)
	out.Count = 1
	step := "*"
	if o.Step != "" {
		step = o.Step
	}
	t := s.tallies[tallyKey{o.PhaseOrRun(), step}]
	if t == nil {
		t = &tally{}
	}
	ok := float64(t.n[scenarios.OK]) / float64(max(1, t.offered()))
	wide := 1.96 * math.Sqrt(ok*(1-ok)/float64(max(1, t.offered()))) * 1.6
	switch o.Metric.Name {
	case "p":
		out.Measured = t.at(o.Metric.Quantile)
		out.Low, out.High = out.Measured*.96, out.Measured*1.05
		out.Infinite = math.IsInf(float64(out.Measured), 1)
	case "errors":
		out.Measured, out.Low, out.High = result.Num(1-ok), result.Num(max(0, 1-ok-wide)), result.Num(1-ok+wide)
	case "availability":
		out.Measured, out.Low, out.High = result.Num(ok), result.Num(ok-wide), result.Num(min(1, ok+wide))
	}
	if !o.Metric.OfFault() {
		out.Count = t.offered()
		return out
	}
	for _, f := range s.Faults {
		if f.Rec.Phase() == o.After {
			out.Measured = map[string]result.Num{
				"recover": f.Rec.Recover, "heal": f.Rec.Heal, "failover": f.Rec.Failover,
			}[o.Metric.Name]
			out.Low, out.High = max(0, out.Measured-f.Rec.Resolution), out.Measured+f.Rec.Resolution
		}
	}
	return out
}

func (s *sim) generator(r *result.Result) result.Generator {
	g := result.Generator{
		Lag: result.Lag{P50: 6e-5, P99: 1.4e-4, Max: 9e-4}, Healthy: true, Limits: []string{}, Pacing: "precise",
		LagLimit: .01, CPU: .21,
		Memory: 61 << 20, Steal: .004, GCPauses: .002, GCPauseMax: 1e-4, Connections: 14,
	}
	for _, w := range r.Windows {
		if w.T >= 0 && w.Load == "*" {
			g.Offered += w.Offered
			g.Sent += w.Sent
			g.InFlightMax = max(g.InFlightMax, w.InFlight)
		}
	}
	for t := 1.0; t <= s.seconds; t++ {
		g.Seconds = append(g.Seconds, result.GeneratorTick{
			T: result.Num(t), CPU: result.Num(.2 + .03*s.rnd.NormFloat64()), Steal: result.Num(.004 * s.rnd.Float64()),
			InFlight: 1 + s.rnd.Int64N(4),
		})
	}
	return g
}

// Usage returns simulated usage of units: posts[1] restarts during its faults, and gateway[0] leaks.
func Usage(seconds float64, names ...string) []result.UnitUsage {
	rnd := rand.New(rand.NewPCG(3, 3))
	var out []result.UnitUsage
	for i, name := range names {
		u := result.UnitUsage{Unit: name, CPU: result.Num(.1 * float64(1+i%5))}
		for s := 1.0; s <= seconds; s++ {
			t := result.UsageTick{
				T: result.Num(s + .15), CPU: result.Num(.1 * float64(1+i%5) * (1 + .3*rnd.NormFloat64())),
				Memory: int64(30+i%7)<<20 + rnd.Int64N(1<<19), Files: 12,
				Threads: 8, Starts: 1, Running: true,
			}
			if name == "gateway[0]" {
				t.Memory += int64(s) << 17
			}
			if name == "posts[1]" && s > 15 {
				t.Starts = 2
				if s < 18 {
					t = result.UsageTick{T: t.T, CPU: Nan, Starts: 1}
				}
			}
			u.Memory = max(u.Memory, t.Memory)
			u.Seconds = append(u.Seconds, t)
		}
		out = append(out, u)
	}
	return out
}
