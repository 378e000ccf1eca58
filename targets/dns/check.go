package dns

import (
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/targets"

	"github.com/miekg/dns"
)

// answerCheck holds the conditions that an answer must meet to be ok.
type answerCheck struct {
	check.Answer
	rcodes, shed []int
	counts       []check.Field // of the records in a section
}

func (k *answerCheck) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	k.Decode(n, m, check.Own{
		Such: `such as {rcode: NOERROR, answers: "> 0"}`,
		Keys: slices.Concat([]string{"rcode", "shed", "$.path"}, sections[:]),
		Read: func(f syntax.Field) bool {
			switch {
			case f.Key == "rcode":
				k.rcodes = rcodes(f.Value, m)
			case f.Key == "shed":
				k.shed = rcodes(f.Value, m)
			case slices.Contains(sections[:], f.Key):
				c := check.Field{Name: f.Key}
				c.DecodeNode(f.Value, m)
				k.counts = append(k.counts, c)
			default:
				return false
			}
			return true
		},
	})
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
type extraction struct{ targets.Place }

func (e *extraction) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if text, ok := n.Text(m); ok && !e.Decode(n, text, m) {
		m.AddHint(n.Pos, "such as $.answers[0].data", "want a path of the answer, not %q", syntax.Clip(text, 60))
	}
}

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
	x.decodes = len(k.counts) > 0 || len(k.Paths) > 0 || k.Valid != nil
	x.rest.Answer(&k.Answer, "number of", k.counts, in, m)
}
