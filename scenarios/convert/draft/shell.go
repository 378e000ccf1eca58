package draft

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// A Command is a call of a program in a shell script.
type Command struct {
	Line    int
	Program string
	Words   []string  // after the program
	Unknown bool      // only the shell can evaluate some word
	Beside  []Command // instead: commands that run while the script goes on
}

// idle are programs that send and break nothing.
var idle = []string{
	"echo", "printf", "set", "true", "false", ":", "[", "test", "exit", "return", "wait", "trap", "jq", "cat",
}

// IsIdle reports whether a program in a script neither sends nor breaks anything, so that its loss is no loss.
func IsIdle(program string) bool { return slices.Contains(idle, program) }

// Commands reads the calls of programs in a shell script, also those after `docker run … IMAGE`. It reports calls of
// others.
func (d *Builder) Commands(source []byte, programs ...string) (out []Command, err error) {
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
	s := &script{d: d, programs: programs, functions: map[string]*function{}, told: map[string]bool{}}
	syntax.Walk(file, s.visit)
	for _, name := range SortedKeys(s.functions) {
		if f := s.functions[name]; !f.called {
			s.lose(f.decl, "the function %s: nothing calls it", Clip(name, 40))
		}
	}
	return s.out, nil
}

// A script is a shell script whose commands are collected in the order in which they run.
type script struct {
	d         *Builder
	programs  []string
	out       []Command
	count     int // of all commands
	functions map[string]*function
	calls     int // of functions
	depth     int // of calls of functions
	inner     int // depth of words: their commands are lost with the word
	told      map[string]bool
}

// A function is one that the script defines.
type function struct {
	decl   *syntax.FuncDecl
	called bool
}

// Limits on calls of functions, on calls within calls, and on the commands before a call.
const (
	mostCalls    = 1000
	mostDepth    = 20
	mostCommands = 2000
)

// lose reports a part of the script once, even if it runs again.
func (s *script) lose(n syntax.Node, format string, args ...any) {
	line, what := int(n.Pos().Line()), fmt.Sprintf(format, args...)
	if key := fmt.Sprint(line, what); !s.told[key] {
		s.told[key] = true
		s.d.Lost(line, "%s", what)
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

// visit reads a part of the script, and reports whether its parts are to be visited.
func (s *script) visit(n syntax.Node) bool {
	before := s.count
	switch n := n.(type) {
	case *syntax.Stmt:
		if !n.Background {
			return true
		}
		outer := s.out
		s.out = nil
		s.parts(n)
		if s.out != nil {
			outer = append(outer, Command{Line: int(n.Pos().Line()), Beside: s.out})
		}
		s.out = outer
	case *syntax.BinaryCmd:
		syntax.Walk(n.X, s.visit)
		before = s.count
		syntax.Walk(n.Y, s.visit)
		if what := Choice(n); what != "" && s.count > before {
			s.lose(n.Y, "%s", what)
		}
	case *syntax.FuncDecl:
		s.functions[n.Name.Value] = &function{decl: n}
	case *syntax.Word:
		s.inner++
		s.parts(n)
		s.inner--
	case *syntax.CallExpr:
		if len(n.Args) > 0 {
			s.call(n)
		}
		return true
	default:
		what := ""
		if n != nil {
			what = Choice(n)
		}
		if what == "" {
			return true
		}
		if s.parts(n); s.count > before {
			s.lose(n, "%s", what)
		}
	}
	return false
}

// call reads a call of a program or of a function.
func (s *script) call(call *syntax.CallExpr) {
	name := literal(call.Args[0])
	f := s.functions[name]
	c := commandOf(call.Args, s.programs)
	switch {
	case f != nil && (s.calls == mostCalls || s.depth == mostDepth || s.count > mostCommands):
		s.lose(call, "a call of the function %s: there are too many", Clip(name, 40))
	case f != nil:
		f.called = true
		s.calls++
		s.depth++
		syntax.Walk(f.decl.Body, s.visit)
		s.depth--
	case c.Program != "":
		c.Line = int(call.Pos().Line())
		s.out = append(s.out, c)
		s.count++
	case s.inner > 0:
	case name == "":
		s.lose(call, "a program whose name only the shell knows")
	case !IsIdle(path.Base(name)):
		s.lose(call, "the program %s", Clip(path.Base(name), 40))
	}
}

// Choice returns what a scenario lacks of a part of a script that chooses which commands run, or how often; empty if
// the part does not.
func Choice(n syntax.Node) string {
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

// Pause returns the time that a call of sleep takes. It reports one that only the shell knows.
func (d *Builder) Pause(c Command) (sum time.Duration) {
	for _, w := range c.Words {
		_, pause, ok := Duration(w, time.Second)
		if !ok {
			d.Lost(c.Line, "a pause whose time only the shell knows")
			return 0
		}
		sum += pause
	}
	return sum
}

// literal returns a word, with nothing in place of variables. It is empty if only the shell can evaluate it.
func literal(w *syntax.Word) string {
	s, err := expand.Literal(&expand.Config{Env: expand.FuncEnviron(func(string) string { return "" })}, w)
	if err != nil {
		return ""
	}
	return s
}

// commandOf returns the call of one of the programs. Its Program is empty if it is another call.
func commandOf(args []*syntax.Word, programs []string) (c Command) {
	for i, w := range args {
		s := literal(w)
		syntax.Walk(w, func(n syntax.Node) bool {
			switch n.(type) {
			case *syntax.ParamExp, *syntax.CmdSubst, *syntax.ArithmExp, *syntax.ProcSubst:
				c.Unknown = c.Unknown || c.Program != ""
			}
			return true
		})
		switch name, _, _ := strings.Cut(path.Base(s), ":"); {
		case c.Program != "":
			c.Words = append(c.Words, s)
		case slices.Contains(programs, name) &&
			(i == 0 || slices.Contains([]string{"docker", "sudo", "podman", "docker-compose", "kubectl"}, args[0].Lit())):
			c.Program = name
		}
	}
	return c
}
