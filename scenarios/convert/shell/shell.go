// Package shell reads shell scripts for the converters: the calls of the programs that a format is about, in the order
// in which they run, with their words as far as the script says them.
//
//	script -> functions with arguments, loops by turns, variables -> commands, and what a list of commands lacks
package shell

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/convert/draft"
	language "brunt/scenarios/syntax"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// A Dialect names the commands of interest in a script.
type Dialect struct {
	Programs []string // the first may also stand behind a program such as docker or sudo
	Env      bool     // variables that the script does not set become ${env.NAME}; else only the shell knows them
}

// A Command is a call of a program, or one of the things that may be instead.
type Command struct {
	Line    int
	Program string
	Place   string // the programs that say where, or as which user, the program runs, such as docker; usually empty
	Words   []Word // after the program
	Stdin   Word   // that the script has
	File    string // that the standard input is
	Pause   time.Duration

	Beside   []Command // instead: commands that run while the script goes on
	Variable string    // instead: a variable is set to a value that only the shell knows; with Dialect.Env
	Lost     string    // instead: a part of the script for which there is no command
}

// Plain returns the words of a command without their variables, and whether there are any.
func (c Command) Plain() (words []string, unknown bool) {
	for _, w := range c.Words {
		var text strings.Builder
		for _, p := range w.Text {
			text.WriteString(p.Lit)
			unknown = unknown || p.Ref != ""
		}
		words, unknown = append(words, text.String()), unknown || w.Unknown != ""
	}
	return words, unknown
}

// Read reads the commands of a script.
func Read(d *draft.Builder, source []byte, of Dialect) (out []Command, err error) {
	defer func() { // the shell parser may panic on untrusted text
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("%s: this can't be read as commands of the shell", d.O.File)
		}
	}()
	file, err := syntax.NewParser().Parse(bytes.NewReader(bytes.ReplaceAll(source, []byte("\r\n"), []byte("\n"))),
		d.O.File)
	if err != nil {
		return nil, fmt.Errorf("reading the command: %w", err)
	}
	s := &script{
		Dialect: of, turns: 1, functions: map[string]*function{}, named: map[string]bool{}, told: map[string]bool{},
		vars: map[string]expand.Variable{}, secrets: map[string]string{}, args: arguments{open: true}, room: mostExpanded,
	}
	syntax.Walk(file, s.visit)
	s.uncalled()
	return s.out, nil
}

// A script is a shell script whose commands are collected in the order in which they run.
type script struct {
	Dialect
	out       []Command
	count     int // of all commands
	changes   int // commands, and values of variables
	turns     int // how often the current commands run, by loops
	functions map[string]*function
	calls     int // of functions
	depth     int // of calls of functions
	inner     int // depth of words: their commands are lost with the word
	told      map[string]bool
	named     map[string]bool // names in the words of commands, by which other programs may call functions
	anyName   bool            // the shell alone knows the name of some program

	piped *Command // has the standard input that a pipe brings the next command; nil is one that only the shell knows

	vars    map[string]expand.Variable // texts and lists that the script sets to known values, with markers
	secrets map[string]string          // values of variables that are left to the environment

	args   arguments
	locals map[string]*expand.Variable // values from before, of the variables that the function has for itself
	room   int                         // for the bytes of words
}

// A function is one that the script defines.
type function struct {
	decl   *syntax.FuncDecl
	called bool
}

// Limits on how often commands are repeated: the turns of loops, the calls of functions and those within calls, and
// the commands of a loop or before a call.
const (
	mostTurns    = 50
	mostCalls    = 1000
	mostDepth    = 20
	mostCommands = 5000
)

// lose adds a part of the script that is lost.
func (s *script) lose(n syntax.Node, format string, args ...any) {
	s.loseAt(len(s.out), n, fmt.Sprintf(format, args...))
}

// loseAt adds a lost part before a command. One that is there already, as the node runs again, is not repeated.
func (s *script) loseAt(at int, n syntax.Node, what string) {
	line := int(n.Pos().Line())
	if key := fmt.Sprint(line, what); what != "" && !s.told[key] {
		s.told[key] = true
		s.out = slices.Insert(s.out, at, Command{Line: line, Lost: what})
	}
}

// noted reads a part of the script. If it does anything, what it loses stands before its commands.
func (s *script) noted(n syntax.Node, lost string, read func()) {
	at, before := len(s.out), s.changes
	if read(); s.changes > before {
		s.loseAt(at, n, lost)
	}
}

// uncalled reads the functions that no command calls by their names, if something else may call them.
func (s *script) uncalled() {
	byPlace := slices.SortedFunc(maps.Values(s.functions), func(a, b *function) int {
		return cmp.Compare(a.decl.Pos().Offset(), b.decl.Pos().Offset())
	})
	for _, f := range byPlace {
		switch name := f.decl.Name.Value; {
		case f.called:
		case s.anyName || s.named[name]:
			s.lose(f.decl, "when the function %s is called: only the shell knows; its commands come last",
				draft.Clip(name, 40))
			s.run(f, arguments{open: true})
		default:
			s.lose(f.decl, "the function %s: nothing calls it", draft.Clip(name, 40))
		}
	}
}

// parts visits the parts of a node.
func (s *script) parts(n syntax.Node) {
	begun := false
	syntax.Walk(n, func(part syntax.Node) bool {
		if !begun {
			begun = true
			return true
		}
		return s.visit(part)
	})
}

// apart begins a shell of its own, whose variables end with the returned function.
func (s *script) apart() (end func()) {
	vars, args := maps.Clone(s.vars), s.args
	return func() { s.vars, s.args = vars, args }
}

// visit reads a part of the script, and reports whether its parts are to be visited.
func (s *script) visit(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.Stmt:
		outer, before := s.out, s.count
		if n.Background {
			s.out = nil
			defer s.apart()()
		}
		if call, ok := n.Cmd.(*syntax.CallExpr); ok {
			s.call(n, call)
		}
		s.parts(n)
		if n.Background && s.count > before {
			s.out = append(outer, Command{Line: int(n.Pos().Line()), Beside: s.out})
		} else if n.Background {
			s.out = append(outer, s.out...)
		}
	case *syntax.BinaryCmd:
		syntax.Walk(n.X, s.visit)
		s.piped = s.pipe(n)
		s.noted(n.Y, choice(n), func() { syntax.Walk(n.Y, s.visit) })
		s.piped = nil
	case *syntax.Subshell:
		defer s.apart()()
		s.parts(n)
	case *syntax.ForClause:
		s.loop(n)
	case *syntax.WhileClause, *syntax.IfClause, *syntax.CaseClause:
		s.noted(n, choice(n), func() { s.parts(n) })
	case *syntax.FuncDecl:
		s.functions[n.Name.Value] = &function{decl: n}
	case *syntax.Word:
		s.inner++
		s.parts(n)
		s.inner--
	case *syntax.DeclClause:
		if s.depth > 0 && n.Variant.Value != "export" && n.Variant.Value != "readonly" {
			s.local(n.Args)
		}
		s.assign(n.Args)
		return true
	case *syntax.ArithmCmd, *syntax.LetClause, *syntax.CoprocClause:
		s.lose(n, "a command that calculates, or runs beside the others")
		return true
	default:
		return true
	}
	return false
}

// loop reads a loop: its commands for each item that the script names, or once.
func (s *script) loop(n *syntax.ForClause) {
	var items []field
	each, ok := n.Loop.(*syntax.WordIter)
	if ok {
		items = s.expand(each.Items)
		delete(s.vars, each.Name.Value)
	}
	if !ok || n.Select || !each.InPos.IsValid() || slices.ContainsFunc(items, field.unknown) ||
		slices.ContainsFunc(each.Items, namesFiles) {
		s.noted(n, choice(n), func() { s.parts(n) })
		return
	}
	at, count, changes, outer := len(s.out), s.count, s.changes, s.turns
	all := len(items)
	if all*s.turns > mostTurns {
		items = items[:1]
	}
	s.turns *= max(1, len(items))
	for i, item := range items {
		if i == 1 && (s.count-count)*all > mostCommands {
			items = items[:1]
			break
		}
		s.vars[each.Name.Value] = textOf(item.text)
		for _, stmt := range n.Do {
			syntax.Walk(stmt, s.visit)
		}
	}
	if s.turns = outer; len(items) < all && s.changes > changes {
		s.loseAt(at, n, fmt.Sprintf("a loop of %d turns: its commands run once, as in the first", all))
	}
}

// namesFiles reports whether a word is a pattern of files.
func namesFiles(w *syntax.Word) bool {
	return slices.ContainsFunc(w.Parts, func(p syntax.WordPart) bool {
		lit, ok := p.(*syntax.Lit)
		return ok && strings.Contains(lit.Value, "*")
	})
}

// idle are programs that send and break nothing.
var idle = []string{
	"echo", "printf", "set", "true", "false", ":", "[", "test", "exit", "return", "wait", "trap", "jq", "cat", "shift",
}

// program returns the name of the program that a word names.
func program(word string) string {
	name := path.Base(strings.ReplaceAll(word, `\`, "/"))
	if image, _, tagged := strings.Cut(name, ":"); tagged && image != "" {
		name = image
	}
	return strings.TrimSuffix(name, ".exe")
}

// Join returns a function that joins the words after -- into a script with a command of a program, which may stand
// behind one such as docker.
func Join(to string) func(words []string) ([]byte, error) {
	return func(words []string) ([]byte, error) {
		named := slices.ContainsFunc(words, func(w string) bool { return program(w) == to })
		if len(words) == 0 || words[0] != to && !(named && runsOthers(program(words[0]))) {
			words = append([]string{to}, words...)
		}
		return []byte(language.ShellWords(words)), nil
	}
}

// commandOf returns the call of one of the programs, and the programs around it, from the outermost. Its Program is
// empty if it is another call.
func (s *script) commandOf(call *syntax.CallExpr, words []field) (c Command, around []string) {
	c.Line = int(call.Pos().Line())
	for inner := words; len(inner) > 0; {
		name := program(inner[0].text)
		if name == s.Programs[0] || len(words)-len(inner) < 2 && slices.Contains(s.Programs, name) {
			c.Program = name
			for _, w := range inner[1:] {
				c.Words = append(c.Words, s.word(w.text))
			}
			return c, around
		}
		around, inner = append(around, name), s.within(name, inner[1:])
	}
	return c, nil
}

// call reads a call of a program or of a function, or assigns variables.
func (s *script) call(stmt *syntax.Stmt, call *syntax.CallExpr) {
	if len(call.Args) == 0 {
		s.assign(call.Assigns)
		return
	}
	words := s.expand(call.Args)
	if len(words) == 0 {
		return
	}
	name := program(words[0].text)
	unknown := strings.Contains(name, beginsName)
	s.anyName = s.anyName || unknown
	f := s.functions[words[0].text]
	c, around := s.commandOf(call, words)
	if c.Program == "" && (!slices.Contains(idle, name) || name == "trap") {
		for _, w := range words[1:] {
			for _, n := range strings.FieldsFunc(w.text, func(r rune) bool { return strings.ContainsRune(" \t\n;&|(){}", r) }) {
				s.named[n] = true
			}
		}
	}
	if f != nil || c.Program != "" {
		for _, w := range call.Args {
			s.shaped(w)
		}
		for _, a := range call.Assigns {
			s.lose(a, "the variable %s for one command", a.Name.Value)
		}
	}
	for _, outer := range around {
		switch {
		case outer == "command":
		case slices.Contains(places, outer):
			c.Place = strings.TrimSpace(c.Place + " " + outer)
		default:
			s.lose(call, "the program %s around %s", outer, c.Program)
		}
	}
	s.redirect(&c, stmt.Redirs)
	switch {
	case f != nil:
		before := len(s.out)
		if s.calls == mostCalls || s.depth == mostDepth || s.count > mostCommands {
			s.lose(call, "a call of the function %s: there are too many", draft.Clip(name, 40))
		} else {
			s.run(f, s.argumentsOf(words))
		}
		if c.Program != "" {
			s.wrapped(f, call, c, before)
		}
	case c.Program != "":
		s.add(call, c)
	case name == "shift" || name == "set":
		s.shift(words)
	case s.inner > 0:
	case unknown:
		s.lose(call, "a program whose name only the shell knows")
	case !slices.Contains(idle, name), name == "trap" && s.names(words[1:]):
		s.forget(name, words)
		s.lose(call, "the program %s", draft.Clip(name, 40))
	}
}

// names reports whether words contain the name of the program.
func (s *script) names(words []field) bool {
	return slices.ContainsFunc(words, func(w field) bool { return strings.Contains(w.text, s.Programs[0]) })
}

// forget drops the values of the variables that a program of the shell sets or removes.
func (s *script) forget(name string, words []field) {
	switch name {
	case "read", "unset", "getopts", "mapfile", "readarray":
		for _, w := range words[1:] {
			delete(s.vars, w.text)
		}
	case ".", "source", "eval":
		clear(s.vars)
	}
}

// redirect sets the standard input of a command.
func (s *script) redirect(c *Command, all []*syntax.Redirect) {
	if c.Program != "" && s.piped != nil {
		c.Stdin, c.File, s.piped = s.piped.Stdin, s.piped.File, nil
	}
	for _, r := range all {
		switch {
		case c.Program == "":
		case r.Hdoc != nil:
			c.Stdin = s.word(s.literal(r.Hdoc, expand.Document))
		case r.Op == syntax.WordHdoc:
			c.Stdin = s.word(s.literal(r.Word, expand.Literal) + "\n")
		case r.Op == syntax.RdrIn:
			if file := s.word(s.literal(r.Word, expand.Literal)); file.Unknown == "" {
				c.File, _ = file.Text.Static()
			}
		}
	}
}

// pipe returns a command with the standard input that a pipe brings a command, of a text or a file. It is nil if only
// the shell knows it.
func (s *script) pipe(n *syntax.BinaryCmd) *Command {
	from, simple := n.X.Cmd.(*syntax.CallExpr)
	_, one := n.Y.Cmd.(*syntax.CallExpr)
	if n.Op != syntax.Pipe || !simple || !one || len(from.Args) == 0 {
		return nil
	}
	words := s.expand(from.Args)
	var texts []string
	for _, w := range words {
		texts = append(texts, w.text)
	}
	if len(texts) == 0 {
		return nil
	}
	c := &Command{Program: texts[0]}
	switch {
	case len(texts) == 1 && texts[0] == "cat":
		s.redirect(c, n.X.Redirs)
	case len(texts) == 2 && texts[0] == "cat" && !words[1].unknown():
		c.File = texts[1]
	case len(texts) == 3 && texts[0] == "printf" && texts[1] == "%s":
		c.Stdin = s.word(texts[2])
	case len(texts) > 1 && texts[0] == "echo" && !strings.HasPrefix(texts[1], "-"):
		c.Stdin = s.word(strings.Join(texts[1:], " ") + "\n")
	default:
		return nil
	}
	return c
}

// add adds a command. One with many words counts as several.
func (s *script) add(n syntax.Node, c Command) {
	words, unknown := c.Plain()
	for _, w := range words {
		if c.Program != "sleep" {
			break
		}
		pause, ok := draft.Pause(w, time.Second)
		if unknown || !ok {
			s.lose(n, "a pause whose time only the shell knows")
			return
		}
		c.Pause += pause
	}
	s.out = append(s.out, c)
	s.count += 1 + len(c.Words)/10
	s.changes++
}

// wrapped gives the commands of a function with the name of a program, `pumba() { docker run … "$@"; }`, the line of
// the call. It takes the call itself if the function has none, or none that is known.
func (s *script) wrapped(f *function, n syntax.Node, call Command, before int) {
	made, unknown := 0, false
	for i, c := range s.out[before:] {
		if c.Program != "" || c.Beside != nil {
			made++
			s.out[before+i].Line = call.Line
			_, lacks := c.Plain()
			unknown = unknown || lacks && !s.Env
		}
	}
	if _, lacks := call.Plain(); unknown && !lacks {
		s.lose(f.decl, "a part of the function %s: only the shell knows what it is", call.Program)
	}
	if unknown || made == 0 {
		lost := slices.DeleteFunc(s.out[before:], func(c Command) bool { return c.Program != "" || c.Beside != nil })
		s.out = s.out[:before+len(lost)]
		s.add(n, call)
	}
}

// run reads the commands of a function for a call of it.
func (s *script) run(f *function, args arguments) {
	outer, locals := s.args, s.locals
	s.args, s.locals, f.called = args, map[string]*expand.Variable{}, true
	s.calls++
	s.depth++
	syntax.Walk(f.decl.Body, s.visit)
	s.depth--
	for name, before := range s.locals {
		if delete(s.vars, name); before != nil {
			s.vars[name] = *before
		}
	}
	s.args, s.locals = outer, locals
}

// choice returns what a scenario lacks of a part of a script that chooses which commands run, or how often; empty if
// the part does not.
func choice(n syntax.Node) string {
	switch n := n.(type) {
	case *syntax.ForClause:
		return "a loop: its commands run once"
	case *syntax.WhileClause:
		return "a loop with a condition: its commands run once"
	case *syntax.IfClause:
		if len(n.Cond) > 0 {
			return "the condition of an if: the commands of each branch run"
		}
	case *syntax.CaseClause:
		return "the choice of a case: the commands of each branch run"
	case *syntax.BinaryCmd:
		if n.Op == syntax.OrStmt {
			return "that a command runs only if the one before fails"
		} else if n.Op == syntax.AndStmt && isTest(n.X) {
			return "that a command runs only if the one before succeeds"
		}
	}
	return ""
}

// isTest reports whether a statement only tests a condition.
func isTest(stmt *syntax.Stmt) bool {
	switch c := stmt.Cmd.(type) {
	case *syntax.TestClause, *syntax.ArithmCmd:
		return true
	case *syntax.CallExpr:
		return len(c.Args) > 0 && (c.Args[0].Lit() == "[" || c.Args[0].Lit() == "test")
	}
	return false
}
