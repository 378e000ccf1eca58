package syntax

import (
	"strconv"
	"strings"

	shell "mvdan.cc/sh/v3/syntax"
)

// ShellWords joins the words of a command, a program first, with the quoting that makes a shell read them unchanged.
func ShellWords(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = ShellWord(w)
	}
	return strings.Join(out, " ")
}

// ShellWord quotes an argument of a command for a shell if necessary.
func ShellWord(w string) string {
	plain := strings.ReplaceAll(w, "=", "x") // = is special only before the first word, in an assignment
	quoted, err := shell.Quote(plain, shell.LangBash)
	switch {
	case err != nil: // no shell can have it in a word
		return strconv.Quote(w)
	case strings.HasPrefix(quoted, "$'"): // it has characters that can't be printed
		if quoted, err = shell.Quote(w, shell.LangBash); err == nil {
			return quoted
		}
		return strconv.Quote(w)
	case quoted == plain && !strings.Contains(w, "!"): // ! expands history, also in double quotes
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}
