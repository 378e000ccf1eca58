package result

// A ScriptMetric is a metric of a k6 script, aggregated as k6 does: over the whole run, with setup and without
// warm-up. Times are in milliseconds and sizes in bytes, as in the script.
type ScriptMetric struct {
	Load string `json:"load" mask:"-"` // the load of the script
	// name of the metric, with {tag:value} if it is limited to samples with that tag
	Name     string `json:"name"`
	Type     string `json:"type" mask:"-"`               // counter, gauge, rate or trend
	Contains string `json:"contains,omitempty" mask:"-"` // default, time or data
	Count    int64  `json:"count"`                       // number of samples
	// sum of all samples; for a rate, the number of samples that are not zero
	Sum Num `json:"sum"`
	// for a counter, the rate per second; for a rate, the share from 0 to 1
	Rate Num `json:"rate"`
	Last Num `json:"last"` // last sample, which is the value of a gauge
	Min  Num `json:"min"`  // the least sample
	Max  Num `json:"max"`  // the greatest sample
	P50  Num `json:"p50"`  // the median of a trend
	P90  Num `json:"p90"`  // for a trend: 90 % of samples are at most this
	P95  Num `json:"p95"`  // for a trend: 95 % of samples are at most this
	P99  Num `json:"p99"`  // for a trend: 99 % of samples are at most this
}
