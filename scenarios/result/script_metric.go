package result

// A ScriptMetric is a metric of a k6 script, summed up as k6 does: over the whole run, setup
// included and warm-up left out. Times are in milliseconds and sizes in bytes, as in the script.
type ScriptMetric struct {
	Load     string `json:"load" mask:"-"`               // the load of the script
	Name     string `json:"name"`                        // with {tag:value} if it is limited to some samples
	Type     string `json:"type" mask:"-"`               // counter, gauge, rate or trend
	Contains string `json:"contains,omitempty" mask:"-"` // default, time or data
	Count    int64  `json:"count"`                       // samples
	Sum      Num    `json:"sum"`                         // sum of all samples; of a rate, how many were not zero
	Rate     Num    `json:"rate"`                        // a counter's rate per second; a rate's share, 0 to 1
	Last     Num    `json:"last"`                        // last sample: the value of a gauge
	Min      Num    `json:"min"`                         // the least sample
	Max      Num    `json:"max"`                         // the greatest sample
	P50      Num    `json:"p50"`                         // the median of a trend
	P90      Num    `json:"p90"`                         // of a trend: 90 % are at most this
	P95      Num    `json:"p95"`                         // of a trend: 95 % are at most this
	P99      Num    `json:"p99"`                         // of a trend: 99 % are at most this
}
