package result

// ImpactParts are the parts of a fault's impact: what happened to the requests that met the fault,
// beside the baseline, and to the writes. Requests at which brunt itself failed are left out.
type ImpactParts struct {
	Requests     int64 `json:"requests"`      // that the fault affected
	Errors       int64 `json:"errors"`        // of them failed, or were skipped
	ErrorsBefore Num   `json:"errors_before"` // share of the baseline's requests
	Slow         int64 `json:"slow"`          // answered, and took longer than `judge.slow`
	SlowBefore   Num   `json:"slow_before"`   // share of the baseline's requests
	Shed         int64 `json:"shed"`          // of them were refused on purpose
	ShedBefore   Num   `json:"shed_before"`   // share of the baseline's requests
	// good answers that lacked some of what their step wants
	Partial       int64 `json:"partial,omitempty"`
	PartialBefore Num   `json:"partial_before,omitzero"` // share of the baseline's good answers
	// more of them were than in the baseline: by 95 % bounds of both shares
	Lacking bool `json:"lacking,omitempty"`
	// intended time of the first request that failed or was slow, an offset from t0; null: none
	First     Num   `json:"first"`
	Last      Num   `json:"last"`       // of the last one
	P50       Num   `json:"p50"`        // median response time of the good answers without brunt's own time, seconds
	P50Before Num   `json:"p50_before"` // the same in the baseline
	P95       Num   `json:"p95"`        // 95th percentile of their response time, seconds
	P95Before Num   `json:"p95_before"` // the same in the baseline
	Lost      int64 `json:"lost"`       // acknowledged writes that were lost to it
	Late      int64 `json:"late"`       // writes acknowledged while it was in that were not there at first
	// the good answers were slower than in the baseline, by a tenth at the median or at the 95th
	// percentile: by a test that is wrong for at most 1 % of faults without an effect, whatever brunt itself added
	Slowed bool `json:"slowed,omitempty"`
	// there are too few good answers to tell: that they were not slower needs 59 of the fault, that they were 20, and
	// both need 20 of the baseline in five seconds
	Untested bool `json:"untested,omitempty"`
	// why it is not certain whether the good answers were slower, by over twice and over 20 ms; empty: it is
	SlowerUntold string `json:"slower_untold,omitempty"`
	// the same, as data; empty: it is certain, or a former brunt wrote the result
	SlowerBecause Notes `json:"slower_because,omitempty"`
}

// Slower reports whether the good answers were slower than in the baseline. It is untested where 95 % bounds don't
// exclude that they took over twice as long, and over 20 ms longer, and chance or brunt's own time may be why. See
// effect.Slower.
//
// A result before SlowerUntold has only what the percentiles say, where it had too few answers for the test.
func (p *ImpactParts) Slower() Told {
	switch {
	case p == nil:
		return NotTold(Note{Kind: SlowerThis})
	case p.Slowed:
		return Told{Answer: Yes}
	case len(p.SlowerBecause) > 0:
		return NotTold(p.SlowerBecause...)
	case p.SlowerUntold != "":
		return NotTold(Note{Kind: Worded, Text: p.SlowerUntold})
	case p.Untested && p.P50 > 2*p.P50Before && p.P50 > p.P50Before+.02:
		return NotTold(Note{Kind: SlowerSome})
	}
	return Told{Answer: No}
}

// Bad is the number of requests that failed or were slow.
func (p *ImpactParts) Bad() int64 { return p.Errors + p.Slow }
