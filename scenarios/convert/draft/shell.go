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
	Line       int
	Program    string
	Words      []string // after the program
	Unknown    bool     // only the shell can evaluate some word
	Background bool     // the script goes on while it runs
	Loop       bool     // it is in a loop
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
	var within []syntax.Node // the nodes that contain the current one
	syntax.Walk(file, func(n syntax.Node) bool {
		if n == nil {
			within = within[:len(within)-1]
			return true
		}
		within = append(within, n)
		call, ok := n.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		if c := commandOf(call.Args, programs); c.Program != "" {
			c.Line = int(call.Pos().Line())
			for _, outer := range within {
				switch outer := outer.(type) {
				case *syntax.Stmt:
					c.Background = c.Background || outer.Background
				case *syntax.ForClause, *syntax.WhileClause:
					c.Loop = true
				}
			}
			out = append(out, c)
		} else if !slices.ContainsFunc(within, isInner) {
			d.loseProgram(int(call.Pos().Line()), literal(call.Args[0]))
		}
		return true
	})
	return out, nil
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

// isInner reports whether a node is a part of a word: what is lost with the word.
func isInner(n syntax.Node) bool {
	_, ok := n.(*syntax.Word)
	return ok
}

// loseProgram reports a call of a program that is not converted.
func (d *Builder) loseProgram(line int, program string) {
	switch name := path.Base(program); {
	case program == "":
		d.Lost(line, "a program whose name only the shell knows")
	case !IsIdle(name):
		d.Lost(line, "the program %s", Clip(name, 40))
	}
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
