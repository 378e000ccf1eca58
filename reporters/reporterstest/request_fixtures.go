package reporterstest

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// RequestList is a source of requests.
type RequestList struct {
	Head result.Requests
	List []scenarios.Outcome
}

func (m RequestList) Bytes(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := result.NewRequestsWriter(&b, m.Head)
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.List {
		if err := w.Write(&m.List[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// EncodedRequests is a source of encoded requests. It implements result.RequestSource.
type EncodedRequests []byte

func (o EncodedRequests) Open() (*result.RequestsReader, func(), error) {
	r, err := result.NewRequestsReader(bytes.NewReader(o))
	return r, func() {}, err
}

// SomeRequests returns n requests of two loads, in the order in which they ended.
func SomeRequests(n int) RequestList {
	m := RequestList{Head: result.Requests{
		T0: time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), Loads: []string{"browse", "sale"}, Checks: []string{"$.items"},
		Steps: []result.RequestsStep{
			{Name: "read", Method: "GET", URL: "/posts/${var.id}"},
			{Name: "write", Method: "POST", URL: "/posts"},
		},
	}}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		at := time.Duration(i) * time.Millisecond
		o := scenarios.Outcome{
			Load: int32(i % 2), Step: int32(i % 2), Intended: at, Ready: at, Slot: at, Sent: at,
			End: at + time.Duration(r.Int64N(int64(time.Second))), Status: 200, Bytes: 10, WasSent: true, Answered: true,
		}
		switch i % 50 {
		case 7:
			o.Kind, o.Cause, o.Status = scenarios.Error, scenarios.Status(503), 503
		case 8:
			o.Kind, o.Cause, o.Status, o.Answered, o.WasSent = scenarios.Error, scenarios.Timeout, 0, false, false
		case 9:
			o.Kind, o.Cause = scenarios.Error, scenarios.Check(0)
		case 10:
			o.Kind, o.Status = scenarios.Shed, 429
		}
		m.List = append(m.List, o)
	}
	slices.SortFunc(m.List, func(a, b scenarios.Outcome) int { return int(a.End - b.End) })
	return m
}

// WithRequests returns a result with its requests.
func WithRequests(t testing.TB, r *result.Result) *result.Result {
	c := *r
	c.Requests = EncodedRequests(SomeRequests(100).Bytes(t))
	return &c
}
