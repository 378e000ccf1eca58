package syntax

import (
	"strconv"
	"strings"

	shell "mvdan.cc/sh/v3/syntax"
)

// ShellWords joins the words of a command, a program first, so that a shell reads them as they are.
func ShellWords(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = ShellWord(w)
	}
	return strings.Join(out, " ")
}

// ShellWord quotes a word after the first of a command for a shell, if it needs that.
func ShellWord(w string) string {
	plain := strings.ReplaceAll(w, "=", "x") // = is special before the first word alone, in an assignment
	quoted, err := shell.Quote(plain, shell.LangBash)
	switch {
	case err != nil: // no shell can have it in a word
		return strconv.Quote(w)
	case strings.HasPrefix(quoted, "$'"): // for characters that can't be printed
		if quoted, err = shell.Quote(w, shell.LangBash); err == nil {
			return quoted
		}
		return strconv.Quote(w)
	case quoted == plain && !strings.Contains(w, "!"): // ! expands history, in double quotes too
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}
