package observe

import (
	"brunt/chaos"
)

// A Metric is an entry of `metrics`.
type Metric struct {
	Name string
	*chaos.Gauge
}

// An Alert is an entry of `alerts`.
type Alert struct {
	Name string
	*chaos.Alert
}
