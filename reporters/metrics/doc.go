// Package metrics counts a run for Prometheus and services like it.
package metrics
