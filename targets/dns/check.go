package dns

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"

	"github.com/miekg/dns"
	"github.com/ohler55/ojg/jp"
)

// answerCheck holds the conditions that an answer must meet to be ok.
type answerCheck struct {
	rcodes, shed []int
	within       time.Duration
	counts       []check.Field // of the records in a section
	valid        *check.SchemaFile
	paths        []check.Field
}

func (k *answerCheck) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind != syntax.Map {
		m.AddHint(n.Pos, `such as {rcode: NOERROR, answers: "> 0"}`, "check wants a map")
		return
	}
	for _, f := range n.Fields {
		switch {
		case f.Key == "rcode":
			k.rcodes = rcodes(f.Value, m)
		case f.Key == "shed":
			k.shed = rcodes(f.Value, m)
		case f.Key == "within":
			k.within = check.DecodeWithin(f.Value, m)
		case slices.Contains(sections[:], f.Key):
			c := check.Field{Name: f.Key}
			c.DecodeNode(f.Value, m)
			k.counts = append(k.counts, c)
		case f.Key == "schema":
			k.valid = check.DecodeSchemaFile(f.Value, m)
		case strings.HasPrefix(f.Key, "$"):
			if c, ok := check.DecodePath(f, m); ok {
				k.paths = append(k.paths, c)
			}
		default:
			keys := slices.Concat([]string{"rcode", "shed", "within", "schema", "$.path"}, sections[:])
			m.AddHint(f.Pos, syntax.DidYouMean(f.Key, keys), "unknown check %q", syntax.Clip(f.Key, 60))
		}
	}
}

// rcodes reads rcodes by name or number: one, or a list.
func rcodes(n *syntax.Node, m *syntax.Mistakes) (list []int) {
	for _, item := range n.OneOrMore() {
		text, ok := item.Text(m)
		if !ok {
			continue
		}
		code, known := dns.StringToRcode[strings.ToUpper(text)]
		if number, err := strconv.Atoi(text); !known && err == nil && number >= 0 && number < 1<<12 {
			code, known = number, true
		}
		if !known {
			m.AddHint(item.Pos, syntax.DidYouMean(strings.ToUpper(text), []string{
				"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
			}), "%q is not an rcode, such as NOERROR or NXDOMAIN", syntax.Clip(text, 60))
		}
		list = append(list, code)
	}
	return list
}

// extraction is the place of a variable's value in an answer: `$.path`.
type extraction struct{ path jp.Expr }

func (e *extraction) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	text, ok := n.Text(m)
	if !ok {
		return
	}
	if !strings.HasPrefix(text, "$") {
		m.AddHint(n.Pos, "such as $.answers[0].data", "want a path of the answer, not %q", syntax.Clip(text, 60))
		return
	}
	path, err := jp.ParseString(text)
	if err != nil {
		m.Add(n.Pos, "%q is not a JSON path: %v", text, err)
	}
	e.path = path
}

// String returns the extraction as its author wrote it.
func (e *extraction) String() string { return e.path.String() }

func (e *extraction) Find(a *answer, v *template.Value) bool { return targets.SetFound(v, a, e.path) }

func (*extraction) Masks([]byte) bool { return false }

func (*extraction) IsSecret() bool { return false }

// expected holds the checks of a call's answer, and the variables to extract from it.
type expected struct {
	rcodes, shed []int
	rest         targets.Expected
	decodes      bool // checks or extractions read the records
}

func (x *expected) compileChecks(k *answerCheck, in targets.Scope, m *syntax.Mistakes) {
	if x.rcodes = []int{dns.RcodeSuccess}; k == nil {
		return
	}
	if k.rcodes != nil {
		x.rcodes = k.rcodes
	}
	x.shed = k.shed
	x.decodes = len(k.counts) > 0 || len(k.paths) > 0 || k.valid != nil
	x.rest.Within(k.within, in)
	x.rest.Fields("number of", k.counts, in)
	x.rest.Schema(k.valid, in, m)
	x.rest.Fields("", k.paths, in)
}
