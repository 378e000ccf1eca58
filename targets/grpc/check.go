package grpc

import (
	"fmt"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/grpc/status"
)

// answerCheck holds the conditions that an answer must meet to be ok.
type answerCheck struct {
	check.Answer
	status   []int         // nil: OK
	shed     []int         // statuses with which the target sheds load
	metadata []check.Field // of headers and trailers
}

func (k *answerCheck) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	k.Decode(n, m, check.Own{
		Such: `such as {status: OK, "$.items": not empty}`,
		Keys: []string{"status", "shed", "metadata", "$.path"},
		Read: func(f syntax.Field) bool {
			switch f.Key {
			case "status":
				k.status = statuses(f.Value, m)
			case "shed":
				k.shed = statuses(f.Value, m)
			case "metadata":
				if f.Value.Kind != syntax.Map {
					m.Add(f.Value.Pos, "want a map of names of metadata to values")
				}
				for _, h := range f.Value.Fields {
					c := check.Field{Name: h.Key}
					c.DecodeNode(h.Value, m)
					k.metadata = append(k.metadata, c)
				}
			default:
				return false
			}
			return true
		},
	})
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
	targets.Place
	metadata string
}

func (e *extraction) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	text, ok := n.Text(m)
	if !ok || e.Decode(n, text, m) {
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
	if e.Path != nil {
		return e.Place.String()
	}
	return "metadata " + e.metadata
}

func (e *extraction) Find(a *answer, v *template.Value) bool {
	if e.Path != nil {
		return e.Place.Find(a, v)
	}
	text, found := a.metadata(e.metadata)
	v.SetText(text)
	return found
}

func (e *extraction) IsSecret() bool { return e.Place.IsSecret() || secret.IsName(e.metadata) }

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
	c.decodes = c.decodes || len(k.Paths) > 0 || k.Valid != nil
	c.rest.Within(k.Within, in)
	c.rest.Fields("metadata", k.metadata, in)
	c.rest.Schema(k.Valid, in, m)
	c.rest.Fields("metadata", k.Paths, in)
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
			out.Kind, out.Cause = scenarios.Error, targets.AnswerCause(a, scenarios.Protocol)
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
	case a.Unread() != nil:
		return a.Unread().Error()
	case a.broken != nil:
		return fmt.Sprintf("the message is no %s: %s", a.of.FullName(), why(a.broken))
	}
	return c.rest.Wanted(a, t.it, t.out)
}
