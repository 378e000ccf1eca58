package shell

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/secret"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// A Word is one of a command.
type Word struct {
	Text    draft.Text // with nothing in place of the parts that only the shell knows
	Unknown string     // names such a part: a variable without its $, or (…) for another; or empty
}

// Markers around the name of a variable in the text of a word. The name is one that only the shell knows if no variable
// of the environment can have it: it is a parameter, or (…) for the output of a command.
const (
	beginsName = "\ue000"
	endsName   = "\ue001"
	unknown    = beginsName + "(…)" + endsName
)

// Limits on what variables, arguments and braces may multiply: the bytes of the value of a variable, or of all
// arguments of a call, and those of all words. A word counts for some bytes more, and for many if others are made of
// the same word of the script.
const (
	mostValue    = 64 << 10
	mostExpanded = 8 << 20
	perWord      = 16
	perMore      = 1 << 10
)

// A field is a word as the shell passes it on, with markers.
type field struct {
	text string
	many bool // it is a variable without quotes, which may be several words or none
}

func (f field) unknown() bool { return strings.Contains(f.text, beginsName) }

// word returns the word of a text with markers.
func (s *script) word(text string) (w Word) {
	for {
		before, rest, found := strings.Cut(text, beginsName)
		name, after, closed := strings.Cut(rest, endsName)
		w.Text = append(w.Text, draft.Piece{Lit: before})
		switch {
		case !found:
			w.Text = w.Text.Tidy()
			return w
		case !closed || strings.Contains(name, beginsName): // a part of the marker is cut off
			w.Unknown = "(…)"
		case s.Env && draft.EnvName.MatchString(name):
			w.Text = append(w.Text, draft.Piece{Ref: "env." + name})
		case w.Unknown == "":
			w.Unknown = name
		}
		text = after
	}
}

// expand returns the words of a command as the shell would, with markers.
func (s *script) expand(all []*syntax.Word) (out []field) {
	for _, w := range all {
		l := &lookup{script: s}
		texts, err := l.collect(w, expand.FieldsSeq(l.config(), w))
		if err != nil {
			texts = []string{unknown}
		}
		var many bool
		if len(w.Parts) == 1 {
			_, many = w.Parts[0].(*syntax.ParamExp)
		}
		for _, text := range texts {
			out = append(out, field{text, many && strings.HasPrefix(text, beginsName)})
		}
	}
	return out
}

// literal returns a word that the shell does not split, with markers.
func (s *script) literal(w *syntax.Word, as func(*expand.Config, *syntax.Word) (string, error)) string {
	l := &lookup{script: s}
	texts, err := l.collect(w, func(yield func(string, error) bool) { yield(as(l.config(), w)) })
	if err != nil {
		return unknown
	}
	return texts[0]
}

// A lookup is the environment of the expansion of one word.
type lookup struct {
	*script
	asked bool // for a variable that the script does not set
}

// collect returns the texts of a word, if there is room for them.
func (l *lookup) collect(w *syntax.Word, texts iter.Seq2[string, error]) (out []string, err error) {
	size, exact := l.measure(w)
	if size > l.room {
		return nil, errors.New("too much")
	}
	count := perWord
	for text, err := range texts {
		if l.room -= len(text) + count; err != nil || l.room < 0 {
			return nil, errors.New("too much, or no word")
		}
		out, count = append(out, text), perMore
	}
	marked := slices.ContainsFunc(out, func(text string) bool { return strings.Contains(text, beginsName) })
	if l.asked && (!exact || !marked && !l.Env) && len(out) > 0 {
		out[len(out)-1] += unknown
	}
	return out, nil
}

// measure returns a limit on the bytes of a word, braces apart, and whether markers stay whole in it.
func (l *lookup) measure(w *syntax.Word) (size int, exact bool) {
	size, exact = int(w.End().Offset()-w.Pos().Offset()), true
	repl, anchored := false, false
	syntax.Walk(w, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.ArithmExp:
			exact = false
		case *syntax.ParamExp:
			if n.Param != nil {
				v := l.Get(n.Param.Value)
				size += len(v.Str)
				for _, arg := range v.List {
					size += len(arg) + perWord
				}
			}
			repl = repl || n.Repl != nil
			anchored = anchored || n.Repl != nil && isAnchored(n.Repl.Orig)
			plain := n.Exp == nil || n.Exp.Op >= syntax.DefaultUnset && n.Exp.Op <= syntax.RemLargePrefix
			exact = exact && plain && n.Param != nil && n.Index == nil && !n.Excl && !n.Length && n.Slice == nil &&
				n.Repl == nil
		}
		return true
	})
	if repl {
		size *= size
	}
	if anchored {
		size = mostExpanded + 1
	}
	l.asked = false // by the measure itself
	return size, exact
}

// isAnchored reports whether a pattern to be replaced begins with # or %, of which the expansion knows nothing.
func isAnchored(pattern *syntax.Word) bool {
	if pattern == nil || len(pattern.Parts) == 0 {
		return false
	}
	first, ok := pattern.Parts[0].(*syntax.Lit)
	return ok && (strings.HasPrefix(first.Value, "#") || strings.HasPrefix(first.Value, "%"))
}

func (l *lookup) config() *expand.Config {
	return &expand.Config{Env: l, CmdSubst: l.output, ProcSubst: func(*syntax.ProcSubst) (string, error) {
		l.asked = true
		return unknown, nil
	}}
}

// output writes the output of a command: of seq, or a marker.
func (l *lookup) output(w io.Writer, of *syntax.CmdSubst) error {
	if len(of.Stmts) == 1 {
		if call, ok := of.Stmts[0].Cmd.(*syntax.CallExpr); ok && len(call.Args) > 1 && len(call.Args) < 4 &&
			call.Args[0].Lit() == "seq" {
			words := l.expand(call.Args)
			first, err1 := 1, error(nil)
			if len(words) == 3 {
				first, err1 = strconv.Atoi(words[1].text)
			}
			last, err2 := strconv.Atoi(words[len(words)-1].text)
			if err1 == nil && err2 == nil && last-first < mostTurns {
				for ; first <= last; first++ {
					fmt.Fprintln(w, first)
				}
				return nil
			}
		}
	}
	l.asked = true
	_, err := io.WriteString(w, unknown)
	return err
}

func textOf(s string) expand.Variable { return expand.Variable{Set: true, Kind: expand.String, Str: s} }

// Get returns a variable for an expansion: a marker stands for one that the script does not set.
func (l *lookup) Get(name string) expand.Variable {
	n, err := strconv.Atoi(name)
	value, ok := l.vars[name]
	switch {
	case ok:
		return value
	case name == "IFS":
		return expand.Variable{}
	case name == "HOME" && !l.Env:
		return textOf("~")
	case err == nil && n > 0 && n <= len(l.args.words):
		return textOf(l.args.words[n-1])
	case l.args.open:
	case name == "@" || name == "*":
		return expand.Variable{Set: true, Kind: expand.Indexed, List: l.args.words}
	case name == "#":
		return textOf(strconv.Itoa(len(l.args.words)))
	case err == nil && n > 0:
		return expand.Variable{}
	}
	l.asked = true
	return textOf(beginsName + name + endsName)
}

// Each has no variables: none is expanded by a part of its name.
func (l *lookup) Each(func(string, expand.Variable) bool) {}

// shaped loses what a word makes of variables that the script does not set, and what brunt can't make of them.
func (s *script) shaped(w *syntax.Word) {
	syntax.Walk(w, func(n syntax.Node) bool {
		p, ok := n.(*syntax.ParamExp)
		if !ok || p.Exp == nil || p.Param == nil {
			return true
		}
		name, l := p.Param.Value, &lookup{script: s}
		if l.Get(name); !l.asked {
			return true
		}
		switch p.Exp.Op {
		case syntax.DefaultUnset, syntax.DefaultUnsetOrNull, syntax.AssignUnset, syntax.AssignUnsetOrNull:
			s.lose(p, "the default of the variable %s", draft.Clip(name, 40))
		case syntax.RemSmallPrefix, syntax.RemLargePrefix, syntax.RemSmallSuffix, syntax.RemLargeSuffix:
			s.lose(p, "that the shell removes a part of the variable %s", draft.Clip(name, 40))
		}
		return true
	})
}

// arguments are those of a call of a function.
type arguments struct {
	words []string // with markers
	open  bool     // only the shell knows those after the words
}

// argumentsOf returns the arguments of a call, up to the first whose number only the shell knows. With Dialect.Env a
// variable without quotes is taken for one word.
func (s *script) argumentsOf(call []field) (a arguments) {
	size := 0
	for _, w := range call[1:] {
		if size += len(w.text) + perWord; w.many && !s.Env || size > mostValue {
			a.open = true
			break
		}
		a.words = append(a.words, w.text)
	}
	return a
}

// shift sets the arguments after a call of shift or set.
func (s *script) shift(call []field) {
	n, err := 1, error(nil)
	if len(call) > 1 {
		n, err = strconv.Atoi(call[1].text)
	}
	switch {
	case call[0].text == "set":
		if i := slices.IndexFunc(call, func(w field) bool { return w.text == "--" || w.unknown() }); i >= 0 {
			s.args = s.argumentsOf(call[i:])
			s.args.open = s.args.open || call[i].unknown()
		}
	case err == nil && n >= 0 && n <= len(s.args.words):
		s.args.words = s.args.words[n:]
	default:
		s.args = arguments{open: true}
	}
}

// local makes variables those of the current function.
func (s *script) local(all []*syntax.Assign) {
	for _, a := range all {
		if a.Name == nil {
			continue
		}
		name := a.Name.Value
		if _, again := s.locals[name]; again {
			continue
		}
		s.locals[name] = nil
		if before, ok := s.vars[name]; ok {
			s.locals[name] = &before
		}
	}
}

// assign records the values of variables. Only the shell knows a value with a part that only it knows.
func (s *script) assign(all []*syntax.Assign) {
	for _, a := range all {
		if a.Name == nil || a.Naked {
			continue
		}
		value, known := s.value(a)
		s.changes++
		if s.Env && strings.HasSuffix(strings.ToLower(a.Name.Value), "_proxy") {
			s.lose(a, "the variable %s, in which programs find their proxy", draft.Clip(a.Name.Value, 40))
		}
		if s.secret(a.Name.Value, value.Str) {
			delete(s.vars, a.Name.Value)
			continue
		}
		if known {
			s.vars[a.Name.Value] = value
			continue
		}
		delete(s.vars, a.Name.Value)
		if s.Env {
			s.out = append(s.out, Command{Line: int(a.Pos().Line()), Variable: a.Name.Value})
		}
	}
}

// whereabouts are endings of the names of variables that say where a secret is.
var whereabouts = []string{"FILE", "PATH", "JAR", "DIR"}

// secret reports whether a variable holds a secret, which the environment is to have instead. One with two values is
// none: the environment has one of them.
func (s *script) secret(name, value string) bool {
	if !s.Env || !draft.IsSecret(name) || !secret.IsLong(value) || strings.ContainsAny(value, " \t\n"+beginsName) ||
		strings.ContainsAny(value[:1], "/.~@-") || strings.Contains(value, "://") ||
		slices.ContainsFunc(whereabouts, func(end string) bool { return strings.HasSuffix(strings.ToUpper(name), end) }) {
		return false
	}
	if _, set := s.secrets[name]; !set {
		s.secrets[name] = value
	}
	return s.secrets[name] == value
}

// value returns the value that an assignment gives a variable: a text or a list.
func (s *script) value(a *syntax.Assign) (v expand.Variable, known bool) {
	before, set := s.vars[a.Name.Value]
	list := a.Array != nil
	if a.Index != nil || a.Append && (!set || list != (before.Kind == expand.Indexed)) {
		return v, false
	}
	if !a.Append {
		before = expand.Variable{}
	}
	if !list {
		text := before.Str
		if a.Value != nil {
			s.shaped(a.Value)
			text += s.literal(a.Value, expand.Literal)
		}
		return textOf(text), s.word(text).Unknown == "" && len(text) < mostValue
	}
	words := []field{{}}
	for _, text := range before.List {
		words = append(words, field{text: text})
	}
	for _, e := range a.Array.Elems {
		if e.Index != nil || e.Value == nil {
			return v, false
		}
		s.shaped(e.Value)
		words = append(words, s.expand([]*syntax.Word{e.Value})...)
	}
	all := s.argumentsOf(words)
	return expand.Variable{Set: true, Kind: expand.Indexed, List: all.words}, !all.open
}
