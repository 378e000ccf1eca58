package load

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/load/accesslog"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Replay repeats the requests of an access log at their logged times. It is an open load with the schedule of the
// log, and its only stage is replay.
type Replay struct {
	syntax.Place
	// file of the log, relative to the scenario; a gzip file is unpacked
	From string `yaml:"from,required"`
	// format of the log: combined, or common, of nginx and Apache; json, with one object per line; csv, with column
	// names in the first line; auto detects it; zero is auto
	Format string    `yaml:"format,oneof=auto|combined|json|csv"`
	Fields LogFields `yaml:"fields"` // names of the fields in a json or csv log
	// factor by which the replay is faster than the log; zero is 1
	Speed float64 `yaml:"speed,positive"`
	// only requests with these methods are made; zero is GET, HEAD and OPTIONS
	Methods []string `yaml:"methods"`
	// time of the log to skip at its beginning
	Skip quantity.Duration `yaml:"skip"`
	// time of the log to replay; zero is the rest
	For quantity.Duration `yaml:"for,positive"`
	// how far lines may be out of order, in time of the log; zero is 10s
	Window quantity.Duration `yaml:"window,positive"`
	// maximum share of unreadable lines; more are a mistake; nil is 1%
	BadLines *quantity.Share `yaml:"bad_lines"`
	Arrivals `yaml:",inline"`
}

// LogFields names the keys of a JSON log, or the columns of a CSV log. A nested key is written request.method. Fields
// without a name are looked up by names that servers commonly use.
type LogFields struct {
	syntax.Place
	// time at which the request arrived or ended: RFC 3339, seconds or milliseconds since 1970, or the format of
	// combined
	Time   string `yaml:"time"`
	Method string `yaml:"method"` // method of the request; zero is the method in the request line, else GET
	Path   string `yaml:"path"`   // path and query, a whole URL, or a request line
}

var _ Executor = (*Replay)(nil)

// safeMethods are the methods that change nothing (RFC 9110, section 9.2.1), if servers comply.
var safeMethods = []string{"GET", "HEAD", "OPTIONS"}

const (
	defaultWindow   = 10 * time.Second
	defaultBadLines = .01
)

// scan reads the log. It returns nil and notes mistakes if the log is not usable.
func (r *Replay) scan(in Scope) *Log {
	at, m := r.Of("from"), in.Mistakes
	if r.Speed == 0 {
		r.Speed = 1
	}
	if r.Window == 0 {
		r.Window = quantity.Duration(defaultWindow)
	}
	methods := safeMethods
	if len(r.Methods) > 0 {
		methods = nil
		for _, name := range r.Methods {
			if name = strings.ToUpper(name); !check.IsToken(name) {
				m.Add(r.Of("methods"), "%q is not a method", name)
			}
			methods = append(methods, name)
		}
	}
	l := &Log{logSettings: logSettings{
		name: r.From, format: r.Format, fields: r.Fields, speed: r.Speed, methods: methods, window: r.Window.D(),
		skip: r.Skip.D(), length: r.For.D(),
		open: func() (io.ReadCloser, error) { return in.Open(at, r.From) },
	}}
	if err := l.scan(); err != nil {
		m.Add(at, "from: %v", err)
		return nil
	}
	most := defaultBadLines
	if r.BadLines != nil {
		most = float64(*r.BadLines)
	}
	switch {
	case float64(l.bad) > most*float64(l.lines):
		m.AddHint(at, "bad_lines is how many may be", "%s", l.badText())
	case l.count == 0:
		m.Add(at, "%s holds no request to replay: %s", r.From, l.leftText())
	default:
		return l
	}
	return nil
}

// Plan implements [Executor]. It reads the log, which is read again while the load runs.
func (r *Replay) Plan(in Scope) Plan {
	p := NewProfile(in.Start)
	log := r.scan(in)
	if log == nil {
		return Plan{Rate: p}
	}
	log.profile(p)
	return Plan{Rate: p, Poisson: r.poisson(), Log: log, Stages: []Stage{{"replay", in.Start, p.End()}}}
}

// A Log is a log of requests that a load repeats. It is streamed while the load runs, so its size
// does not matter.
type Log struct {
	logSettings
	logFindings
}

// logSettings are the settings of a replay.
type logSettings struct {
	name    string
	format  string
	fields  LogFields
	speed   float64
	methods []string
	window  time.Duration
	skip    time.Duration
	length  time.Duration // zero is the whole log
	open    func() (io.ReadCloser, error)
}

// logFindings are the findings of the scan.
type logFindings struct {
	lines      int64
	bad        int64
	badLines   []accesslog.BadLine
	left       map[string]int64 // number of requests that are not made, by reason
	disorder   int64            // greatest distance of a line out of order, in nanoseconds; at most the window
	late       int64            // lines that are further out of order than the window
	count      int64
	first      int64 // time of the first request, in nanoseconds since 1970
	resolution int64 // resolution of the timestamps, in nanoseconds
	seconds    logSeconds
	names      scenarios.RequestNames
	steps      []LogStep
	flows      map[string]int32 // flow numbers by name
}

// A LogStep counts the requests of a log that belong to one step.
type LogStep struct {
	Name, Method string
	Count        int64
}

const (
	mostBadShown = 5
	mostLeft     = 20 // number of reasons for skipping requests that are reported separately
)

// Steps lists the steps of the log by the number that its arrivals carry.
func (l *Log) Steps() []LogStep { return l.steps }

// Count returns the number of requests to make.
func (l *Log) Count() int64 { return l.count }

// scan reads the whole log.
func (l *Log) scan() error {
	l.left, l.resolution = map[string]int64{}, int64(time.Second)
	r, err := l.read(true)
	if err != nil {
		return err
	}
	defer r.close()
	for {
		e, err := r.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		l.names.Count(scenarios.RequestName(e.Method, e.Target))
		l.count++
		l.seconds.add((e.At - l.origin()) / int64(time.Second))
	}
	l.late = r.order.late
	l.flows = map[string]int32{}
	for _, name := range l.names.List() {
		method, _, _ := strings.Cut(name, " ")
		l.flows[name] = int32(len(l.steps))
		l.steps = append(l.steps, LogStep{Name: name, Method: method, Count: l.names.Times(name)})
	}
	return nil
}

// origin returns the time in the log at which the load begins. It is a whole second, so that the seconds of the log
// and of its schedule coincide.
func (l *Log) origin() int64 { return l.first - l.first%int64(time.Second) + int64(l.skip) }

// profile adds the rate of the log, second by second; a long log has longer steps.
func (l *Log) profile(p *Profile) {
	width := time.Duration(float64(l.seconds.width) * float64(time.Second) / l.speed)
	for i, n := range l.seconds.counts {
		d := width
		if i == len(l.seconds.counts)-1 { // up to the end of the log's last second
			d = time.Duration(float64(l.seconds.last+1-int64(i)*l.seconds.width) * float64(time.Second) / l.speed)
		}
		rate := float64(n) / d.Seconds()
		p.Add(d, rate, rate)
	}
}

// Notes describes the log, and the requests that are not replayed.
func (l *Log) Notes() []string {
	peak, at := float64(l.seconds.most)*l.speed, time.Duration(float64(l.seconds.mostAt)*float64(time.Second)/l.speed)
	span := time.Duration(l.seconds.last+1) * time.Second
	text := fmt.Sprintf("%s: %s over %s of the log, at most %s, %s into it", l.name,
		syntax.Amount(int(l.count), "request"), quantity.FormatDuration(span), quantity.Rate(peak),
		quantity.FormatDuration(at.Round(time.Millisecond)))
	if l.speed != 1 {
		text += fmt.Sprintf("; replayed %g times as fast", l.speed)
	}
	if r := time.Duration(l.resolution); r >= time.Millisecond {
		text += fmt.Sprintf(". Its times are whole multiples of %s: requests of the same one are spread over it",
			quantity.FormatDuration(r))
	}
	notes := []string{text}
	if len(l.left) > 0 {
		notes = append(notes, fmt.Sprintf("%s: %s", l.name, l.leftText()))
	}
	if l.bad > 0 {
		notes = append(notes, l.badText())
	}
	if l.late > 0 {
		notes = append(notes,
			fmt.Sprintf("%s: %s stood more than %s behind later ones; their requests are made as soon as the log's "+
				"order allows (window)", l.name, syntax.Amount(int(l.late), "line"), quantity.FormatDuration(l.window)))
	}
	return notes
}

// leftText describes the requests that are not replayed, and why.
func (l *Log) leftText() string {
	var parts []string
	for _, why := range slices.Sorted(maps.Keys(l.left)) {
		parts = append(parts, fmt.Sprintf("%d %s", l.left[why], why))
	}
	if len(parts) == 0 {
		return "it is empty"
	}
	return "not replayed: " + strings.Join(parts, ", ")
}

// leave counts a request that is not made.
func (l *Log) leave(why string) {
	if _, known := l.left[why]; !known && len(l.left) >= mostLeft {
		why = "for other reasons"
	}
	l.left[why]++
}

func (l *Log) badText() string {
	var parts []string
	for _, b := range l.badLines {
		parts = append(parts, b.Error())
	}
	if more := l.bad - int64(len(parts)); more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return fmt.Sprintf("%s: %d of %s can't be read: %s", l.name, l.bad, syntax.Amount(int(l.lines), "line"),
		strings.Join(parts, "; "))
}

// logSeconds counts requests by second of the log, or by longer intervals for a long log.
type logSeconds struct {
	width  int64 // seconds per count; zero means that there is no count yet
	counts []int64
	last   int64 // second
	now    int64 // requests of the last second so far
	most   int64 // highest count of a second
	mostAt int64 // second with the highest count
}

// mostCounts is the maximum number of counts of a long log.
const mostCounts = 4096

// add counts a request in a second; seconds never decrease.
func (s *logSeconds) add(second int64) {
	if s.width == 0 {
		s.width, s.last = 1, -1
	}
	if second > s.last {
		s.last, s.now = second, 0
	}
	if s.now++; s.now > s.most {
		s.most, s.mostAt = s.now, second
	}
	for second/s.width >= mostCounts {
		s.width *= 2
		for i := range s.counts {
			n := s.counts[i]
			s.counts[i] = 0
			s.counts[i/2] += n
		}
		s.counts = s.counts[:(len(s.counts)+1)/2]
	}
	for int64(len(s.counts)) <= second/s.width {
		s.counts = append(s.counts, 0)
	}
	s.counts[second/s.width]++
}
