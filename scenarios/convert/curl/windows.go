package curl

import (
	"bytes"
	"regexp"
)

// ofWindows detects a command that browsers copy for cmd.exe.
var ofWindows = regexp.MustCompile(`(?m)\^$|\s\^"`)

// unwindows converts such a command for a POSIX shell. In it a caret quotes the next character, and a dollar has no
// special meaning. Other sources stay as they are.
func unwindows(source []byte) []byte {
	source = bytes.ReplaceAll(source, []byte("\r\n"), []byte("\n"))
	if !ofWindows.Match(source) {
		return source
	}
	var out []byte
	for i := 0; i < len(source); i++ {
		c := source[i]
		if c == '^' && i+1 < len(source) {
			i++
			if source[i] == '\n' {
				continue
			}
			c = source[i]
		}
		if c == '$' || c == '`' {
			out = append(out, '\\')
		}
		out = append(out, c)
	}
	return out
}
