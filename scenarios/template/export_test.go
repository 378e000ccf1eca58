package template

import "math/bits"

// Names that the external tests use.
const LongestLine = longestLine

// Sizes returns how many values are known, and how many forms of them.
func (s *Secrets) Sizes() (values, forms int) { return len(s.known), len(s.forms.count) }

// Admitted returns how many bits of the filter are set.
func (s *Secrets) Admitted() (n int) {
	for _, w := range s.forms.filter {
		n += bits.OnesCount64(w)
	}
	return n
}
