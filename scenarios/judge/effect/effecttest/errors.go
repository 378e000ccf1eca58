// Package effecttest models the errors of a target, for simulations of faults.
package effecttest

import "math/rand/v2"

// Errors decides which requests fail: independently, or in clusters of 1 to Most consecutive
// requests, all sizes equally likely.
type Errors struct {
	Most int // largest cluster; at least 1

	left int // requests of the current cluster that are still to fail
}

// Next reports whether the next request fails, where p is the share of failed requests.
func (m *Errors) Next(r *rand.Rand, p float64) bool {
	if m.left > 0 {
		m.left--
		return true
	}
	mean := float64(1+m.Most) / 2
	if r.Float64() >= p/(mean-p*(mean-1)) {
		return false
	}
	m.left = r.IntN(m.Most)
	return true
}
