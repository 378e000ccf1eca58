package scenarios

import (
	"encoding/json"
	"slices"
	"strings"
)

// Masked is what stands in place of a secret in every output.
const Masked = "***"

// Secrets are the values that came from the environment or a file. They are
// masked wherever they would appear: report, journal, log, samples. The zero
// value masks nothing.
type Secrets struct {
	values []string
}

// Add makes v a secret. An empty value is none.
func (s *Secrets) Add(v string) {
	if strings.TrimSpace(v) == "" {
		return
	}
	forms := []string{v}
	if q, err := json.Marshal(v); err == nil { // as it stands inside JSON
		forms = append(forms, string(q[1:len(q)-1]))
	}
	forms = append(forms, string(appendEscaped(nil, v, escQuery, false)), string(appendEscaped(nil, v, escPath, false)))
	for _, f := range forms {
		if !slices.Contains(s.values, f) {
			s.values = append(s.values, f)
		}
	}
	slices.SortStableFunc(s.values, func(a, b string) int { return len(b) - len(a) })
}

// Mask gives text with every secret replaced.
func (s *Secrets) Mask(text string) string {
	if s == nil {
		return text
	}
	for _, v := range s.values {
		if strings.Contains(text, v) {
			text = strings.ReplaceAll(text, v, Masked)
		}
	}
	return text
}

// Len is how many forms of secrets are known.
func (s *Secrets) Len() int {
	if s == nil {
		return 0
	}
	return len(s.values)
}
