package probe

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	shell "mvdan.cc/sh/v3/syntax"
)

// CheckCommand checks before a run that the command of the question can be run on this machine: sh accepts its text,
// and its programs exist, looked up from the directory of at. It runs none of them. A command in a container, and a
// question without a command, pass.
func (a *Asking) CheckCommand(ctx context.Context, at CommandContext) error {
	c := &a.Command
	dir, err := filepath.Abs(at.Dir)
	switch {
	case len(c.Args) == 0:
		return nil
	case err != nil:
		return err
	case c.Shell:
		_, ownPath := at.Env["PATH"]
		return checkShell(ctx, c.Args[0].Text(), dir, !ownPath)
	}
	name, static := c.Args[0].Static()
	if !static {
		return nil
	}
	_, err = program(name, dir)
	return err
}

// A placeholder's value is not known before the run.
var filledLater = regexp.MustCompile(`\$\{[^}]*\}`)

// checkShell checks a text for sh in a directory. Without programs, it checks only the syntax.
func checkShell(ctx context.Context, text, dir string, programs bool) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	text = filledLater.ReplaceAllString(text, "0")
	if out, err := exec.CommandContext(ctx, "sh", "-n", "-c", text).CombinedOutput(); err != nil {
		why := strings.TrimSpace(string(out))
		if why == "" {
			why = err.Error()
		}
		return fmt.Errorf("sh refuses it: %s", cut(why))
	}
	if !programs {
		return nil
	}
	for _, name := range shellPrograms(text) {
		lookup := exec.CommandContext(ctx, "sh", "-c", `command -v -- "$1"`, "sh",
			name) //nolint:gosec // the name is an argument
		lookup.Dir = dir
		if lookup.Run() != nil { // command -v knows the builtins too
			return fmt.Errorf("there is no program %q on this machine", name)
		}
	}
	return nil
}

var plainWord = regexp.MustCompile(`^[A-Za-z_./][A-Za-z0-9_./+-]*$`)

// shellPrograms lists the commands that a text for sh plainly names, apart from the functions that it defines.
func shellPrograms(text string) []string {
	file, err := shell.NewParser(shell.Variant(shell.LangPOSIX)).Parse(strings.NewReader(text), "")
	if err != nil { // sh reads more than the parser
		return nil
	}
	var out, own []string
	moved := false // after a cd a relative path starts elsewhere
	shell.Walk(file, func(n shell.Node) bool {
		switch n := n.(type) {
		case *shell.FuncDecl:
			own = append(own, n.Name.Value)
		case *shell.CallExpr:
			args := n.Args
			for len(args) > 1 && (args[0].Lit() == "exec" || args[0].Lit() == "time") {
				args = args[1:]
			}
			if len(args) == 0 {
				break
			}
			name := args[0].Lit()
			moved = moved || name == "cd"
			if plainWord.MatchString(name) && !slices.Contains(out, name) &&
				(!moved || !strings.Contains(name, "/") || strings.HasPrefix(name, "/")) {
				out = append(out, name)
			}
		}
		return true
	})
	return slices.DeleteFunc(out, func(name string) bool { return slices.Contains(own, name) })
}
