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

var (
	plainWord  = regexp.MustCompile(`^[A-Za-z_./][A-Za-z0-9_./+-]*$`)
	assignment = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
)

// shellPrograms lists the commands that a text for sh plainly names. A text with functions, here-documents or case is
// left to sh.
func shellPrograms(text string) []string {
	if strings.Contains(text, "<<") || strings.Contains(text, "()") || slices.Contains(strings.Fields(text), "case") {
		return nil
	}
	var out []string
	moved := false // after a cd a relative path starts elsewhere
	text = strings.NewReplacer("2>&1", "", ">&2", "", "&>", ">").Replace(text)
	for _, part := range simpleCommands(text) {
		words := strings.Fields(part)
		for len(words) > 0 && (assignment.MatchString(words[0]) ||
			slices.Contains([]string{"if", "then", "else", "elif", "do", "while", "until", "!", "{", "exec", "time"},
				words[0])) {
			words = words[1:]
		}
		if len(words) == 0 || slices.Contains([]string{"for", "}", "fi", "done", "in"}, words[0]) ||
			slices.Contains(out, words[0]) {
			continue
		}
		moved = moved || words[0] == "cd"
		if plainWord.MatchString(words[0]) && (!moved || !strings.Contains(words[0], "/") ||
			strings.HasPrefix(words[0], "/")) {
			out = append(out, words[0])
		}
	}
	return out
}

// simpleCommands splits a text for sh at the operators that separate commands, outside of quotes.
func simpleCommands(text string) []string {
	var out []string
	quote, from := byte(0), 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quote != '\'':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case strings.IndexByte("|&;\n()", c) >= 0:
			out, from = append(out, text[from:i]), i+1
		}
	}
	return append(out, text[from:])
}
