package main

import (
	"encoding/json"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"brunt/scenarios/k6"

	"github.com/sirupsen/logrus"
	"go.k6.io/k6/lib/netext/httpext"
	"go.k6.io/k6/metrics"
	"go.k6.io/k6/output"
)

// out is k6's output to brunt.
type out struct {
	link   *link
	stream *k6.Stream
	tally  *k6.Tally

	series   map[*metrics.Metric][]*k6.Series
	tags     map[*metrics.TagSet]*tagged
	parts    map[part]bool
	reported time.Time
	limits   error

	mu    sync.Mutex
	start time.Time // when the load began
}

// tagged caches the data for samples with the same tags.
type tagged struct {
	step     int // of requests; -1: not looked up yet
	setup    bool
	status   int
	code     int
	check    string
	scenario string
}

// part is a metric series together with the tags of a sample.
type part struct {
	series *k6.Series
	tags   *metrics.TagSet
}

// mostTags bounds the cache of tags. A full cache is emptied.
const mostTags = 10_000

var _ interface {
	output.WithThresholds
	output.WithTestRunStop
	output.WithStopWithTestError
} = (*out)(nil)

func newOut(l *link, wire io.Writer, p output.Params) (output.Output, error) {
	o := &out{
		link: l, tally: k6.NewTally(), series: map[*metrics.Metric][]*k6.Series{},
		tags: map[*metrics.TagSet]*tagged{}, parts: map[part]bool{},
	}
	o.stream = k6.NewStream(wire, func(error) { os.Exit(k6.ExitAborted) })
	l.mu.Lock()
	l.stream = o.stream
	l.begun = func() {
		o.mu.Lock()
		o.start = time.Now()
		o.mu.Unlock()
	}
	l.mu.Unlock()
	if e, ok := p.Logger.(*logrus.Entry); ok {
		e.Logger.AddHook(exceptions{o.stream})
	} else if log, ok := p.Logger.(*logrus.Logger); ok {
		log.AddHook(exceptions{o.stream})
	}
	return o, nil
}

// exceptions reports the exceptions that end iterations, which k6 only logs.
type exceptions struct{ stream *k6.Stream }

func (exceptions) Levels() []logrus.Level { return []logrus.Level{logrus.ErrorLevel} }

func (x exceptions) Fire(e *logrus.Entry) error {
	_, executor := e.Data["executor"]
	if e.Data["source"] == "stacktrace" || executor {
		x.stream.Exception(x.stream.At(e.Time), e.Message)
	}
	return nil
}

func (o *out) Description() string { return "brunt" }

func (o *out) Start() error {
	if p := o.link.config.Part; o.limits == nil && p.Divided() && p.Index == 0 {
		o.stream.Note(k6.Note{Deltas: &k6.Deltas{Limits: o.tally.Limits()}})
	}
	return o.limits
}

func (o *out) SetThresholds(all map[string]metrics.Thresholds) {
	for name, t := range all {
		raw, err := json.Marshal(t)
		if err != nil {
			o.limits = err
			return
		}
		if err := k6.EachThreshold(raw, func(source string, abort bool, delay time.Duration) error {
			return o.tally.Limit(name, source, abort, delay)
		}); err != nil {
			o.limits = err
			return
		}
	}
}

func (o *out) SetTestRunStopCallback(stop func(error)) {
	o.link.mu.Lock()
	defer o.link.mu.Unlock()
	o.link.stop = stop
}

func (o *out) Stop() error { return o.StopWithTestError(nil) }

func (o *out) StopWithTestError(err error) error {
	end := &k6.End{}
	if err != nil {
		end.Error = err.Error()
	}
	o.reportCut()
	o.report(time.Now(), end)
	return o.stream.Close()
}

// elapsed returns how long the load has run, without warm-up.
func (o *out) elapsed(now time.Time) (time.Duration, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.start.IsZero() {
		return 0, false
	}
	return now.Sub(o.start) - o.link.config.Warmup, true
}

// report reports the values of all metrics so far. A part of a divided script reports their increments instead. End
// describes the end of the script; nil while it goes on.
func (o *out) report(now time.Time, end *k6.End) {
	elapsed, _ := o.elapsed(now)
	if elapsed = max(0, elapsed); o.link.config.Part.Divided() {
		o.tally.Take(elapsed, func(d *k6.Deltas) { o.stream.Note(k6.Note{Deltas: d}) })
		if end != nil {
			o.stream.Note(k6.Note{End: end})
		}
		return
	}
	m, t := o.tally.Sum(elapsed)
	o.stream.Note(k6.Note{Metrics: m, Thresholds: t, End: end})
}

// AddMetricSamples implements [output.Output]. k6 calls it from one goroutine, 20 times
// a second.
func (o *out) AddMetricSamples(all []metrics.SampleContainer) {
	now := time.Now()
	elapsed, flows := o.elapsed(now)
	for _, c := range all {
		trail, isHTTP := c.(*httpext.Trail)
		if isHTTP {
			o.http(trail)
		}
		for _, s := range c.GetSamples() {
			if !flows || elapsed >= 0 {
				o.add(&s)
			}
			if !isHTTP {
				o.sample(&s)
			}
		}
	}
	o.reportCut()
	o.stream.Sweep(now)
	const every = time.Second
	if now.Sub(o.reported) >= every {
		o.reported = now
		o.report(now, nil)
	}
}

// add counts a sample.
func (o *out) add(s *metrics.Sample) {
	all, known := o.series[s.Metric]
	if !known {
		contains := s.Metric.Contains.String()
		all = o.tally.Metric(s.Metric.Name, s.Metric.Type.String(), contains)
		o.series[s.Metric] = all
	}
	for _, series := range all {
		if series.Whole() || o.takes(series, s.Tags) {
			series.Add(s.Value)
		}
	}
}

func (o *out) takes(series *k6.Series, tags *metrics.TagSet) bool {
	p := part{series, tags}
	takes, known := o.parts[p]
	if !known {
		if len(o.parts) >= mostTags {
			clear(o.parts)
		}
		takes = series.Takes(tags.Get)
		o.parts[p] = takes
	}
	return takes
}

// of returns the cached data for samples with these tags.
func (o *out) of(tags *metrics.TagSet) *tagged {
	t := o.tags[tags]
	if t == nil {
		if len(o.tags) >= mostTags {
			clear(o.tags)
		}
		get := func(name string) string { v, _ := tags.Get(name); return v }
		t = &tagged{step: -1, check: get("check"), scenario: get("scenario")}
		t.setup = t.scenario == "" // setup and teardown belong to no scenario
		t.status, _ = strconv.Atoi(get("status"))
		code, _ := strconv.Atoi(get("error_code"))
		t.code = k6.CodeOf(code, get("error"))
		o.tags[tags] = t
	}
	return t
}

// step returns the step of requests with these tags.
func (o *out) step(t *tagged, tags *metrics.TagSet, suffix string) int {
	if t.step < 0 {
		name := k6.StepName(func(name string) string { v, _ := tags.Get(name); return v })
		t.step = o.stream.Step(name + suffix)
	}
	return t.step
}

// http records an HTTP request.
func (o *out) http(t *httpext.Trail) {
	of := o.of(t.Tags)
	if of.setup {
		return
	}
	before := max(t.Blocked, t.ConnDuration) // the wait includes the time to open a new connection
	r := k6.Request{
		Step: o.step(of, t.Tags, ""), End: o.stream.At(t.EndTime), Service: before + t.Duration,
		Status: of.status, Code: of.code, Answered: of.status != 0, Failed: of.status == 0 || of.status >= 400,
	}
	if t.Failed.Valid { // the script's own callback decides
		r.Failed = t.Failed.Bool
	}
	r.Queue, r.Connect, r.TLS, r.Send = max(0, before-t.Connecting-t.TLSHandshaking), t.Connecting, t.TLSHandshaking,
		t.Sending
	if r.Answered {
		r.First = before + t.Sending + t.Waiting
	}
	o.stream.Request(t.Metadata["vu"], &r)
}

// sample records anything but an HTTP request.
func (o *out) sample(s *metrics.Sample) {
	of := o.of(s.Tags)
	if of.setup && s.Metric.Name != metrics.VUsName {
		return
	}
	at, lasted := o.stream.At(s.Time), time.Duration(s.Value*float64(time.Millisecond))
	vu := s.Metadata["vu"]
	switch s.Metric.Name {
	case metrics.ChecksName:
		o.stream.CheckMade(vu, of.check, s.Value != 0)
	case metrics.IterationDurationName:
		o.stream.Iteration(vu, at, lasted)
	case metrics.DroppedIterationsName:
		o.stream.Dropped(at, int64(s.Value))
	case metrics.VUsName:
		o.stream.Users(int64(s.Value))
	case metrics.GRPCReqDurationName: // status 0 is OK in gRPC
		o.stream.Request(vu, &k6.Request{
			Step: o.step(of, s.Tags, ""), End: at, Service: lasted, Status: of.status, Code: of.code,
			Answered: of.status != grpcUnavailable && of.status != grpcDeadline, Failed: of.status != 0,
		})
	case metrics.WSConnectingName: // its time is the start
		o.stream.Request(vu, &k6.Request{
			Step: o.step(of, s.Tags, " (connect)"), End: at + lasted, Service: lasted, Status: of.status, Code: of.code,
			Answered: of.status != 0, Failed: of.status != statusSwitching,
		})
	case metrics.WSPingName:
		o.stream.Request(vu, &k6.Request{Step: o.stream.Step(o.pingStep(s.Tags)), End: at, Service: lasted, Answered: true})
	}
}

func (o *out) pingStep(tags *metrics.TagSet) string {
	return k6.StepName(func(name string) string { v, _ := tags.Get(name); return v }) + " (ping)"
}

// Statuses of gRPC without an answer, and the HTTP status that opens a WebSocket.
const (
	grpcDeadline    = 4
	grpcUnavailable = 14
	statusSwitching = 101
)
