package main

import (
	"io"
	"log/slog"

	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// logFlags holds --log-format and --log-level.
type logFlags struct{ format, level string }

func (f *logFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.format, "log-format", "text", "text or json, on standard error")
	c.Flags().StringVar(&f.level, "log-level", "warn", "debug, info, warn or error")
	completeOneOf(c, "log-format", "text", "json")
	completeOneOf(c, "log-level", "debug", "info", "warn", "error")
}

// logger returns a logger that writes to w. The error names the wrong flag.
func (f *logFlags) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.level)); err != nil {
		return nil, usagef("--log-level is debug, info, warn or error, not %q", f.level)
	}
	o := &slog.HandlerOptions{Level: level}
	switch f.format {
	case "text":
		return slog.New(slog.NewTextHandler(w, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(cleanJSON{w}, o)), nil
	}
	return nil, usagef("--log-format is text or json, not %q", f.format)
}

// cleanJSON is a writer of JSON records, one per call. It makes untrusted text in them safe.
type cleanJSON struct{ to io.Writer }

func (w cleanJSON) Write(record []byte) (int, error) {
	if _, err := w.to.Write(syntax.CleanJSON(record)); err != nil {
		return 0, err
	}
	return len(record), nil
}
