package result

// ImpactParts are the parts of a fault's impact: what happened to the requests that met the fault,
// beside the baseline, and to the writes. Requests at which brunt itself failed are left out.
type ImpactParts struct {
	Requests     int64 `json:"requests"`      // that met the fault
	Errors       int64 `json:"errors"`        // of them failed, or were skipped
	ErrorsBefore Num   `json:"errors_before"` // share of the baseline's requests
	Slow         int64 `json:"slow"`          // answered, and took longer than `judge.slow`
	SlowBefore   Num   `json:"slow_before"`   // share of the baseline's requests
	Shed         int64 `json:"shed"`          // of them were refused on purpose
	ShedBefore   Num   `json:"shed_before"`   // share of the baseline's requests
	// intended time of the first request that failed or was slow, an offset from t0; null: none
	First     Num   `json:"first"`
	Last      Num   `json:"last"`       // of the last one
	P50       Num   `json:"p50"`        // median response time of the good answers, seconds
	P50Before Num   `json:"p50_before"` // the same in the baseline
	P95       Num   `json:"p95"`        // 95th percentile of their response time, seconds
	P95Before Num   `json:"p95_before"` // the same in the baseline
	Lost      int64 `json:"lost"`       // acknowledged writes that were lost to it
}

const (
	slowerBy   = 2     // how often the baseline's percentile fits into that of a slower load
	slowerMore = 0.005 // seconds by which it exceeds that at least
)

// Slower reports whether the median or the 95th percentile is at least twice that of the baseline, and
// 5 ms more. It is a description and no test.
func (p *ImpactParts) Slower() bool {
	beyond := func(now, before Num) bool {
		return now.Known() && before.Known() && now >= slowerBy*before && now-before >= slowerMore
	}
	return p != nil && (beyond(p.P50, p.P50Before) || beyond(p.P95, p.P95Before))
}

// Bad is the number of requests that failed or were slow.
func (p *ImpactParts) Bad() int64 { return p.Errors + p.Slow }
