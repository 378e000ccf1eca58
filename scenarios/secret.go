package scenarios

import (
	"encoding/json"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Masked is what stands in place of a secret in every output.
const Masked = "***"

// shortestSecret is the least length in bytes that is masked: to blot out every 1
// or on in a report would hide the report, and protect nothing.
const shortestSecret = 3

// Secrets are the values that came from the environment or a file. They are
// masked wherever they would appear: report, journal, log, samples. The zero
// value masks nothing.
type Secrets struct {
	values []string // in every form that they take on their way, longest first
}

// mostLines is how many lines a secret may have for each to be masked by itself too.
const mostLines = 200

// Add makes v a secret, in every form that v takes: as it is, without the blanks
// around it, line by line, inside JSON, inside a URL, in a header's line, and
// quoted by Go. What is shorter than three bytes is none.
func (s *Secrets) Add(v string) {
	known := make(map[string]bool, len(s.values))
	for _, f := range s.values {
		known[f] = true
	}
	all := []string{v, strings.TrimSpace(v)}
	if n := strings.Count(v, "\n"); n > 0 && n < mostLines {
		for line := range strings.Lines(v) {
			if line = strings.TrimSpace(line); len(line) >= 2*shortestSecret {
				all = append(all, line)
			}
		}
	}
	for _, v := range all {
		if len(strings.TrimSpace(v)) < shortestSecret {
			continue
		}
		for _, f := range formsOf(v) {
			if !known[f] {
				known[f] = true
				s.values = append(s.values, f)
			}
		}
	}
	slices.SortStableFunc(s.values, func(a, b string) int { return len(b) - len(a) })
}

// formsOf gives v as it stands in every place that a template puts it into, and as
// messages and reports quote it.
func formsOf(v string) []string {
	forms := []string{v, url.QueryEscape(v), url.PathEscape(v), html.EscapeString(v)}
	if q, err := json.Marshal(v); err == nil {
		forms = append(forms, string(q[1:len(q)-1]))
	}
	q := strconv.Quote(v)
	forms = append(forms, q[1:len(q)-1])
	for _, esc := range []escape{escBase, escPath, escHeader, escInJSON} {
		forms = append(forms, string(appendEscaped(nil, v, esc, false)))
	}
	return forms
}

// Mask gives text with every secret replaced, and every secret's beginning that was
// cut off by an ellipsis.
func (s *Secrets) Mask(text string) string {
	if s == nil || len(s.values) == 0 {
		return text
	}
	if rest := strings.Split(text, ellipsis); len(rest) > 1 {
		for i, r := range rest[:len(rest)-1] {
			if n := s.cutOff(r); n > 0 {
				rest[i] = r[:len(r)-n] + Masked
			}
		}
		text = strings.Join(rest, ellipsis)
	}
	for _, v := range s.values {
		if strings.Contains(text, v) {
			text = strings.ReplaceAll(text, v, Masked)
		}
	}
	return text
}

const ellipsis = "…"

// cutOff gives how many bytes at the end of text are the beginning of a secret.
func (s *Secrets) cutOff(text string) int {
	most := 0
	for _, v := range s.values {
		for k := min(len(v), len(text), maxMessage*4); k > most && k >= shortestSecret; k-- {
			if strings.HasSuffix(text, v[:k]) {
				most = k
			}
		}
	}
	return most
}
