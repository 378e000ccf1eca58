package draft

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

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
	for n := 2; d.Hides(env); n++ {
		env = fmt.Sprintf("%s_%d", base, n)
	}
	d.secrets[value] = env
	d.Env = append(d.Env, Secret{Env: env, What: what})
	d.Tell(line, "%s is a secret: set %s in the environment", what, env)
	return Ref("env." + env)
}

// NeedEnv notes an environment variable that the source itself reads.
func (d *Builder) NeedEnv(env, what string) {
	if !d.Hides(env) {
		d.Env = append(d.Env, Secret{Env: env, What: what})
	}
}

// nameEnd matches the name before a secret, and the characters between the two.
var nameEnd = regexp.MustCompile(`([A-Za-z][A-Za-z0-9_-]*)["']?[\s=:"'>]*$`)

// Words hides the secrets in the words of a command: the value of a flag or a variable with a secret name, a header,
// and the password in a URL.
func (d *Builder) Words(line int, words []string) []Text {
	joined := strings.Join(words, " ")
	spans := secret.Spans(joined)
	var out []Text
	begin := 0
	for _, w := range words {
		end := begin + len(w)
		var text Text
		at := begin
		for _, s := range spans {
			from, to := max(s.From, at), min(s.To, end)
			if from >= to {
				continue
			}
			name := "secret"
			if m := nameEnd.FindStringSubmatch(joined[:s.From]); m != nil {
				name = m[1]
			}
			text = Join(text, Lit(joined[at:from]), d.Hide(line, name, "what "+Clip(name, 40)+" has", joined[from:to]))
			at = to
		}
		out = append(out, Join(text, Lit(joined[at:end])))
		begin = end + 1
	}
	return out
}

// Quiet returns a text of the source with its secrets hidden.
func (d *Builder) Quiet(line int, text string) Text { return d.Words(line, []string{text})[0] }

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
			`"([A-Za-z0-9_.-]{1,60})"\s*:\s*|<([A-Za-z0-9_.:-]{1,60})>|(?:^|&)([A-Za-z0-9_.-]{1,60})=`)
	})
	valuesIn = []*regexp.Regexp{
		regexp.MustCompile(`^"((?:[^"\\]|\\.)+)"|^(-?[0-9][0-9.eE+-]*)`),
		regexp.MustCompile(`^([^<>]+)</`),
		regexp.MustCompile(`^([^&\s]+)`),
	}
)

// scrub hides secrets in a body that stays a text.
func (d *Builder) scrub(r *Request, body Text) Text {
	if r.Public {
		return body
	}
	var out Text
	for _, p := range body {
		from, at := 0, 0 // end of the copied text, and of the searched text
		for {
			m := nameIn().FindStringSubmatchIndex(p.Lit[at:])
			if m == nil {
				break
			}
			kind := 0
			for m[2+2*kind] < 0 {
				kind++
			}
			name := p.Lit[at+m[2+2*kind] : at+m[3+2*kind]]
			at += m[1]
			if !IsSecret(name) {
				continue
			}
			start, end := at, at
			if kind == 0 && strings.HasPrefix(p.Lit[at:], "[") {
				end = at + listEnd(p.Lit[at:])
			} else if v := valuesIn[kind].FindStringSubmatchIndex(p.Lit[at:]); v != nil {
				start, end = at+max(v[2], v[len(v)-2]), at+max(v[3], v[len(v)-1])
			}
			if start < end {
				what := "the field " + name
				if kind == 2 && Unescaped(p.Lit[start:end]) != p.Lit[start:end] {
					what += " (percent-encoded)"
				}
				out = Join(out, Lit(p.Lit[from:start]), d.Hide(r.Line, name, what, p.Lit[start:end]))
				from, at = end, end
			}
		}
		p.Lit = p.Lit[from:]
		out = append(out, p)
	}
	return out
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
