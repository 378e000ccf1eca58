// Package metrics counts a run for Prometheus and services like it.
//
//	Interval, once a second -> Collector -> live: GET /metrics
//	                                     -> push: Prometheus, OpenTelemetry
//
// The names and meanings are the same for every service that reads them:
//
//	brunt_requests_total{load,step,outcome}  counter: ok, shed, error, skipped
//	brunt_errors_total{load,step,kind}       counter: by cause, named as in result.json
//	brunt_response_seconds{load,step}        histogram: response times of all requests that ended
//	brunt_timing_seconds_total{load,step,timing}  counter: time spent in each phase of requests
//	brunt_syn_resent_total{load,step}        counter: requests that waited because a SYN was sent again
//	brunt_offered_total                      counter: requests that ended or are in progress
//	brunt_in_flight                          gauge: iterations in progress
//	brunt_lag_seconds                        gauge: p99 of brunt's own lateness in the last second
//	brunt_fault_active{fault,kind}           gauge: 1 if an occurrence was active in the last second
//
// All series have the labels run and scenario. Counters begin with the judged load, after warm-up. At the end they
// equal the figures of result.json for the phase run. The histogram has both native and classic buckets.
//
// To add a series, describe it in New, count it in Observe, and send it in Collect.
package metrics
