package check

import (
	"strings"
	"time"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"

	"github.com/ohler55/ojg/jp"
)

// A Response holds the conditions that an HTTP response must meet to be ok.
type Response struct {
	Answer
	Status  *Matcher      // nil: a status below 400
	Shed    []int         // statuses with which the target sheds load
	MaxBody quantity.Size // maximum size of a body that is checked; zero is 64 MiB
	Body    *Matcher
	Headers []Field
}

// Holds reports whether the values at the field's path match, see [AtPath]. Of several values the first counts, except
// where one of them is to contain something. Placeholders have the values of it, which may be nil if there are none.
func (f *Field) Holds(found []any, it *template.Iter) bool {
	if found == nil { // unknown, so that nothing is absent either
		return false
	}
	v, ok := f.Judged(found)
	return f.Matches(v, ok, it)
}

// Judged returns the value that Holds judges, of the values at the field's path.
func (f *Field) Judged(found []any) (v any, ok bool) {
	if (f.op == contains || f.op == notContains) && !f.Path.Normal() {
		return found, true
	}
	return First(found)
}

// Conditions lists the conditions on the parts of a response, apart from its status and its time.
func (c *Response) Conditions() (all []*Matcher) {
	if c.Body != nil {
		all = append(all, c.Body)
	}
	for i := range c.Headers {
		all = append(all, &c.Headers[i].Matcher)
	}
	for i := range c.Paths {
		all = append(all, &c.Paths[i].Matcher)
	}
	return all
}

// mostBody is the maximum of max_body, in bytes.
const mostBody = 1 << 30

// A Field is the condition on one header, or on the value at one JSON path.
type Field struct {
	Name string
	Path jp.Expr // nil for a header
	Matcher
}

func (c *Response) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	c.Decode(n, m, Own{
		Such: `such as {status: 200, "$.items": not empty}`,
		Keys: []string{"status", "shed", "max_body", "body", "header", "$.path"},
		Read: func(f syntax.Field) bool {
			switch f.Key {
			case "status":
				c.Status = new(Matcher)
				c.Status.DecodeStatus(f.Value, m)
			case "shed":
				syntax.Decode(f.Value, &c.Shed, m)
			case "max_body":
				before := m.Len()
				syntax.Decode(f.Value, &c.MaxBody, m)
				if m.Len() == before && (c.MaxBody < 1 || c.MaxBody > mostBody) {
					m.Add(f.Value.Pos, "want from 1B to %s, which each request in flight may take of this machine's memory",
						quantity.Size(mostBody))
				}
			case "body":
				c.Body = new(Matcher)
				c.Body.DecodeText(f.Value, m)
			case "header", "headers":
				c.Headers = append(c.Headers, decodeHeaders(f.Value, m)...)
			default:
				return false
			}
			return true
		},
	})
}

// decodeWithin reads the time within which an answer must arrive.
func decodeWithin(n *syntax.Node, m *syntax.Mistakes) time.Duration {
	var d quantity.Duration
	before := m.Len()
	syntax.Decode(n, &d, m)
	if d == 0 && m.Len() == before {
		m.Add(n.Pos, "nothing answers within no time")
	}
	return d.D()
}

// DecodePath reads the condition on the value at a JSON path, which is the key.
func DecodePath(f syntax.Field, m *syntax.Mistakes) (k Field, ok bool) {
	path, err := jp.ParseString(f.Key)
	if err != nil {
		m.Add(f.Pos, "%q is not a JSON path: %v", f.Key, err)
		return k, false
	}
	k = Field{Name: f.Key, Path: path}
	k.DecodeNode(f.Value, m)
	return k, true
}

// IsToken reports whether s is a valid header name (RFC 9110, section 5.6.2).
func IsToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
			strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	}) < 0
}

func (*Response) Schema() syntax.Schema {
	match := (*Matcher)(nil).Schema()
	codes := syntax.Schema{"type": "integer", "minimum": 100, "maximum": 599}
	headers := syntax.Schema{"description": "values by header name", "type": "object", "additionalProperties": match}
	return AnswerSchema(syntax.Schema{
		"status": match.Described("200, 2xx, < 500 or a list; default: any under 400"),
		"shed":   syntax.OneOrList(codes).Described("statuses that refuse a request on purpose: neither good nor an error"),
		"max_body": (*quantity.Size)(nil).Schema().Described("the most of a body that checks and extractions look into; " +
			"a larger one is an error. brunt holds and decodes eight times as much of all answers at a time, and at least " +
			"64MiB; default: 64MiB"),
		"body":   match.Described("the body as text: " + Forms),
		"header": headers, "headers": headers,
	}, "the body, JSON,", "the value at a JSON path")
}
