package targets

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/quantity"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"

	"github.com/ohler55/ojg/jp"
)

// An Answer is the part of an answer that checks need.
type Answer interface {
	Header(name string) [][]byte // values of a header, or of the counterpart in the protocol
	JSON(path jp.Expr) []any     // the values at a path of the body; nil: the body is not JSON
	Body() []byte
	Document() (doc any, ok bool) // the whole body, in the types of JSON; false: it is not JSON
}

// bounded is an answer whose document may be over a bound of brunt's.
type bounded interface {
	// Unread returns the bound over which the document is, so that it was not read; nil: it is over none.
	Unread() error
}

// unread returns why the document of an answer was not read; nil: it was, or it has none.
func unread(a Answer) error {
	if b, ok := a.(bounded); ok {
		return b.Unread()
	}
	return nil
}

// AnswerCause returns why an answer is not good: of, or the bound over which its document is, as nothing was read then.
func AnswerCause(a Answer, of scenarios.Cause) scenarios.Cause {
	if err := unread(a); err != nil {
		return Oversized(err)
	}
	return of
}

// A Finder finds the value of a variable in an answer.
type Finder[A Answer] interface {
	// Find sets v to the value, if there is one.
	Find(a A, v *template.Value) bool
	location
}

// A location is the place of a value in the answers of a protocol.
type location interface {
	// IsSecret reports whether the place of the value has a secret name.
	IsSecret() bool
	// Masks reports whether a value looks like a secret.
	Masks(value []byte) bool
	String() string
}

// Expected holds the checks of a call's answers, apart from their status, and the variables to extract from them.
//
//	compile: Within, Fields, Body, Extract -> answer: JudgeStatus -> Judge, and Wanted for a sample
type Expected struct {
	conditions []condition
	wants      []condition // that a complete answer meets
	extracts   []extract
}

// A condition is one check: of the time, of the body, its schema, or a field, which is a header if it has no path.
type condition struct {
	id     int // number in the plan
	within time.Duration
	kind   string // the protocol's name for a header
	body   bool
	schema *check.Schema // of the whole answer; nil: another check
	check.Field
}

type extract struct {
	id     int
	slot   int
	secret bool // because of the name of the variable or of its place
	find   func(a Answer, v *template.Value) bool
	location
}

// Within adds a check of the response time; zero adds none.
func (e *Expected) Within(d time.Duration, in Scope) {
	if d > 0 {
		e.conditions = append(e.conditions, condition{id: in.AddCheck("within"), within: d})
	}
}

// Answer adds the checks that the answers of most protocols have: of the time, of fields, the schema and values at
// paths. Kind is the protocol's name for a field, which is a header.
func (e *Expected) Answer(k *check.Answer, kind string, fields []check.Field, in Scope, m *syntax.Mistakes) {
	e.Within(k.Within, in)
	e.Fields(kind, fields, in)
	e.Schema(k.Valid, in, m)
	e.Fields("", k.Paths, in)
}

// Fields adds checks of values at paths, and of headers. Kind is the protocol's name for a header.
func (e *Expected) Fields(kind string, fields []check.Field, in Scope) {
	for _, f := range fields {
		name := f.Name
		if f.Path == nil {
			name = kind + " " + f.Name
		}
		e.conditions = append(e.conditions, condition{id: in.AddCheck(name), kind: kind, Field: f})
	}
}

// Body adds a check of the whole body; nil adds none.
func (e *Expected) Body(k *check.Matcher, in Scope) {
	if k != nil {
		e.conditions = append(e.conditions, condition{
			id: in.AddCheck("body"), body: true, Field: check.Field{Matcher: *k},
		})
	}
}

// Schema adds a check of the whole answer against a JSON Schema; nil adds none. It notes mistakes of the schema in m.
func (e *Expected) Schema(f *check.SchemaFile, in Scope, m *syntax.Mistakes) {
	if f == nil || in.File == nil { // already noted
		return
	}
	schema, err := f.Compile(func(path string, most int) ([]byte, error) { return in.File(f.At, path, most) })
	if err != nil {
		m.AddHint(f.At, "schema is a file beside the scenario, such as order.schema.json", "schema: %v", err)
		return
	}
	e.conditions = append(e.conditions, condition{id: in.AddCheck("schema " + f.Path), schema: schema})
}

// Want adds the conditions that a complete answer meets; nil adds none. Kind is the protocol's name for a header.
func (e *Expected) Want(kind string, w *check.Wants) {
	if w == nil {
		return
	}
	if w.Within > 0 {
		e.wants = append(e.wants, condition{within: w.Within})
	}
	if w.Body != nil {
		e.wants = append(e.wants, condition{body: true, Field: check.Field{Matcher: *w.Body}})
	}
	for _, f := range slices.Concat(w.Headers, w.Paths) {
		e.wants = append(e.wants, condition{kind: kind, Field: f})
	}
}

// Wants reports whether there are conditions for a complete answer.
func (e *Expected) Wants() bool { return len(e.wants) > 0 }

// Checks returns the number of conditions on an answer, including those for a complete answer.
func (e *Expected) Checks() int { return len(e.conditions) + len(e.wants) }

// Refs lists the placeholders of the conditions, which are filled in for each answer.
func (e *Expected) Refs() (refs []*syntax.Ref) {
	for _, k := range slices.Concat(e.conditions, e.wants) {
		refs = append(refs, k.Refs()...)
	}
	return refs
}

// Extracts returns the number of variables that are extracted from an answer.
func (e *Expected) Extracts() int { return len(e.extracts) }

// Extract adds variables to extract from an answer.
func Extract[A Answer, F any, P interface {
	*F
	Finder[A]
}](e *Expected, from map[string]F, in Scope) {
	for _, name := range slices.Sorted(maps.Keys(from)) {
		f := from[name]
		p := P(&f)
		x := extract{id: in.AddCheck(name), slot: in.Symbols.Var(name), location: p}
		x.find = func(a Answer, v *template.Value) bool { return p.Find(a.(A), v) }
		if x.secret = secret.IsName(name) || x.IsSecret(); x.secret {
			in.Symbols.Hide(x.slot)
		}
		e.extracts = append(e.extracts, x)
	}
}

// JudgeStatus records in out whether the status of an answer is good, and the cause if it is not. It reports whether
// the rest of the answer is to be judged.
func JudgeStatus(out *scenarios.Outcome, shed, good bool, cause scenarios.Cause) bool {
	if shed {
		out.Kind = scenarios.Shed
		return false
	}
	out.Checks++
	if !good {
		out.Failed++
		out.Kind, out.Cause = scenarios.Error, cause
	}
	return good
}

// Judge records the results of the checks in out, and extracts variables from the answer into it.
func (e *Expected) Judge(a Answer, it *template.Iter, out *scenarios.Outcome) {
	for i := range e.conditions {
		k := &e.conditions[i]
		out.Checks++
		if k.holds(a, it, out) {
			continue
		}
		out.Failed++
		if out.Kind != scenarios.Error {
			out.Kind, out.Cause = scenarios.Error, AnswerCause(a, scenarios.Check(k.id))
		}
	}
	if out.Kind == scenarios.Error {
		return
	}
	for i := range e.extracts {
		x := &e.extracts[i]
		v := &it.Vars[x.slot]
		if !x.find(a, v) {
			out.Kind, out.Cause = scenarios.Error, AnswerCause(a, scenarios.Extraction(x.id))
			return
		}
		if x.secret || x.Masks(v.Text) {
			it.Offer(v.Text)
		}
	}
	out.Wants = len(e.wants) > 0
	for i := range e.wants {
		out.Partial = out.Partial || !e.wants[i].holds(a, it, out)
	}
}

// Wanted describes the first check that an answer failed: the expected and the actual value.
func (e *Expected) Wanted(a Answer, it *template.Iter, out *scenarios.Outcome) string {
	for i := range e.conditions {
		if k := &e.conditions[i]; !k.holds(a, it, out) {
			if why := unread(a); why != nil {
				return why.Error()
			}
			return k.wanted(a, it, out)
		}
	}
	for i := range e.extracts {
		if x := &e.extracts[i]; !x.find(a, &it.Vars[x.slot]) {
			if why := unread(a); why != nil {
				return why.Error()
			}
			return "nothing stands at " + x.String()
		}
	}
	return ""
}

func (k *condition) holds(a Answer, it *template.Iter, out *scenarios.Outcome) bool {
	switch {
	case k.within > 0:
		return out.Took() <= k.within
	case k.body:
		return k.MatchesText(a.Body(), it)
	case k.schema != nil:
		doc, ok := a.Document()
		return ok && k.schema.Valid(doc)
	case k.Path == nil:
		return k.MatchesOne(a.Header(k.Name), it)
	}
	return k.Holds(a.JSON(k.Path), it)
}

// wanted describes the expected and the actual value.
func (k *condition) wanted(a Answer, it *template.Iter, out *scenarios.Outcome) string {
	if k.within > 0 {
		return fmt.Sprintf("an answer within %s was wanted, and it took %s", quantity.FormatDuration(k.within),
			quantity.FormatSeconds(out.Took().Seconds()))
	}
	if k.schema != nil {
		doc, ok := a.Document()
		if !ok {
			return "the answer is not JSON, and " + k.schema.Name() + " is its schema"
		}
		return fmt.Sprintf("the answer is not valid by %s: %s", k.schema.Name(), k.schema.Difference(doc))
	}
	want := k.Describe(it)
	switch {
	case k.body:
		return fmt.Sprintf("a body of %s was wanted", want)
	case k.Path == nil:
		if all := a.Header(k.Name); len(all) > 0 {
			return fmt.Sprintf("%s %s was %s, and %s was wanted", k.kind, k.Name, Quote(string(all[0])), want)
		}
		return fmt.Sprintf("there was no %s %s, and %s was wanted", k.kind, k.Name, want)
	}
	found := a.JSON(k.Path)
	switch v, ok := k.Judged(found); {
	case found == nil:
		return fmt.Sprintf("the body is not JSON, and %s was wanted at %s", want, k.Path)
	case !ok:
		return fmt.Sprintf("there was nothing at %s, and %s was wanted", k.Path, want)
	default:
		return fmt.Sprintf("%s was %s, and %s was wanted", k.Path, Quote(check.ValueText(v)), want)
	}
}
