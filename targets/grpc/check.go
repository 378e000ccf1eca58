package grpc

import (
	"fmt"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/quantity"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
	"brunt/targets"

	"github.com/ohler55/ojg/jp"
)

// answerCheck holds the conditions that an answer must meet to be ok.
type answerCheck struct {
	status   []int // nil: OK
	shed     []int // statuses by which the target sheds load
	within   time.Duration
	metadata []check.Field // of headers and trailers
	paths    []check.Field // of the message as JSON
}

// DecodeNode implements [syntax.NodeDecoder].
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
		case strings.HasPrefix(f.Key, "$"):
			if c, ok := check.DecodePath(f, m); ok {
				k.paths = append(k.paths, c)
			}
		default:
			m.AddHint(f.Pos, syntax.DidYouMean(f.Key, []string{"status", "shed", "within", "metadata", "$.path"}), "unknown check %q", syntax.Clip(f.Key, 60))
		}
	}
}

// statuses reads the names of statuses: one, or a list.
func statuses(n *syntax.Node, m *syntax.Mistakes) (list []int) {
	items := []*syntax.Node{n}
	if n.Kind == syntax.List {
		items = n.Items
	}
	names := scenarios.GRPCStatuses()
	for _, item := range items {
		text, ok := item.Text(m)
		if !ok {
			continue
		}
		found := false
		for code, name := range names {
			if strings.EqualFold(name, text) {
				list, found = append(list, code), true
			}
		}
		if !found {
			m.AddHint(item.Pos, syntax.DidYouMean(strings.ToUpper(text), names), "%q is not a status of gRPC", syntax.Clip(text, 60))
		}
	}
	return list
}

// extraction is where the value of a variable stands in an answer: `$.path`, or `metadata NAME`.
type extraction struct {
	path     jp.Expr
	metadata string
}

// DecodeNode implements [syntax.NodeDecoder].
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

// isSecret reports whether the place has a secret name.
func (e *extraction) isSecret() bool {
	name := e.metadata
	if e.path != nil {
		name = check.NameAt(e.path)
	}
	return secret.IsName(name)
}

// expected is what a call expects of its answer and takes from it.
type expected struct {
	status   []int // nil: OK
	shed     []int
	checks   []condition
	extracts []extract
	decodes  bool // checks or extractions read the message
}

// condition is one check besides the status.
type condition struct {
	id       int // number in the plan
	within   time.Duration
	metadata string
	path     jp.Expr
	check.Matcher
}

type extract struct {
	id   int
	slot int
	extraction
	secret bool // by the name of the variable, or of the place
}

func (c *grpcCall) compileChecks(k *answerCheck, in targets.Scope) {
	if k == nil {
		return
	}
	c.status, c.shed = k.status, k.shed
	if k.within > 0 {
		c.checks = append(c.checks, condition{id: in.AddCheck("within"), within: k.within})
	}
	for _, h := range k.metadata {
		c.checks = append(c.checks, condition{id: in.AddCheck("metadata " + h.Name), metadata: h.Name, Matcher: h.Matcher})
	}
	for _, p := range k.paths {
		c.decodes = true
		c.checks = append(c.checks, condition{id: in.AddCheck(p.Name), path: p.Path, Matcher: p.Matcher})
	}
}

func (c *grpcCall) compileExtraction(name string, e extraction, in targets.Scope) {
	x := extract{id: in.AddCheck(name), slot: in.Symbols.Var(name), extraction: e, secret: secret.IsName(name) || e.isSecret()}
	if x.secret {
		in.Symbols.Hide(x.slot)
	}
	c.extracts = append(c.extracts, x)
	c.decodes = c.decodes || e.path != nil
}

// wantedStatus names the statuses that the call accepts.
func (c *grpcCall) wantedStatus() string {
	if c.status == nil {
		return "OK"
	}
	names := make([]string, len(c.status))
	for i, code := range c.status {
		names[i] = scenarios.GRPCStatus(code)
	}
	return strings.Join(names, " or ")
}

// wanted says what a condition expected and what came.
func (k *condition) wanted(a *answer, out *scenarios.Outcome) string {
	switch {
	case k.within > 0:
		return fmt.Sprintf("an answer within %s was wanted, and it took %s", quantity.FormatDuration(k.within), quantity.FormatSeconds(out.Took().Seconds()))
	case k.metadata != "":
		if v, found := a.metadata(k.metadata); found {
			return fmt.Sprintf("metadata %s was %s, and %s was wanted", k.metadata, targets.Quote(v), k.Matcher.String())
		}
		return fmt.Sprintf("there was no metadata %s, and %s was wanted", k.metadata, k.Matcher.String())
	}
	if v, found := a.at(k.path); found {
		return fmt.Sprintf("%s was %s, and %s was wanted", k.path, targets.Quote(check.ValueText(v)), k.Matcher.String())
	}
	return fmt.Sprintf("there was nothing at %s, and %s was wanted", k.path, k.Matcher.String())
}
