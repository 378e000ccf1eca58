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

// writeNew writes a file that does not exist yet, with a mode from which the umask takes, or replaces one if force is
// set. A refusal is a usage error.
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

// writeWhole is [disk.Replace] of a file that the user names: one that can't be made is a usage error.
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

// termOptions returns what a terminal supports.
func termOptions(w io.Writer, summary ...string) terminal.Options {
	o := terminal.Options{Summary: summary}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		o.Width = terminal.Unwrapped
		return o
	}
	if os.Getenv("TERM") == "dumb" {
		return o // it cannot redraw
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

// columns is the width of the terminal that is the standard output of a command; zero: it is none, or its width is
// unknown.
func columns(c *cobra.Command) int { return width(c.OutOrStdout()) }

// errColumns is columns of the standard error.
func errColumns(c *cobra.Command) int { return width(c.ErrOrStderr()) }

func width(w io.Writer) (n int) {
	if o := termOptions(w); o.Size != nil {
		n, _ = o.Size()
	}
	return n
}

// hang writes a text after a head. In a terminal of so many columns it is broken at blanks, and goes on below where it
// begins.
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

// stdout returns the standard output of a command for people. What a file of another's says can't control the terminal.
func stdout(c *cobra.Command) io.Writer { return clean(c.OutOrStdout()) }

// stderr returns the standard error of a command for people, as [stdout] does.
func stderr(c *cobra.Command) io.Writer { return clean(c.ErrOrStderr()) }

// data returns the standard output of a command for programs: it is as stdout in a terminal, and gets each byte as it
// is elsewhere.
func data(c *cobra.Command) io.Writer {
	if f, ok := c.OutOrStdout().(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return clean(f)
	}
	return c.OutOrStdout()
}

// clean returns a writer of texts that may come from files of others, such as a result, a plan or a journal: characters
// that control a terminal become visible escapes.
func clean(w io.Writer) io.Writer { return &cleanWriter{to: w} }

type cleanWriter struct {
	to   io.Writer
	rest []byte // the begin of a character that is not whole yet
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
