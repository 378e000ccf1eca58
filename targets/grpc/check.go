package grpc

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/grpc/status"

	"github.com/ohler55/ojg/jp"
)

// answerCheck holds the conditions that an answer must meet to be ok.
type answerCheck struct {
	status   []int // nil: OK
	shed     []int // statuses with which the target sheds load
	within   time.Duration
	metadata []check.Field     // of headers and trailers
	valid    *check.SchemaFile // of the message as JSON
	paths    []check.Field     // of the message as JSON
}

func (k *answerCheck) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind != syntax.Map {
		m.AddHint(n.Pos, `such as {status: OK, "$.items": not empty}`, "check wants a map")
		return
	}
	for _, f := range n.Fields {
		switch {
		case f.Key == "status":
			k.status = statuses(f.Value, m)
		case f.Key == "shed":
			k.shed = statuses(f.Value, m)
		case f.Key == "within":
			k.within = check.DecodeWithin(f.Value, m)
		case f.Key == "metadata":
			if f.Value.Kind != syntax.Map {
				m.Add(f.Value.Pos, "want a map of names of metadata to values")
				continue
			}
			for _, h := range f.Value.Fields {
				c := check.Field{Name: h.Key}
				c.DecodeNode(h.Value, m)
				k.metadata = append(k.metadata, c)
			}
		case f.Key == "schema":
			k.valid = check.DecodeSchemaFile(f.Value, m)
		case strings.HasPrefix(f.Key, "$"):
			if c, ok := check.DecodePath(f, m); ok {
				k.paths = append(k.paths, c)
			}
		default:
			m.AddHint(f.Pos, syntax.DidYouMean(f.Key, []string{"status", "shed", "within", "metadata", "schema", "$.path"}),
				"unknown check %q", syntax.Clip(f.Key, 60))
		}
	}
}

// statuses reads the names of statuses: one, or a list.
func statuses(n *syntax.Node, m *syntax.Mistakes) (list []int) {
	names := status.Names()
	for _, item := range n.OneOrMore() {
		text, ok := item.Text(m)
		if !ok {
			continue
		}
		if code, known := status.Code(text); known {
			list = append(list, code)
		} else {
			m.AddHint(item.Pos, syntax.DidYouMean(strings.ToUpper(text), names), "%q is not a status of gRPC",
				syntax.Clip(text, 60))
		}
	}
	return list
}

// extraction is the place of a variable's value in an answer: `$.path`, or `metadata NAME`.
type extraction struct {
	path     jp.Expr
	metadata string
}

func (e *extraction) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	text, ok := n.Text(m)
	if !ok {
		return
	}
	if strings.HasPrefix(text, "$") {
		path, err := jp.ParseString(text)
		if err != nil {
			m.Add(n.Pos, "%q is not a JSON path: %v", text, err)
		}
		e.path = path
		return
	}
	kind, name, _ := strings.Cut(text, " ")
	if name = strings.TrimSpace(name); kind != "metadata" || !check.IsToken(name) {
		m.Add(n.Pos, "want \"$.path\" or \"metadata NAME\", not %q", syntax.Clip(text, 60))
	}
	e.metadata = name
}

// String returns the extraction as its author wrote it.
func (e *extraction) String() string {
	if e.path != nil {
		return e.path.String()
	}
	return "metadata " + e.metadata
}

func (e *extraction) Find(a *answer, v *template.Value) bool {
	if e.path == nil {
		text, found := a.metadata(e.metadata)
		v.SetText(text)
		return found
	}
	return targets.SetFound(v, a, e.path)
}

func (e *extraction) Masks([]byte) bool { return false }

func (e *extraction) IsSecret() bool {
	name := e.metadata
	if e.path != nil {
		name = check.NameAt(e.path)
	}
	return secret.IsName(name)
}

// expected holds the checks of a call's answer, and the variables to extract from it.
type expected struct {
	status  []int // nil: OK
	shed    []int
	rest    targets.Expected
	decodes bool // checks or extractions read the message
}

func (c *grpcCall) compileChecks(k *answerCheck, in targets.Scope, m *syntax.Mistakes) {
	if k == nil {
		return
	}
	c.status, c.shed = k.status, k.shed
	c.decodes = c.decodes || len(k.paths) > 0 || k.valid != nil
	c.rest.Within(k.within, in)
	c.rest.Fields("metadata", k.metadata, in)
	c.rest.Schema(k.valid, in, m)
	c.rest.Fields("metadata", k.paths, in)
}

// accepts reports whether the status of an answer is good.
func (c *grpcCall) accepts(code int) bool {
	return c.status == nil && code == 0 || slices.Contains(c.status, code)
}

// wantedStatus names the statuses that the call accepts.
func (c *grpcCall) wantedStatus() string {
	names := make([]string, len(c.status))
	for i, code := range c.status {
		names[i] = status.Name(code)
	}
	return strings.Join(names, " or ")
}

// judge records the results of the checks in the outcome, and extracts variables from the answer.
func (t *exchange) judge() {
	c, out, a := t.call, t.out, &t.answer
	code := int(a.status)
	if !targets.JudgeStatus(out, slices.Contains(c.shed, code), c.accepts(code), causes.Cause(int32(code))) {
		return
	}
	if c.decodes {
		if a.parse(); a.broken != nil {
			out.Kind, out.Cause = scenarios.Error, scenarios.Protocol
			return
		}
	}
	c.rest.Judge(a, t.it, out)
}

// wanted describes the first check that the answer failed: the expected and the actual value.
func (t *exchange) wanted() string {
	c, a := t.call, &t.answer
	switch good := c.accepts(int(a.status)); {
	case !good && c.status == nil:
		return a.String()
	case !good:
		return fmt.Sprintf("status %s was wanted, not %s", c.wantedStatus(), a.String())
	case a.broken != nil:
		return fmt.Sprintf("the message is no %s: %s", a.of.FullName(), why(a.broken))
	}
	return c.rest.Wanted(a, t.it, t.out)
}
