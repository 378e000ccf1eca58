package evidence

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"

	"brunt/reporters"
	"brunt/scenarios/result"
)

// JSON writes result.json in the schema of `brunt schema result`. It is indented for human readers, but a member of a
// list stands on one line: an hour of windows is 3600 lines.
type JSON struct{}

var _ reporters.Reporter = JSON{}

const resultFile = "result.json"

func (JSON) Format() reporters.Format {
	return reporters.Format{
		Name: "json", File: resultFile, Evidence: true,
		About: "Everything that the run measured and found, for tools.",
	}
}

func (JSON) Report(w io.Writer, r *result.Result) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(withEmptyLists(r)); err != nil {
		return err
	}
	_, err := w.Write(indent(b.Bytes()))
	return err
}

// withEmptyLists returns r with empty lists instead of nil ones, so that result.json has [] instead of null.
func withEmptyLists(r *result.Result) *result.Result {
	c := *r
	c.Loads = slices.Clone(r.Loads)
	for i := range c.Loads {
		emptyIfNil(&c.Loads[i].Steps)
	}
	c.Faults = slices.Clone(r.Faults)
	for i := range c.Faults {
		emptyIfNil(&c.Faults[i].Units)
	}
	emptyIfNil(&c.Loads)
	emptyIfNil(&c.Phases)
	emptyIfNil(&c.Cells)
	emptyIfNil(&c.Errors)
	emptyIfNil(&c.Generator.Limits)
	emptyIfNil(&c.Faults)
	emptyIfNil(&c.Incidents)
	emptyIfNil(&c.Objectives)
	emptyIfNil(&c.Windows)
	var ledgers []*result.LedgerRecord
	for _, of := range r.AllLedgers() {
		l := *of
		emptyIfNil(&l.Units)
		emptyIfNil(&l.Keys)
		ledgers = append(ledgers, &l)
	}
	c.SetLedgers(ledgers)
	c.Consistency = slices.Clone(c.Consistency)
	for i, of := range c.Consistency {
		one := *of
		emptyIfNil(&one.Kinds)
		emptyIfNil(&one.Seconds)
		emptyIfNil(&one.Witnesses)
		c.Consistency[i] = &one
	}
	c.Deliveries = slices.Clone(c.Deliveries)
	for i, of := range c.Deliveries {
		one := *of
		emptyIfNil(&one.Keys)
		c.Deliveries[i] = &one
	}
	return &c
}

func emptyIfNil[T any](s *[]T) {
	if *s == nil {
		*s = []T{}
	}
}

// indent breaks compact JSON into lines. The members of the outermost object, of the objects in it, and of lists of
// objects in either get one line each. Deeper values stay on their line.
func indent(src []byte) []byte {
	out := make([]byte, 0, len(src)+len(src)/8)
	var open []bool // whether each enclosing container is broken into lines
	nl := func() {
		out = append(out, '\n')
		for range open {
			out = append(out, ' ')
		}
	}
	broken := func() bool { return len(open) > 0 && open[len(open)-1] }
	for i := 0; i < len(src); i++ {
		c := src[i]
		switch c {
		case '"':
			end := i + 1
			for src[end] != '"' {
				if src[end] == '\\' {
					end++
				}
				end++
			}
			out = append(out, src[i:end+1]...)
			i = end
		case '{', '[':
			next := src[i+1]
			lines := len(open) == 0 || broken() && (c == '{' && len(open) == 1 || c == '[' && next == '{')
			lines = lines && next != '}' && next != ']'
			open = append(open, lines)
			out = append(out, c)
			if lines {
				nl()
			}
		case '}', ']':
			lines := broken()
			open = open[:len(open)-1]
			if lines {
				nl()
			}
			out = append(out, c)
		case ',':
			out = append(out, c)
			if broken() {
				nl()
			}
		case ':':
			out = append(out, c)
			if broken() {
				out = append(out, ' ')
			}
		default:
			out = append(out, c)
		}
	}
	return out
}
