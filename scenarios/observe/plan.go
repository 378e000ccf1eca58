package observe

import (
	"brunt/chaos/probe"
)

// A Metric is an entry of `metrics`.
type Metric struct {
	Name string
	*probe.Gauge
}

// An Alert is an entry of `alerts`.
type Alert struct {
	Name string
	*probe.Alert
}
