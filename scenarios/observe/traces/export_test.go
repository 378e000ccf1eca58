package traces

// Unnamed is the name of a service without a name.
const Unnamed = unnamed

// ReadProtobuf and ReadJSON read a message.
func ReadProtobuf(b []byte, add func(service string, id []byte, name string)) error {
	return readProtobuf(b, func(service string, r *received) { add(service, r.id, r.name) })
}

func ReadJSON(b []byte, add func(service string, id []byte, name string)) error {
	return readJSON(b, func(service string, r *received) { add(service, r.id, r.name) })
}

// SetMost sets how many requests and spans a store keeps.
func (s *Store) SetMost(n int) { s.most = n }

// A Span is a span of a service for tests.
type Span struct {
	Service, Name string
	ID, Parent    uint64
	Call          bool
	Begin, End    int64 // milliseconds
}

// Add adds a span to the trace of a request.
func (s *Store) Add(high, low uint64, v Span) {
	r := &received{
		trace: bytesOf(high, low), id: bytesOf(v.ID), parent: bytesOf(v.Parent), name: v.Name,
		begin: uint64(v.Begin * 1e6), end: uint64(v.End * 1e6),
	}
	if v.Call {
		r.kind = kindClient
	}
	s.add(v.Service, r)
}

func bytesOf(numbers ...uint64) (b []byte) {
	for _, n := range numbers {
		for i := range 8 {
			b = append(b, byte(n>>(56-8*i)))
		}
	}
	return b
}

// Sums finds what the spans of a store say.
var Sums = (*Store).find

// NewBare creates a store without a receiver.
var NewBare = newStore

// MostWaiting is how many messages wait to be forwarded.
const MostWaiting = mostWaiting

// Hand gives a message with spans to the forwarder of a receiver, as if it had come.
func (r *Receiver) Hand(body []byte, spans int64) {
	r.forward.add(message{kind: protobufForm, body: body, spans: spans})
}
