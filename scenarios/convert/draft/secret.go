package draft

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
)

// IsSecret reports whether the value of a header, a field or a parameter with this name must not be written. A session
// is secret in a source, but not in the texts that a run masks, where it may be a number or how long one lasts.
func IsSecret(name string) bool { return secret.IsName(name) || session.MatchString(name) }

var session = regexp.MustCompile(`(?i)^(x[-_]?)?session$`)

// Hide returns the placeholder of an environment variable in place of a secret. A secret that occurs several times
// becomes one variable.
func (d *Builder) Hide(line int, name, what, value string) Text {
	if value == "" {
		return Lit("")
	}
	if env, seen := d.secrets[value]; seen {
		return Ref("env." + env)
	}
	base := strings.ToUpper(strings.ReplaceAll(Slug(name, "secret"), "-", "_"))
	base = strings.ReplaceAll(base, "PWD", "PASSWORD") // shells set PWD and OLDPWD themselves
	env := base
	for n := 2; d.Hides(env) || d.reserved[env]; n++ {
		env = fmt.Sprintf("%s_%d", base, n)
	}
	d.secrets[value] = env
	d.Env = append(d.Env, Secret{Env: env, What: what})
	d.Tell(line, "%s is a secret: set %s in the environment", what, env)
	return Ref("env." + env)
}

// HideText is [Builder.Hide] for a value with placeholders. Reserved variables of the environment become a part of the
// secret; beside other placeholders each literal part is a secret of its own, and so is the value of a param.
func (d *Builder) HideText(line int, name, what string, value Text) (out Text) {
	if s, static := value.Static(); static {
		return d.Hide(line, name, what, s)
	}
	some, fixed, parts := false, true, 0
	for _, p := range value {
		env, _ := strings.CutPrefix(p.Ref, "env.")
		some, fixed = some || p.tells(), fixed && (p.Ref == "" || d.reserved[env])
		if p.Ref != "" || p.tells() {
			parts++
		}
	}
	for _, p := range value {
		d.hideParam(line, p.Ref, parts > 1)
	}
	if some && fixed {
		return d.Hide(line, name, what+" (its variables filled in)", value.String())
	}
	for _, p := range value {
		if p.tells() {
			out = append(out, d.Hide(line, name, "a part of "+what, p.Lit)...)
		} else {
			out = append(out, p)
		}
	}
	return out
}

// hideParam hides the value of a param that a secret is made of. A short one beside other parts, such as a number, is
// no secret.
func (d *Builder) hideParam(line int, name string, beside bool) {
	param := d.Params.Get(name)
	if param == nil || strings.Contains(param.YAML, "${") {
		return
	}
	nodes := 0
	value := syntax.Read("", []byte(param.YAML), syntax.NewMistakes(nil, nil), &nodes)
	if value != nil && (!beside || secret.IsLong(value.Value)) {
		param.YAML = Str(d.Hide(line, name, "the param "+name, value.Value)).YAML
	}
}

// tells reports whether literal text beside a placeholder may be a part of a secret. Punctuation is no part of one,
// nor is the name before it, such as token=.
func (p Piece) tells() bool {
	text := p.Lit
	m := nameEnd.FindStringSubmatchIndex(text)
	if m != nil && strings.Contains(text[m[3]:], "=") && IsSecret(text[m[2]:m[3]]) {
		text = text[:m[2]]
	}
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// Reserve says that the source reads an environment variable: no secret takes its name.
func (d *Builder) Reserve(env string) { d.reserved[env] = true }

// NeedEnv notes an environment variable that the source itself reads.
func (d *Builder) NeedEnv(env, what string) {
	if !d.Hides(env) {
		d.Env = append(d.Env, Secret{Env: env, What: what})
	}
}

// nameEnd matches the name before a secret, and the characters between the two.
var nameEnd = regexp.MustCompile(`([A-Za-z][A-Za-z0-9_-]*)[\s=:"'>\\]*$`)

// Words hides the secrets in the words of a command: the value of a flag or a variable with a secret name, a header,
// and the password in a URL.
func (d *Builder) Words(line int, words []Text) (out []Text) {
	var joined Text
	for _, w := range words {
		joined = Join(joined, w, Lit(" "))
	}
	flat := joined.flat()
	spans := secret.Spans(flat)
	begin := 0
	for _, w := range words {
		end := begin + len(w.flat())
		var text Text
		at := begin
		for _, s := range spans {
			if from, to := max(s.From, at), min(s.To, end); from < to {
				name := secretName(flat[:s.From])
				text = Join(text, joined.slice(at, from), d.HideText(line, name, whatOf(name), joined.slice(from, to)))
				at = to
			}
		}
		out = append(out, Join(text, joined.slice(at, end)))
		begin = end + len(" ")
	}
	return out
}

// Quiet returns a text of the source with its secrets hidden.
func (d *Builder) Quiet(line int, text string) Text { return d.QuietText(line, Lit(text)) }

// QuietText is Quiet for a text with placeholders.
func (d *Builder) QuietText(line int, t Text) Text { return d.Words(line, []Text{t})[0] }

// secretName returns the name at the end of the text before a secret.
func secretName(before string) string {
	if m := nameEnd.FindStringSubmatch(before); m != nil {
		return m[1]
	}
	return "secret"
}

// whatOf says what a secret with a name is.
func whatOf(name string) string { return "what " + Clip(name, 40) + " has" }

// mask masks secrets in a text for readers: those that the draft hides, and those that their name reveals.
func (d *Builder) mask(text string) string {
	for _, value := range slices.SortedFunc(maps.Keys(d.secrets),
		func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) }) {
		if secret.IsLong(value) {
			text = strings.ReplaceAll(text, value, syntax.Masked)
		}
	}
	return secret.Fields(text)
}

func (d *Builder) Hides(env string) bool {
	for _, s := range d.Env {
		if s.Env == env {
			return true
		}
	}
	return false
}

// Patterns of names in JSON, XML and forms, and of the values after them, in a body that stays a
// text. [listEnd] finds the end of a JSON list.
// nameIn is compiled when it is first needed, see isHostName.
var (
	nameIn = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(
			`"([A-Za-z0-9_.-]{1,60})"\s*:\s*|<([A-Za-z0-9_.:-]{1,60})(?:\s[^<>]*[^<>/])?>|(?:^|&)([A-Za-z0-9_.-]{1,60})=`)
	})
	valuesIn = []*regexp.Regexp{
		regexp.MustCompile(`^"((?:[^"\\]|\\.)+)"|^([-0-9` + gap + `][-0-9.eE+` + gap + `]*)`),
		regexp.MustCompile(`^([^<>]+)</`),
		regexp.MustCompile(`^([^&\s]+)`),
	}
)

// scrub hides secrets in a body that stays a text: those of JSON, XML and forms, and others such as those of GraphQL.
func (d *Builder) scrub(r *Request, body Text) Text {
	if r.Public {
		return body
	}
	return d.QuietText(r.Line, d.scrubFields(r, body))
}

func (d *Builder) scrubFields(r *Request, body Text) (out Text) {
	flat := body.flat()
	from, at := 0, 0 // end of the copied text, and of the searched text
	for {
		m := nameIn().FindStringSubmatchIndex(flat[at:])
		if m == nil {
			return Join(out, body.slice(from, len(flat)))
		}
		kind := 0
		for m[2+2*kind] < 0 {
			kind++
		}
		name := flat[at+m[2+2*kind] : at+m[3+2*kind]]
		at += m[1]
		if !IsSecret(name) {
			continue
		}
		start, end := at, at
		if kind == 0 && strings.HasPrefix(flat[at:], "[") {
			end = at + listEnd(flat[at:])
		} else if v := valuesIn[kind].FindStringSubmatchIndex(flat[at:]); v != nil {
			start, end = at+max(v[2], v[len(v)-2]), at+max(v[3], v[len(v)-1])
		}
		if start < end {
			what := "the field " + name
			if kind == 2 && Unescaped(flat[start:end]) != flat[start:end] {
				what += " (percent-encoded)"
			}
			out = Join(out, body.slice(from, start), d.HideText(r.Line, name, what, body.slice(start, end)))
			from, at = end, end
		}
	}
}

// listEnd returns the end of the list that s begins with; the end of s if the list is not closed.
func listEnd(s string) int {
	open, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			open++
		case c == ']':
			if open--; open == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

// EnvName matches the name of an environment variable.
var EnvName = syntax.EnvName
