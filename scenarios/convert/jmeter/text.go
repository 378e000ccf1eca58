package jmeter

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"brunt/scenarios/convert/draft"
)

// variables holds the variables of a plan, and the texts that replace them.
type variables struct {
	d      *draft.Builder
	set    map[string]func() draft.Text
	params map[string]string // values of params that are needed during conversion
	names  map[string]string // names of params, by the names of their variables in the plan
	noted  map[string]bool
	named  int // number of replacements so far

	encoded bool // the text is in a URL or in a form, whose values brunt encodes
}

// expand converts each ${…} in a text to the language of scenarios. A part that can't be converted is left unchanged
// and reported in above.
func (v *variables) expand(s string, line int, above *[]string) draft.Text {
	return v.at(s, line, above, 0)
}

// maxNesting is the maximum nesting of JMeter functions.
const maxNesting = 20

func (v *variables) at(s string, line int, above *[]string, depth int) draft.Text {
	var out draft.Text
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			break
		}
		end := closing(s[i:])
		if end < 0 || depth > maxNesting {
			break
		}
		out = append(out, draft.Piece{Lit: s[:i]})
		out = append(out, v.one(s[i+2:i+end], line, above, depth)...)
		s = s[i+end+1:]
	}
	return append(out, draft.Piece{Lit: s}).Tidy()
}

// closing returns the position of the brace that closes the ${ at the start of s.
func closing(s string) int {
	open := 0
	for i := range len(s) {
		switch s[i] {
		case '{':
			open++
		case '}':
			if open--; open == 0 {
				return i
			}
		}
	}
	return -1
}

var (
	functionCall = regexp.MustCompile(`(?s)^(__\w+)\s*(?:\((.*)\))?$`)
	wholeNumber  = regexp.MustCompile(`^-?\d{1,18}$`)
	plainNumber  = regexp.MustCompile(`^\d{1,18}(?:\.\d+)?$`) // as a quantity of the language takes it
)

// Limits on variables that contain variables.
const (
	mostNamed = 50_000   // replacements in a plan
	mostValue = 64 << 10 // bytes of one value
)

// one returns the replacement of a variable or a function.
func (v *variables) one(name string, line int, above *[]string, depth int) draft.Text {
	if v.named++; v.named > mostNamed {
		v.lost(above, line, "variables beyond the first "+strconv.Itoa(mostNamed))
		return draft.Lit("")
	}
	m := functionCall.FindStringSubmatch(name)
	if m == nil {
		if set := v.set[name]; set != nil {
			return set()
		}
		v.lost(above, line, "the variable ${"+name+"}, which nothing in the plan sets")
		return draft.Lit("${" + name + "}")
	}
	args := arguments(m[2])
	static := func(i int) string {
		if i >= len(args) {
			return ""
		}
		s, _ := v.known(v.at(args[i], line, above, depth+1))
		return strings.TrimSpace(s)
	}
	switch m[1] {
	case "__P":
		if len(args) < 2 {
			return v.param(static(0), "1") // the default in JMeter
		}
		return v.property(static(0), static(1), line)
	case "__property":
		return v.property(static(0), static(2), line)
	case "__UUID":
		return draft.Ref("uuid()")
	case "__Random":
		if a, b := static(0), static(1); wholeNumber.MatchString(a) && wholeNumber.MatchString(b) && ordered(a, b) {
			if static(2) != "" {
				v.lost(above, line, "${"+name+"} draws another value at each place; ${"+static(2)+"} is not set by it")
			}
			return draft.Ref("int(" + a + "," + b + ")")
		}
	case "__time":
		switch static(0) {
		case "":
			return draft.Ref("now(ms)")
		case "/1000":
			return draft.Ref("now(unix)")
		}
	case "__timeShift":
		if static(0) == "" && static(1) == "" {
			return draft.Ref("now()")
		}
	case "__env":
		if n := static(0); draft.EnvName.MatchString(n) {
			v.d.Env = append(v.d.Env, draft.Secret{Env: n, What: "what the plan reads of the environment"})
			return draft.Ref("env." + n)
		}
	case "__V", "__evalVar":
		if set := v.set[static(0)]; set != nil {
			return set()
		}
	case "__urlencode", "__escapeHtml":
		if len(args) > 0 {
			text := v.at(args[0], line, above, depth+1)
			whole, static := text.Static()
			switch {
			case static && m[1] == "__urlencode":
				return draft.Lit(url.QueryEscape(whole))
			case static:
				return draft.Lit(escapeHTML.Replace(whole))
			case m[1] != "__urlencode" || !v.encoded:
				v.lostAs(name, above, line,
					"the encoding of ${"+m[1]+"(…)}: brunt encodes values for URLs and forms alone")
			}
			return text
		}
	case "__threadNum", "__counter":
		v.lost(above, line, "${"+name+"}; a number drawn at random stands for it")
		return draft.Ref("int(1,1000000)")
	}
	v.lostAs(name, above, line, "the function ${"+m[1]+"(…)}") // its arguments may be secret
	return draft.Lit("${" + name + "}")
}

// escapeHTML escapes a text as __escapeHtml does.
var escapeHTML = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

// ordered reports whether the whole numbers a and b are in order.
func ordered(a, b string) bool {
	x, y := atoi(a), atoi(b)
	return x <= y
}

func atoi(s string) (n int64) {
	negative := strings.HasPrefix(s, "-")
	for _, c := range strings.TrimPrefix(s, "-") {
		n = n*10 + int64(c-'0')
	}
	if negative {
		return -n
	}
	return n
}

// lost reports, once, a variable or function without a counterpart.
func (v *variables) lost(above *[]string, line int, what string) { v.lostAs(what, above, line, what) }

// lostAs is lost for a thing that the report does not tell from others: it is reported once for each key.
func (v *variables) lostAs(key string, above *[]string, line int, what string) {
	if !v.noted[key] {
		v.noted[key] = true
		v.d.LoseAt(above, line, "%s", what)
	}
}

// property makes a param of a JMeter property, with its default; a secret default is hidden.
func (v *variables) property(name, def string, line int) draft.Text {
	if draft.IsSecret(name) && def != "" {
		return v.d.Hide(line, name, "the default of the property "+draft.Clip(name, 40), def)
	}
	return v.param(name, def)
}

// param makes a param of a property or variable of the plan.
func (v *variables) param(name, value string) draft.Text {
	n := draft.Plain(value)
	if wholeNumber.MatchString(value) && (value == "0" || value[0] != '0') {
		n = draft.Raw(value)
	}
	as, seen := v.names[name]
	if !seen {
		as = draft.Unique(v.d.Params, draft.Slug(name, "param"))
		v.names[name] = as
		v.params[as] = value
		v.d.Params.Set(as, n)
	}
	return draft.Ref(as)
}

// known returns a text with params replaced by their values; false if it contains other placeholders.
func (v *variables) known(t draft.Text) (string, bool) {
	var b strings.Builder
	for _, p := range t {
		value, ok := v.params[p.Ref]
		if p.Ref != "" && !ok {
			return "", false
		}
		b.WriteString(p.Lit + value)
	}
	return b.String(), true
}

// arguments splits the arguments of a function at commas, but not at \,.
func arguments(s string) []string {
	if s == "" {
		return nil
	}
	var out []string
	var b strings.Builder
	open := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
			continue
		case c == '{':
			open++
		case c == '}':
			open--
		case c == ',' && open <= 0:
			out = append(out, b.String())
			b.Reset()
			continue
		}
		b.WriteByte(s[i])
	}
	return append(out, b.String())
}
