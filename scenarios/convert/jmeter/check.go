package jmeter

import (
	"cmp"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/quantity"

	"github.com/ohler55/ojg/jp"
)

// The bits of a response assertion's type.
const (
	assertMatch  = 1  // the pattern matches the whole text
	assertNot    = 4  // negated
	assertEquals = 8  // the texts are equal
	assertOr     = 32 // one of several
	assertText   = 16 // the text is contained
)

// asserts makes the check of a step.
func (p *plan) asserts(s scope, r *draft.Request) {
	r.Check = new(draft.Node)
	for _, t := range s.asserts {
		lose := func(format string, args ...any) { p.d.LoseAt(&r.Above, t.line, format, args...) }
		switch t.tag {
		case "DurationAssertion":
			v, known := p.value(t.element, "DurationAssertion.duration", &r.Above)
			if n, err := strconv.Atoi(v); known && err == nil && n > 0 && n < 86_400_000 {
				r.Check.Set("within", draft.Raw(quantity.FormatDuration(time.Duration(n)*time.Millisecond)))
			} else {
				lose("the assertion %q", draft.Clip(t.name(), 60))
			}
		case "JSONPathAssertion":
			p.assertPath(t, r, lose)
		case "ResponseAssertion":
			p.assertResponse(t, r, lose)
		}
	}
}

func (p *plan) assertPath(t *tree, r *draft.Request, lose func(string, ...any)) {
	t.skip()
	path := strings.TrimSpace(t.prop("JSON_PATH"))
	_, err := jp.ParseString(path)
	want, known := p.value(t.element, "EXPECTED_VALUE", &r.Above)
	switch {
	case err != nil || !strings.HasPrefix(path, "$") || !draft.IsKey(path) || r.Check.Get(path) != nil || t.is("INVERT") ||
		t.is("EXPECT_NULL") || !known:
		lose("the assertion %q at %s", draft.Clip(t.name(), 60), draft.Clip(path, 60))
	case !t.is("JSONVALIDATION"):
		r.Check.Set(path, draft.Plain("exists"))
	case t.find("ISREGEX") == nil || t.is("ISREGEX"):
		if regexp.QuoteMeta(want) == want {
			r.Check.Set(path, draft.Plain("= "+want))
		} else if pattern, ok := ofJava(want); ok {
			r.Check.Set(path, draft.Plain("~ ^(?:"+pattern+")$"))
		} else {
			lose("the assertion %q: the regular expression %q", draft.Clip(t.name(), 60), draft.Clip(want, 60))
		}
	default:
		r.Check.Set(path, draft.Plain("= "+want))
	}
}

// assertResponse reads an assertion on the status or on the body.
func (p *plan) assertResponse(t *tree, r *draft.Request, lose func(string, ...any)) {
	kind, _ := strconv.Atoi(strings.TrimSpace(t.prop("Assertion.test_type")))
	t.find("Assertion.assume_success")
	field := strings.TrimPrefix(strings.TrimSpace(t.prop("Assertion.test_field")), "Assertion.")
	var wanted []string
	for _, list := range []string{"Asserion.test_strings", "Assertion.test_strings"} { // JMeter's spelling
		for _, s := range t.arguments("", list) {
			s.skip()
			v, known := p.vars.known(p.vars.expand(s.text, t.line, &r.Above))
			if !known {
				lose("the assertion %q on %s: it names a value that is known only while requests are made",
					draft.Clip(t.name(), 60), field)
				return
			}
			wanted = append(wanted, v)
		}
	}
	key := map[string]string{"response_code": "status", "response_data": "body"}[field]
	switch {
	case key == "" || kind&assertNot != 0 || len(wanted) == 0 || r.Check.Get(key) != nil:
		lose("the assertion %q on %s", draft.Clip(t.name(), 60), draft.Clip(field, 40))
		return
	case len(wanted) > 1 && kind&assertOr == 0 && key == "body":
		lose("the assertion %q: a body has one check, which is the first of %d", draft.Clip(t.name(), 60), len(wanted))
		wanted = wanted[:1]
	}
	var all []*draft.Node
	for _, w := range wanted {
		n, ok := matcher(key, w, kind)
		if !ok {
			lose("the assertion %q on %s: %q", draft.Clip(t.name(), 60), field, draft.Clip(w, 60))
			return
		}
		all = append(all, n)
	}
	v := all[0]
	if len(all) > 1 {
		v = draft.List(all...)
	}
	r.Check.Set(key, v)
	if key == "body" && t.is("Assertion.assume_success") && r.Check.Get("status") == nil {
		lose("that the status does not count for %q: here one from 400 is an error", draft.Clip(t.name(), 60))
	}
}

// class matches patterns for a class of statuses.
var class = regexp.MustCompile(`^([1-5])(?:\.\.|xx|\\d\\d|\\d\{2\}|\[0-9\]\[0-9\]|\.\*)$`)

// matcher makes the right side of a check.
func matcher(key, want string, kind int) (*draft.Node, bool) {
	if key == "status" {
		want = strings.TrimSpace(want)
		if m := class.FindStringSubmatch(want); m != nil {
			return draft.Plain(m[1] + "xx"), true
		}
		n, err := strconv.Atoi(want)
		return draft.Number(n), err == nil && n >= 100 && n <= 599
	}
	switch {
	case kind&assertEquals != 0:
		return draft.Plain("= " + strings.TrimSpace(want)), want == strings.TrimSpace(want)
	case kind&assertText != 0:
		return draft.Plain("~ " + edged(regexp.QuoteMeta(want))), want != ""
	}
	pattern, ok := ofJava(want)
	if kind&assertMatch != 0 {
		pattern = "^(?s:" + pattern + ")$"
	}
	return draft.Plain("~ " + edged(pattern)), ok
}

// edged protects blanks at the ends of a pattern, which the language would trim.
func edged(pattern string) string {
	if strings.TrimSpace(pattern) != pattern {
		return "(?:" + pattern + ")"
	}
	return pattern
}

// ofJava reports whether a Java pattern has the same meaning in Go. It refuses constructs that it does not know.
func ofJava(pattern string) (string, bool) {
	_, err := regexp.Compile(pattern)
	return pattern, err == nil && pattern != "" && len(pattern) < 2000
}

// extracts makes the extractions of a step.
func (p *plan) extracts(s scope, r *draft.Request) {
	r.Extract = new(draft.Node)
	for _, t := range s.extracts {
		lose := func(format string, args ...any) { p.d.LoseAt(&r.Above, t.line, format, args...) }
		choice(t, lose)
		set := func(name, finder string) {
			if name = strings.TrimSpace(name); name != "" {
				r.Extract.Set(variable(name), draft.Plain(finder))
			}
		}
		switch t.tag {
		case "RegexExtractor":
			p.extractPattern(t, set, lose)
		case "BoundaryExtractor":
			left, right := regexp.QuoteMeta(t.prop("BoundaryExtractor.lboundary")),
				regexp.QuoteMeta(t.prop("BoundaryExtractor.rboundary"))
			if right == "" {
				right = "$"
			}
			set(t.prop("BoundaryExtractor.refname"), "~ "+edged("(?s:"+left+"(.*?)"+right+")"))
		case "JSONPostProcessor":
			names, paths := strings.Split(t.prop("JSONPostProcessor.referenceNames"), ";"),
				strings.Split(t.prop("JSONPostProcessor.jsonPathExprs"), ";")
			for i, name := range names {
				path := ""
				if i < len(paths) {
					path = strings.TrimSpace(paths[i])
				}
				if _, err := jp.ParseString(path); err != nil || !strings.HasPrefix(path, "$") {
					lose("the extractor %q: the path %q", draft.Clip(t.name(), 60), draft.Clip(path, 60))
					path = "$.not.carried.over"
				}
				set(name, path)
			}
		}
	}
}

// choice reports what an extraction of brunt can't choose: another match than the first, a default, another place.
func choice(t *tree, lose func(string, ...any)) {
	name := draft.Clip(t.name(), 60)
	for _, key := range []string{
		"RegexExtractor.match_number", "BoundaryExtractor.match_number", "JSONPostProcessor.match_numbers",
	} {
		for n := range strings.SplitSeq(t.prop(key), ";") {
			switch n = strings.TrimSpace(n); {
			case n == "0":
				lose("a match at random of the extractor %q; the first is taken", name)
			case n != "" && n != "1":
				lose("match %s of the extractor %q; the first is taken", draft.Clip(n, 20), name)
			}
		}
	}
	for _, key := range []string{
		"RegexExtractor.default", "BoundaryExtractor.default", "JSONPostProcessor.defaultValues",
	} {
		if strings.Trim(t.prop(key), "; ") != "" {
			lose("the default value of the extractor %q: here a step without a match fails", name)
		}
	}
	if of := strings.TrimSpace(t.prop("Sample.scope")); of != "" && of != "parent" {
		lose("what the extractor %q searches (%s): here it is the step's answer", name, draft.Clip(of, 20))
	}
	if t.is("JSONPostProcessor.compute_concat") {
		lose("all matches of the extractor %q as one variable", name)
	}
}

// template is the form of an extractor that takes one group of a pattern.
var template = regexp.MustCompile(`^\$(\d)\$$`)

// group returns a pattern whose only group is the n-th of it; the zeroth is all of it. It reports false if there is
// none.
func group(pattern, n string) (string, bool) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	which, _ := strconv.Atoi(n)
	if err != nil || which > re.MaxCap() {
		return pattern, false
	}
	if which == 1 || which == 0 && re.MaxCap() == 0 {
		return pattern, true // the first group, and all of a pattern without one, is what brunt takes
	}
	if which == 0 {
		return "(" + pattern + ")", true
	}
	var open func(*syntax.Regexp)
	open = func(re *syntax.Regexp) {
		if re.Op == syntax.OpCapture && re.Cap != which {
			re.Op = syntax.OpConcat
		}
		for _, sub := range re.Sub {
			open(sub)
		}
	}
	open(re)
	return re.String(), true
}

// oneHeader matches patterns that extract the value of a header.
var oneHeader = regexp.MustCompile(`^\^?([A-Za-z0-9-]+):(?: |\\s\*|\\s\+|\\s)?\((?:\.\+|\.\*|\.\+\?|\.\*\?)\)(?:\\n|\\r\\n|\$)?$`)

func (p *plan) extractPattern(t *tree, set func(string, string), lose func(string, ...any)) {
	pattern, ok := ofJava(t.prop("RegexExtractor.regex"))
	name, form := t.prop("RegexExtractor.refname"), strings.TrimSpace(t.prop("RegexExtractor.template"))
	where := strings.TrimSpace(t.prop("RegexExtractor.useHeaders"))
	if where == "true" {
		if m := oneHeader.FindStringSubmatch(pattern); m != nil && (form == "" || form == "$1$") {
			set(name, "header "+m[1])
			return
		}
		ok = false
	}
	if m := template.FindStringSubmatch(form); ok && m != nil {
		pattern, ok = group(pattern, m[1])
	} else if form != "" {
		ok = false
	}
	if !ok || where != "" && where != "false" && where != "true" && where != "unescaped" {
		lose("the extractor %q: %q in %s", draft.Clip(t.name(), 60), draft.Clip(pattern, 60), cmp.Or(where, "the body"))
		pattern = "not carried over"
	}
	set(name, "~ "+edged(pattern))
}
