package template

// Names that the external tests use.
const LongestLine = longestLine

// Sizes returns how many values are known, and how many forms of them.
func (s *Secrets) Sizes() (values, forms int) { return len(s.known), len(s.forms.count) }
