package calls

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/stream"

	"github.com/ohler55/ojg/jp"
)

// Settings are the YAML that the steps of all brokers share.
type Settings struct {
	// the message that is sent: a text, or one of text, json, hex and base64; default: an empty one
	Message *stream.MessageSource      `yaml:"message"`
	Headers map[string]template.Header `yaml:"headers"` // of the message, by name
	// of a step that takes messages: how many it takes at most, those that are there or the first that comes; its answer
	// is then their list. Default: one message, which is the answer
	Messages int `yaml:"messages,min=1,max=10000"`
	// how long a step that takes messages waits for one, less than the load's timeout; default: four fifths of it. If
	// none comes by then, there is no error: the answer is empty, which `check: {$: exists}` refuses
	Within  quantity.Duration `yaml:"within,positive"`
	Answers `yaml:",inline"`
}

// KeyHint says where an unknown key stands: other protocols have the forms of a message as keys of the step.
func (*Settings) KeyHint(key string) string {
	switch key {
	case "text", "json", "hex", "base64":
		return "such as message: {" + key + ": …}"
	}
	return ""
}

// Answers are the YAML of what a step expects of its answer, and takes from it.
type Answers struct {
	Check *Check `yaml:"check"` // conditions for an ok answer; default: the server accepts what was sent
	// conditions that a good answer meets if it is complete; an answer that does not meet them is no error
	Want *check.PathWants `yaml:"want"`
	// variables, each with the place of its value in the answer: $.path of its JSON, text, or ~ regexp
	Extract map[string]stream.Extraction `yaml:"extract"`
}

// A Check holds the conditions that an answer must meet to be ok.
type Check struct {
	stream.MessageCheck
	allow, shed []*syntax.Node
}

func (k *Check) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	own := func(key string) bool { return key == "allow" || key == "shed" }
	if n.Kind == syntax.Map {
		for _, f := range n.Fields {
			switch f.Key {
			case "allow":
				k.allow = f.Value.OneOrMore()
			case "shed":
				k.shed = f.Value.OneOrMore()
			}
		}
		n = n.Without(own)
	}
	k.MessageCheck.DecodeNode(n, m)
}

// Schema returns the JSON Schema of a check.
func (k *Check) Schema() syntax.Schema {
	s := (*stream.MessageCheck)(nil).Schema()
	list := syntax.OneOrList(syntax.Schema{"type": []any{"string", "integer"}})
	properties := maps.Clone(s["properties"].(syntax.Schema))
	properties["allow"] = list.Described("errors that are ok, by number or name: one, or a list; default: none")
	properties["shed"] = list.Described("errors that refuse a message on purpose: neither good nor an error")
	s["properties"] = properties
	return s
}

// Expected holds the checks of a call's answer, and the variables to extract from it.
type Expected struct {
	allow, shed []int32
	rest        targets.Expected
}

// Compile compiles the checks and extractions of a step, and adds them to the traits of its call. Number returns the
// number of an error by its text, for `check: {allow: …}`, and such shows an example.
func (e *Expected) Compile(s *Answers, to *scenarios.CallTraits, in targets.Scope, m *syntax.Mistakes,
	number func(string) (int32, bool), such string,
) {
	if k := s.Check; k != nil {
		e.allow, e.shed = numbers(k.allow, m, number, such), numbers(k.shed, m, number, such)
		k.MessageCheck.Compile(&e.rest, in, m)
	}
	if s.Want != nil {
		e.rest.Want("", &s.Want.Wants)
	}
	targets.Extract[*stream.Message](&e.rest, s.Extract, in)
	to.Refs = append(to.Refs, e.rest.Refs()...)
	to.Sheds, to.Wants = len(e.shed) > 0, e.rest.Wants()
}

// Judge records the results of the checks in the outcome, and extracts variables from the answer. Cause is that of
// its status, which is an error if it is positive.
func (e *Expected) Judge(a *stream.Message, status int32, cause scenarios.Cause, it *template.Iter,
	out *scenarios.Outcome,
) {
	if targets.JudgeStatus(out, slices.Contains(e.shed, status), !e.refused(status), cause) {
		e.rest.Judge(a, it, out)
	}
}

// refused reports whether a status is an error that the step does not allow.
func (e *Expected) refused(status int32) bool { return status > 0 && !slices.Contains(e.allow, status) }

// Wanted describes the first check that an answer failed: the expected and the actual value, or the reason of its
// status.
func (e *Expected) Wanted(a *stream.Message, status int32, reason string, it *template.Iter,
	out *scenarios.Outcome,
) string {
	if e.refused(status) {
		return reason
	}
	return e.rest.Wanted(a, it, out)
}

// Excerpt returns the beginning of an answer.
func Excerpt(a *stream.Message) string {
	doc, ok := check.First(a.JSON(jp.R()))
	return Shown(doc, ok && len(a.Data) > 0)
}

// Shown returns the beginning of an answer in the types of JSON, if there is one.
func Shown(doc any, has bool) string {
	if !has {
		return ""
	}
	return targets.Clip(check.ValueText(doc), mostShown)
}

// Steps that must not ask for the messages of a delivery.
var (
	// Missing is a subscription that ends with its step.
	Missing = scenarios.Unfit{
		Why: "a subscription that ends after each question misses messages", Remedy: "add keep: user",
	}
	// Repeating is a step that acknowledges nothing.
	Repeating = scenarios.Unfit{
		Why: "a message that is not acknowledged comes again, or keeps others from coming", Remedy: "leave out ack: off",
	}
)

// Compile compiles the settings that the steps of all brokers share. Number and such are those of [Expected.Compile].
func (c *Call[F]) Compile(s *Settings, block syntax.Block, in targets.Scope, m *syntax.Mistakes,
	number func(string) (int32, bool), such string,
) {
	c.Settings = *s
	c.name = cmp.Or(in.Name, strings.TrimSpace(block.Kind+" "+c.Is.URL))
	c.flow = in.Flow
	c.Is.Method = block.Kind
	if s.Message != nil {
		c.Is.Refs = append(c.Is.Refs, s.Message.Refs()...)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		h := s.Headers[name]
		c.Is.Refs = append(c.Is.Refs, h.Refs()...)
	}
	c.expected.Compile(&s.Answers, &c.Is, in, m, number, such)
	if in.Timeout > 0 && s.Within.D() >= in.Timeout {
		m.AddHint(block.With.Get("within").Pos, "such as within: "+quantity.FormatDuration(in.Timeout/2),
			"a message is awaited for %s, and the request times out after %s", s.Within, quantity.FormatDuration(in.Timeout))
	}
	in.RefuseAuth(block.Kind, "user and password stand in the URL of the endpoint", m)
}

func numbers(list []*syntax.Node, m *syntax.Mistakes, number func(string) (int32, bool), such string) (all []int32) {
	for _, item := range list {
		text, ok := item.Text(m)
		if !ok {
			continue
		}
		n, known := number(text)
		if !known {
			m.AddHint(item.Pos, "such as "+such, "%q is not an error of this protocol", syntax.Clip(text, 60))
		}
		all = append(all, n)
	}
	return all
}

// Refuse notes keys that do not belong to a kind of step. Belongs says which kinds a key belongs to.
func Refuse(p *syntax.Place, kind string, belongs map[string][]string, m *syntax.Mistakes) {
	for _, key := range slices.Sorted(maps.Keys(belongs)) {
		switch kinds := belongs[key]; {
		case !p.Has(key) || slices.Contains(kinds, kind):
		case len(kinds) == 0:
			m.Add(p.Of(key), "a step of %s has no `%s`", kind, key)
		default:
			m.Add(p.Of(key), "`%s` belongs to a step of %s, not of %s", key, strings.Join(kinds, ", "), kind)
		}
	}
}

// CheckEndpoint notes mistakes in the endpoint's URL. It reports whether there is a URL, and no mistake in it. Locate
// returns all addresses of a URL, or what is wrong with it.
func CheckEndpoint(in targets.Scope, locate func(*url.URL) ([]string, error), such string, m *syntax.Mistakes) bool {
	text, at := in.EndpointURL()
	u, err := url.Parse(text)
	if text == "" || err != nil || strings.Contains(text, "${") {
		return false // package plan notes this mistake
	}
	if password, has := u.User.Password(); has {
		in.AddSecret(password)
	}
	list, err := locate(u)
	if err != nil {
		m.AddHint(at, such, "the endpoint's URL: %v", err)
		return false
	}
	in.CheckHosts(at, u.Scheme, list[1:], m)
	return true
}

// Addresses returns host:port of each server of a URL: its own, and those of `addr` in its query.
func Addresses(u *url.URL) []string { return append([]string{u.Host}, u.Query()["addr"]...) }

// AppendMessage appends the message of an iteration.
func (s *Settings) AppendMessage(dst []byte, it *template.Iter) ([]byte, error) {
	if s.Message == nil {
		return dst, nil
	}
	return s.Message.Append(dst, it)
}
