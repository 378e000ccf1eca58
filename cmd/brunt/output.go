package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"brunt/reporters/html"
	"brunt/reporters/terminal"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/result"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// writeNew writes a file with a mode that the umask restricts. If the file exists, it replaces it with force, and
// else returns a usage error.
func writeNew(file, text string, mode fs.FileMode, force bool) error {
	if _, err := os.Lstat(file); err == nil && !force {
		return usagef("%s exists already; --force writes over it", file)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return scenarios.Usage(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		return scenarios.Usage(err)
	}
	return nil
}

// writeWhole is [disk.Replace] for a file that the user names. If the file can't be created, that is a usage error.
func writeWhole(file string, mode fs.FileMode, write func(io.Writer) error) error {
	err := disk.Replace(file, mode, write)
	if pe, ok := errors.AsType[*fs.PathError](err); ok && pe.Op == "open" && pe.Path == file {
		return scenarios.Usage(err)
	}
	return err
}

// table prints the final table.
func table(w io.Writer, res *result.Result, dir string, verbose bool) error {
	o := termOptions(w)
	o.Files, o.Verbose = dir, verbose
	if page := filepath.Join(dir, html.File); exists(page) {
		o.Files = page
	}
	return terminal.New(w, o).Report(w, res)
}

// termOptions returns the abilities of the terminal w, or the defaults of a file.
func termOptions(w io.Writer, summary ...string) terminal.Options {
	o := terminal.Options{Summary: summary}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		o.Width = terminal.Unwrapped
		return o
	}
	if os.Getenv("TERM") == "dumb" {
		return o // it is unable to redraw
	}
	o.TTY, o.Color = true, os.Getenv("NO_COLOR") == ""
	o.Size = func() (width, height int) {
		width, height, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0, 0
		}
		return width, height
	}
	return o
}

// redraws reports whether the standard error of a command is a terminal that can redraw.
func redraws(c *cobra.Command) bool { return termOptions(c.ErrOrStderr()).TTY }

// columns returns the width of the terminal at a command's standard output; 0 if it is not a terminal, or the width
// is unknown.
func columns(c *cobra.Command) int { return width(c.OutOrStdout()) }

// errColumns is like columns, for the standard error.
func errColumns(c *cobra.Command) int { return width(c.ErrOrStderr()) }

func width(w io.Writer) (n int) {
	if o := termOptions(w); o.Size != nil {
		n, _ = o.Size()
	}
	return n
}

// hang writes a text after a head. In a terminal with a known width it breaks the text at blanks, and indents the
// further lines to the start of the text.
func hang(w io.Writer, head, text string, columns int) {
	lines, before := []string{text}, words.Width(head)
	if room := columns - before; columns > 0 && room >= 30 {
		lines = words.Wrap(text, room-1)
	}
	for _, line := range lines {
		fmt.Fprintln(w, strings.TrimRight(head+line, " "))
		head = strings.Repeat(" ", before)
	}
}

// stdout returns a command's standard output for human readers. Text in untrusted files can't control the terminal.
func stdout(c *cobra.Command) io.Writer { return clean(c.OutOrStdout()) }

// stderr returns a command's standard error for human readers, like [stdout].
func stderr(c *cobra.Command) io.Writer { return clean(c.ErrOrStderr()) }

// data returns a command's standard output for programs. At a terminal it is like stdout; otherwise it passes each
// byte unchanged.
func data(c *cobra.Command) io.Writer {
	if f, ok := c.OutOrStdout().(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return clean(f)
	}
	return c.OutOrStdout()
}

// clean returns a writer for untrusted text, such as from a result, a plan or a journal. It makes characters that
// control a terminal visible as escapes.
func clean(w io.Writer) io.Writer { return &cleanWriter{to: w} }

type cleanWriter struct {
	to   io.Writer
	rest []byte // the beginning of an incomplete character
}

func (w *cleanWriter) Write(b []byte) (int, error) {
	text := append(w.rest, b...)
	whole := len(text)
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if last := text[len(text)-i:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				whole -= i
			}
			break
		}
	}
	_, err := io.WriteString(w.to, words.CleanLines(string(text[:whole])))
	w.rest = append([]byte(nil), text[whole:]...)
	return len(b), err
}
