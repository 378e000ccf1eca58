package har

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/syntax"
)

// An answered is a value in an answer that a later request may send.
type answered struct {
	name   string // of the field
	within string // the name of the map that the field is in
	value  string
	number bool   // of JSON
	finder string // the place in the answer
}

// A correlation is a value of an answer, with the step that got it.
type correlation struct {
	answered
	line     int
	step     *draft.Node
	variable string // empty: nothing sends it so far
}

// Bounds on the values that are kept of one answer.
const (
	mostAnswered = 500
	mostValue    = 4096 // bytes
)

// identifies matches names of values that a server chooses. It is compiled when a log is read: every start of brunt
// would wait a millisecond for it.
var identifies = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i:^|[_.-])(?i:id|uuid|guid|key|token|code|slug|ref|nonce|csrf|xsrf|session|version|etag)$` +
		`|[a-z](?:Id|ID|Uuid|UUID|Key|Token|Code|Ref)$`)
})

// chosen reports whether a value looks like one that a server chose: it is long and has no blanks, or its name says so.
func (a answered) chosen() bool {
	if a.value == "" || len(a.value) > mostValue || strings.ContainsAny(a.value, " \t\r\n") {
		return false
	}
	return len(a.value) >= 16 || len(a.value) >= 8 && strings.ContainsAny(a.value, "0123456789") ||
		identifies().MatchString(a.name)
}

// hidden matches elements of HTML that hold a value for a later request. It is compiled when a log is read, see
// identifies.
var hidden = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`<(?:input|meta)\s[^<>]{1,1000}>`) })

var attributes = regexp.MustCompile(`([a-zA-Z-]+)="([^"&]*)"`)

// answers returns the values in an answer.
func answers(kind, text string, headers []harHeader) (out []answered) {
	add := func(a answered) {
		if a.chosen() && len(out) < mostAnswered {
			out = append(out, a)
		}
	}
	for _, h := range headers {
		name, value := string(h.Name), string(h.Value)
		if lower := strings.ToLower(name); draft.IsSecret(name) && lower != "set-cookie" ||
			strings.HasPrefix(lower, "x-") && identifies().MatchString(lower) {
			add(answered{name: name, value: value, finder: "header " + name})
		}
	}
	switch begin := strings.TrimSpace(text); {
	case strings.Contains(kind, "json"), strings.HasPrefix(begin, "{"), strings.HasPrefix(begin, "["):
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		var doc any
		if dec.Decode(&doc) == nil {
			leaves(doc, answered{finder: "$"}, 0, add)
		}
	case strings.Contains(kind, "html"):
		for _, tag := range hidden().FindAllString(text, mostAnswered) {
			var name, value string
			for _, m := range attributes.FindAllStringSubmatch(tag, 20) {
				switch m[1] {
				case "name":
					name = m[2]
				case "value", "content":
					value = m[2]
				}
			}
			if value != "" && strings.Count(tag, `"`+value+`"`) == 1 {
				before, after, _ := strings.Cut(tag, `"`+value+`"`)
				add(answered{
					name: name, value: value, finder: "~ " + regexp.QuoteMeta(before) + `"([^"]+)"` + regexp.QuoteMeta(after),
				})
			}
		}
	}
	return out
}

// plainKey matches keys that a JSON path names after a dot.
var plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// deepest is the depth of JSON that is read.
const deepest = 20

// leaves calls add for the texts and numbers of a document, which is at a place of the answer.
func leaves(v any, at answered, level int, add func(answered)) {
	if level > deepest {
		return
	}
	switch v := v.(type) {
	case string:
		at.value = v
		add(at)
	case json.Number:
		at.value, at.number = v.String(), true
		add(at)
	case []any:
		for i, item := range v[:min(len(v), mostAnswered)] {
			next := at
			next.finder += "[" + strconv.Itoa(i) + "]"
			leaves(item, next, level+1, add)
		}
	case map[string]any:
		for _, key := range draft.SortedKeys(v) {
			next := answered{name: key, within: at.name, finder: at.finder + "." + key}
			if !plainKey.MatchString(key) {
				next.finder = at.finder + "['" + key + "']"
			}
			if !strings.ContainsAny(key, `'\`) {
				leaves(v[key], next, level+1, add)
			}
		}
	}
}

// learn keeps the values of an answer that no request before it has sent.
func (s *harSession) learn(e *harEntry, step *draft.Node) {
	for _, a := range e.answers {
		if !s.sent[a.value] {
			s.known[a.value] = &correlation{answered: a, line: e.line, step: step}
		}
	}
}

// vary returns the variable that stands for a value of an earlier answer. A short value has to be where its name says
// that a server chose it.
func (s *harSession) vary(line int, name, value string) (draft.Text, *correlation) {
	s.sending = append(s.sending, value)
	c := s.known[value]
	if c == nil {
		return nil, nil
	}
	named := identifies().MatchString(name) || c.within != "" && strings.EqualFold(name, c.within)
	if len(value) < 4 && !named {
		return nil, nil
	}
	if c.variable == "" {
		name := c.name
		if !syntax.IsVariable(name) {
			name = strings.ReplaceAll(draft.Slug(name, "value"), "-", "_")
		}
		for n := 2; s.variables[name] || !syntax.IsVariable(name); n++ {
			name = strings.TrimRight(name, "_0123456789") + "_" + strconv.Itoa(n)
		}
		s.variables[name] = true
		c.variable = name
		extract := c.step.Get("extract")
		if extract == nil {
			extract = new(draft.Node)
			c.step.Set("extract", extract)
		}
		extract.Set(name, draft.Plain(c.finder))
	}
	if told := strconv.Itoa(line) + c.variable; !s.told[told] {
		s.told[told] = true
		s.d.Tell(line, "%s is sent as ${var.%s}, from the answer of line %d", draft.Clip(cmp.Or(c.name, "a value"), 40),
			c.variable, c.line)
	}
	return draft.Ref("var." + c.variable), c
}

// field replaces the value of a field of a body.
func (s *harSession) field(line int) func(name, value string, number bool) (draft.Text, bool) {
	return func(name, value string, number bool) (draft.Text, bool) {
		if c := s.known[value]; c != nil && c.number != number {
			return nil, false // the type would be another
		}
		text, c := s.vary(line, name, value)
		return text, c != nil
	}
}

// url replaces values of earlier answers in the segments and the query of a URL.
func (s *harSession) url(line int, whole string) (out draft.Text) {
	path, query, _ := strings.Cut(whole, "?")
	before := ""
	for i, segment := range strings.Split(path, "/") {
		if i > 0 {
			out = draft.Join(out, draft.Lit("/"))
		}
		plain, err := url.PathUnescape(segment)
		text, c := draft.Text(nil), (*correlation)(nil)
		if err == nil && plain != "" && i > 0 {
			text, c = s.vary(line, before+"_id", plain) // a segment behind another may be an id
		}
		if c == nil {
			text = draft.Lit(segment)
		}
		out = draft.Join(out, text)
		before = segment
	}
	if query == "" && !strings.Contains(whole, "?") {
		return out
	}
	sep := "?"
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if text, c := s.vary(line, draft.Unescaped(name), draft.Unescaped(value)); c != nil {
			out = draft.Join(out, draft.Lit(sep+name+"="), text)
		} else {
			out = draft.Join(out, draft.Lit(sep+pair))
		}
		sep = "&"
	}
	return out
}

// header replaces a value of an earlier answer in a header, whole or after a scheme such as Bearer.
func (s *harSession) header(line int, name, value string) draft.Text {
	if text, c := s.vary(line, name, value); c != nil {
		return text
	}
	if scheme, rest, ok := strings.Cut(value, " "); ok {
		if text, c := s.vary(line, name, rest); c != nil {
			return draft.Join(draft.Lit(scheme+" "), text)
		}
	}
	return draft.Lit(value)
}

// mainHost returns the host of a recording: of its first page, else the one with most requests.
func mainHost(entries []*harEntry) string {
	count := map[string]int{}
	var order []string
	for _, e := range entries {
		u, err := url.Parse(string(e.Request.URL))
		if err != nil || u.Hostname() == "" || !draft.IsWeb(u) || e.Response.Status == 0 {
			continue
		}
		host := strings.ToLower(u.Host)
		kind := strings.ToLower(string(e.Response.Content.Type))
		if e.Resource == "document" || strings.HasPrefix(kind, "text/html") && e.Response.Status < 400 {
			return host
		}
		e.u = u
		if e.isStatic() {
			continue
		}
		if count[host]++; count[host] == 1 {
			order = append(order, host)
		}
	}
	slices.SortStableFunc(order, func(a, b string) int { return count[b] - count[a] })
	return strings.Join(order[:min(1, len(order))], "")
}

// A loose is a text that some recorders write as a number, as null or as a truth value.
type loose string

func (l *loose) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(l))
	}
	if string(b) != "null" {
		*l = loose(b)
	}
	return nil
}

// A looseNumber is a number that some recorders write as a text. Another value is 0.
type looseNumber float64

func (l *looseNumber) UnmarshalJSON(b []byte) error {
	v, _ := strconv.ParseFloat(strings.Trim(string(b), `" `), 64)
	*l = looseNumber(v)
	return nil
}

// A looseList is a list that some recorders write as null, a text or a map.
type looseList []harHeader

func (l *looseList) UnmarshalJSON(b []byte) error {
	if b = bytes.TrimSpace(b); len(b) == 0 || b[0] != '[' {
		return nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(b, &items); err != nil {
		return err
	}
	for _, item := range items {
		var h harHeader
		if json.Unmarshal(item, &h) == nil && h.Name != "" {
			*l = append(*l, h)
		}
	}
	return nil
}
