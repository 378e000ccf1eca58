package traces

import (
	"cmp"
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/statistics"
)

const (
	mostSlowest = 10 // the slowest requests of a phase that Slowest is about
	fewest      = 20 // requests of a phase for a statement about it
	// confidence of the intervals of growth. There is one for each service and fault, so that with 95 % one of five
	// services would seem to be slower in each fourth fault
	confidence = .999
	forever    = time.Duration(math.MaxInt64)
)

// Whole counts the requests that were answered, and intended between two offsets from t0: n are all of them, and whole
// those whose traces are whole. A trace is whole if a span came, the parent of each span is there and, if the answer
// was right, each of the services has a span.
func (s *Store) Whole(services []string, from, to time.Duration) (whole, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := s.services.numbers(services)
	for id, t := range s.traces {
		if r := &t.request; t.known && r.answered && r.at >= from && r.at < to {
			n++
			if t.whole(id, wanted) {
				whole++
			}
		}
	}
	return whole, n
}

// Traced is an answered request, with whether its trace is whole.
type Traced struct {
	At    time.Duration // its intended time, an offset from t0
	Whole bool
}

// Traced lists the requests that [Store.Whole] counts, by time.
func (s *Store) Traced(services []string) (out []Traced) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted := s.services.numbers(services)
	for id, t := range s.traces {
		if t.known && t.request.answered {
			out = append(out, Traced{t.request.at, t.whole(id, wanted)})
		}
	}
	slices.SortFunc(out, func(a, b Traced) int { return cmp.Compare(a.At, b.At) })
	return out
}

// whole reports whether the trace of an answered request is whole.
func (t *trace) whole(id scenarios.TraceID, wanted []uint32) bool {
	return t.spans != nil && !t.orphaned(id) && (!t.request.good || t.absent(wanted) < 0)
}

// Any reports whether a span of a request came.
func (s *Store) Any() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.latest.IsZero()
}

// missing is the number of a service that sent no span.
const missing = math.MaxUint32

// numbers returns the numbers of texts.
func (n *names) numbers(texts []string) []uint32 {
	out := make([]uint32, len(texts))
	for i, text := range texts {
		var known bool
		if out[i], known = n.by[text]; !known {
			out[i] = missing
		}
	}
	return out
}

// orphaned reports whether the parent of a span did not come.
func (t *trace) orphaned(id scenarios.TraceID) bool {
	root := scenarios.RootSpan(binary.BigEndian.Uint64(id[8:]))
	return slices.ContainsFunc(t.spans, func(v span) bool {
		return v.parent != root && !slices.ContainsFunc(t.spans, func(o span) bool {
			return o.id == v.parent && o.id != v.id
		})
	})
}

// absent returns the index of the first service that has no span in the trace; -1 if there is none.
func (t *trace) absent(services []uint32) int {
	return slices.IndexFunc(services, func(n uint32) bool {
		return !slices.ContainsFunc(t.spans, func(v span) bool { return v.service == n })
	})
}

// A Phase is a span of the run to find the self times of.
type Phase struct {
	Name     slo.Phase
	From, To time.Duration // offsets from t0
}

// Find returns what the spans say. The first phase is the one that the others are compared with. Services are those
// that each trace of a good answer must have.
func (r *Receiver) Find(phases []Phase, services []string) *result.Traces {
	r.why.Lock()
	out := &result.Traces{Listen: r.Addr(), Refused: r.refused, RefusedWhy: r.first}
	r.why.Unlock()
	if r.forward != nil {
		out.Forwarded = r.forward.tell()
	}
	r.Store.find(out, phases, services)
	return out
}

func (s *Store) find(out *result.Traces, phases []Phase, services []string) {
	out.Whole, out.Answered = s.Whole(services, 0, forever)
	s.mu.Lock()
	defer s.mu.Unlock()
	out.Foreign, out.LeftOut, out.Share = s.foreign, s.leftOut, result.NaN
	wanted := s.services.numbers(services)
	absent, seen := make([]int64, len(services)), map[uint32]bool{}
	all := make([]phaseTimes, len(phases))
	for _, id := range slices.SortedFunc(maps.Keys(s.traces), compareIDs) { // a fixed order of sums and ties
		t := s.traces[id]
		if !t.known {
			continue
		}
		out.Requests++
		out.Spans += int64(len(t.spans))
		if t.spans == nil {
			out.Silent++
			continue
		}
		if t.orphaned(id) {
			out.Orphaned++
		}
		if i := t.absent(wanted); i >= 0 && t.request.good {
			absent[i]++
		}
		for _, v := range t.spans {
			seen[v.service] = true
		}
		for i, p := range phases {
			if t.request.at >= p.From && t.request.at < p.To {
				all[i] = append(all[i], t.times(id))
			}
		}
	}
	if s.asked > 0 {
		out.Share = result.Num(float64(out.Requests) / float64(s.asked))
	}
	for n := range seen {
		out.Services = append(out.Services, s.services.all[n])
	}
	slices.Sort(out.Services)
	for i, n := range absent {
		if n > 0 {
			out.Missing = append(out.Missing, result.ServiceCount{Service: services[i], Count: n})
		}
	}
	for i, p := range phases {
		var before phaseTimes
		if i > 0 {
			before = all[0]
		}
		if len(all[i]) > 0 {
			out.Phases = append(out.Phases, s.phase(p.Name, all[i], before))
		}
	}
}

func compareIDs(a, b scenarios.TraceID) int { return slices.Compare(a[:], b[:]) }

// times are the self times of a request.
type times struct {
	took, outside time.Duration
	by            map[uint32]selfTime // by service
	most          place               // the spans with the longest self time
}

// A selfTime is the self time of a service, and the part of it that is in calls.
type selfTime struct{ all, calls time.Duration }

// A place is a service with the name of its spans.
type place struct {
	service, name uint32
	call, outside bool // outside: in no span
}

// times returns the self times of the spans of a trace: the time of a span in which none of its children was under
// way. The times of a trace are compared with each other only within a parent, whose clock its children may not have.
func (t *trace) times(id scenarios.TraceID) times {
	root := scenarios.RootSpan(binary.BigEndian.Uint64(id[8:]))
	out := times{took: t.request.took, by: map[uint32]selfTime{}}
	places := map[place]time.Duration{}
	spans := slices.Clone(t.spans)
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.id, b.id))
	})
	children := func(of uint64, from, to int64) time.Duration {
		var sum, until int64 = 0, from
		for i := range spans {
			v := &spans[i]
			if v.parent != of || v.id == of {
				continue
			}
			begin, end := max(v.begin, until), min(v.end, to)
			if end > begin {
				sum, until = sum+end-begin, end
			}
		}
		return time.Duration(sum)
	}
	out.outside = max(0, out.took-children(root, math.MinInt64, math.MaxInt64))
	places[place{outside: true}] = out.outside
	for i := range spans {
		v := &spans[i]
		self := time.Duration(max(0, v.end-v.begin)) - children(v.id, v.begin, v.end)
		of := out.by[v.service]
		of.all += self
		if v.call {
			of.calls += self
		}
		out.by[v.service] = of
		places[place{service: v.service, name: v.name, call: v.call}] += self
	}
	longest := time.Duration(-1)
	for p, took := range places {
		if took > longest || took == longest && comparePlaces(p, out.most) < 0 {
			longest, out.most = took, p
		}
	}
	return out
}

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.service, b.service), cmp.Compare(a.name, b.name))
}

// phaseTimes are the self times of the requests of a phase.
type phaseTimes []times

// of returns the self time of a service in each request, and the mean of the part that is in calls, in seconds.
func (p phaseTimes) of(service uint32) (self []float64, calls float64) {
	self = make([]float64, len(p))
	for i := range p {
		of := p[i].by[service]
		self[i] = of.all.Seconds()
		calls += of.calls.Seconds() / float64(len(p))
	}
	return self, calls
}

// phase returns the self times of a phase, compared with those before; without these no growth is known.
func (s *Store) phase(name slo.Phase, p, before phaseTimes) result.TracePhase {
	out := result.TracePhase{Phase: name, Requests: int64(len(p)), Services: []result.ServiceTime{}}
	services := map[uint32]bool{}
	outside := 0.
	for i := range p {
		outside += p[i].outside.Seconds()
		for n := range p[i].by {
			services[n] = true
		}
	}
	out.Outside = result.Num(outside / float64(len(p)))
	for _, n := range slices.Sorted(maps.Keys(services)) {
		self, calls := p.of(n)
		was, _ := before.of(n)
		low, high := growth(was, self)
		out.Services = append(out.Services, result.ServiceTime{
			Service: s.services.all[n], Self: result.Num(statistics.Mean(self)), Waiting: result.Num(calls),
			GrowthLow: low, GrowthHigh: high,
		})
	}
	slices.SortStableFunc(out.Services, func(a, b result.ServiceTime) int { return cmp.Compare(b.Self, a.Self) })
	s.slowest(p, &out)
	return out
}

// growth returns a confidence interval of the growth of a mean, by Welch's test; NaN if there are too few values.
func growth(before, after []float64) (low, high result.Num) {
	if len(before) < fewest || len(after) < fewest {
		return result.NaN, result.NaN
	}
	a, b := statistics.Variance(before)/float64(len(before)), statistics.Variance(after)/float64(len(after))
	diff, wide := statistics.Mean(after)-statistics.Mean(before), 0.
	if a+b > 0 {
		freedom := (a + b) * (a + b) / (a*a/float64(len(before)-1) + b*b/float64(len(after)-1))
		wide = statistics.Student(freedom).Quantile(1-(1-confidence)/2) * math.Sqrt(a+b)
	}
	return result.Num(diff - wide), result.Num(diff + wide)
}

// slowest counts where the slowest requests of a phase spent their longest self time.
func (s *Store) slowest(p phaseTimes, out *result.TracePhase) {
	if len(p) < fewest {
		return
	}
	sorted := slices.Clone(p)
	slices.SortStableFunc(sorted, func(a, b times) int { return cmp.Compare(b.took, a.took) })
	counts := map[place]int{}
	for i := range sorted[:mostSlowest] {
		counts[sorted[i].most]++
	}
	out.OfSlowest = mostSlowest
	for at, n := range counts {
		v := result.SlowestIn{Waiting: at.call, Count: n}
		if !at.outside {
			v.Service, v.Span = s.services.all[at.service], s.spans.all[at.name]
		}
		out.Slowest = append(out.Slowest, v)
	}
	slices.SortFunc(out.Slowest, func(a, b result.SlowestIn) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Span, b.Span))
	})
}
