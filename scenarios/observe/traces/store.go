package traces

import (
	"encoding/binary"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/scenarios"
)

// Bounds on what is kept of a run: some 25 MB.
const (
	mostEntries  = 300_000 // requests and spans
	mostOfTrace  = 1000    // spans of one trace
	mostServices = 200     // different names of services
	mostNames    = 2000    // different names of spans
	longestName  = 100     // characters of a name
	longestSpan  = 24 * time.Hour
)

// A Store keeps the spans and the requests of a run, by trace. Several goroutines may use it.
//
// If there are more than it may keep, it keeps the traces of a random part of the requests: a trace whose id has a hash
// up to a limit. So a trace is kept whole or not at all.
type Store struct {
	highs map[uint64]bool // first halves of the trace ids of the loads
	most  int             // requests and spans

	mu       sync.Mutex
	limit    uint64
	traces   map[scenarios.TraceID]*trace
	entries  int
	services names
	spans    names
	asked    int64 // requests of the load so far, kept or not
	foreign  int64 // spans of traces that no request began
	leftOut  int64 // spans beyond mostOfTrace
	latest   time.Time
}

// A trace holds what is known of a request.
type trace struct {
	request request
	known   bool // request is set
	spans   []span
}

// A request is a request of the load.
type request struct {
	at, took time.Duration // intended time, an offset from t0, and response time without brunt's own lateness
	good     bool          // answered rightly
	answered bool
}

// A span is a span of a service.
type span struct {
	id, parent    uint64
	begin, end    int64 // nanoseconds by the clock of the service
	service, name uint32
	call          bool // a call of another service, or a message to one
}

// newStore creates a store for requests whose trace ids begin with one of highs.
func newStore(highs []uint64) *Store {
	s := &Store{
		highs: map[uint64]bool{}, most: mostEntries, limit: ^uint64(0), traces: map[scenarios.TraceID]*trace{},
		services: names{most: mostServices}, spans: names{most: mostNames},
	}
	for _, high := range highs {
		s.highs[high] = true
	}
	return s
}

// Request adds a request of the load, which has ended. High is the first half of its trace id.
func (s *Store) Request(high uint64, o *scenarios.Outcome) {
	if o.Trace == 0 || o.Intended < 0 || o.Kind == scenarios.Skipped {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	t := s.of(scenarios.NewTraceID(high, o.Trace))
	if t == nil {
		return
	}
	if !t.known {
		s.entries++
	}
	t.known = true
	t.request = request{
		at: o.Intended, took: o.Response() - o.Lag(), good: o.Kind == scenarios.OK, answered: o.Answered,
	}
	s.thin()
}

// A received is a span as a message contains it.
type received struct {
	trace, id, parent []byte
	name              string
	kind              uint64
	begin, end        uint64
}

// The kinds of spans that are calls, see opentelemetry/proto/trace/v1/trace.proto.
const (
	kindClient   = 3
	kindProducer = 4
)

// add adds a span of a service.
func (s *Store) add(service string, r *received) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(r.trace) != 16 || len(r.id) != 8 || !s.highs[binary.BigEndian.Uint64(r.trace)] {
		s.foreign++
		return
	}
	s.latest = time.Now()
	t := s.of(scenarios.TraceID(r.trace))
	if t == nil {
		return
	}
	v := span{
		id: binary.BigEndian.Uint64(r.id), begin: int64(r.begin), end: int64(r.end),
		service: s.services.number(service), name: s.spans.number(r.name),
		call: r.kind == kindClient || r.kind == kindProducer,
	}
	if v.begin < 0 || v.end < v.begin || v.end-v.begin > int64(longestSpan) { // no request takes such a time
		v.begin, v.end = 0, 0
	}
	if len(r.parent) == 8 {
		v.parent = binary.BigEndian.Uint64(r.parent)
	}
	switch {
	case v.id == scenarios.RootSpan(binary.BigEndian.Uint64(r.trace[8:])):
		// the request itself, which brunt exports to here too
	case slices.ContainsFunc(t.spans, func(o span) bool { return o.id == v.id }): // sent again
	case len(t.spans) == mostOfTrace:
		s.leftOut++
	default:
		t.spans = append(t.spans, v)
		s.entries++
		s.thin()
	}
}

// of returns the trace with an id; nil if it is not kept.
func (s *Store) of(id scenarios.TraceID) *trace {
	if hash(id) > s.limit {
		return nil
	}
	t := s.traces[id]
	if t == nil {
		t = new(trace)
		s.traces[id] = t
	}
	return t
}

// thin halves the part of the requests whose traces are kept, until they are no more than the store may hold.
func (s *Store) thin() {
	for s.entries > s.most {
		s.limit /= 2
		for id, t := range s.traces {
			if hash(id) > s.limit {
				s.entries -= len(t.spans)
				if t.known {
					s.entries--
				}
				delete(s.traces, id)
			}
		}
	}
}

// hash returns an evenly distributed number for a trace.
func hash(id scenarios.TraceID) uint64 {
	return scenarios.MixBits(binary.BigEndian.Uint64(id[8:]) + binary.BigEndian.Uint64(id[:8]))
}

// names gives numbers to texts. The texts beyond a number have the last number together.
type names struct {
	most int
	all  []string
	by   map[string]uint32
}

// others stands for the names beyond the number that is kept.
const others = "(others)"

// number returns the number of a text, which it cuts to longestName.
func (n *names) number(text string) uint32 {
	if len(text) > longestName {
		text = text[:longestName]
	}
	if i, known := n.by[text]; known {
		return i
	}
	text = strings.ToValidUTF8(strings.Clone(text), "\uFFFD") // a copy, because text may be a part of a message
	if len(n.all) >= n.most {
		text = others
	}
	if i, known := n.by[text]; known {
		return i
	}
	if n.by == nil {
		n.by = map[string]uint32{}
	}
	i := uint32(len(n.all))
	n.by[text], n.all = i, append(n.all, text)
	return i
}
