package result

import (
	"time"

	"brunt/scenarios"
)

// A RequestSpan is a request of the load as the root span of its trace, for services that receive spans during the
// run.
type RequestSpan struct {
	Trace   scenarios.TraceID
	ID      uint64         // its span id, which the traceparent of the request carried
	Load    string         `mask:"-"`    // the load of the request
	Step    string         `mask:"word"` // the step of the request
	Outcome scenarios.Kind // ok, shed or error
	Cause   string         `mask:"word"` // cause of an error
	Status  int            // status of the answer; zero means none
	Why     SpanReason     // why it was chosen among all requests
	Begin   time.Time      // the schedule's time for the request
	Sent    time.Time      // the request was written; zero means never
	First   time.Time      // the first byte of the answer was received; zero means never
	End     time.Time      // the last byte was received, or the request was given up
}

// SpanReason says why a request is exported as a span.
type SpanReason string

// The reasons.
const (
	SpanFailed  SpanReason = "failed"  // the request failed
	SpanSlow    SpanReason = "slow"    // it is one of the slowest that ended in its second
	SpanSampled SpanReason = "sampled" // it is one in so many
)

// RequestSpans are the requests that were chosen in a second of the run.
type RequestSpans struct {
	Spans []RequestSpan
	// chosen requests that are left out, because more were chosen than one second may hold
	LeftOut int64
}
