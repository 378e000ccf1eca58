package probe

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"

	"github.com/ohler55/ojg/jp"
	"github.com/ohler55/ojg/oj"
)

// Finder says where the value is in an answer: "$.path" in JSON, or "~ regexp", whose first group is the value. A nil
// Finder takes the first line that is not blank.
type Finder struct {
	path jp.Expr
	re   *regexp.Regexp
}

func (f *Finder) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	s, ok := n.Text(m)
	if !ok {
		return
	}
	var err error
	switch {
	case strings.HasPrefix(s, "$"):
		f.path, err = jp.ParseString(s)
	case strings.HasPrefix(s, "~"):
		f.re, err = regexp.Compile(strings.TrimSpace(s[1:]))
	default:
		err = errors.New(`want "$.path" or "~ regexp"`)
	}
	if err != nil {
		m.AddHint(n.Pos, `such as value: "$.role" or value: "~ role:(\w+)"`, "%q says of no value where it stands: %v",
			syntax.Clip(s, 60), err)
	}
}

func (*Finder) Schema() syntax.Schema { return syntax.Pattern(`^[$~]`, "$.role", `~ role:(\w+)`) }

// find takes the value from an answer. The value is one line of at most MostWords characters, masked.
func (f *Finder) find(answer []byte, mask func(string) string) (_ string, err error) {
	defer scenarios.Recover(&err)
	text := strings.ToValidUTF8(string(answer), string(utf8.RuneError))
	switch {
	case f == nil || f.path == nil && f.re == nil:
	case f.path != nil:
		doc, err := oj.Parse(answer)
		if err != nil {
			return "", errors.New("the answer is not JSON")
		}
		v, found := check.First(check.AtPath(doc, f.path))
		if !found {
			return "", fmt.Errorf("nothing stands at %s of the answer", f.path)
		}
		text = check.ValueText(v)
	default:
		found := f.re.FindStringSubmatch(text)
		if found == nil {
			return "", fmt.Errorf("nothing in the answer matches ~ %s", f.re)
		}
		text = found[min(1, len(found)-1)]
	}
	for line := range strings.Lines(mask(text)) {
		if line = strings.TrimSpace(line); line != "" {
			return cut(line), nil
		}
	}
	return "", errors.New("the answer is empty")
}
