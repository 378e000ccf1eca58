package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Once is a command of setup or teardown, which runs once on this machine. It fails if its exit code is not 0, and at
// its timeout; then brunt kills it with all processes that it started.
type Once struct {
	syntax.Place
	Name string `yaml:"name"` // zero is the command itself
	// a text for sh -c, or a list: a program with its arguments
	Command Command                  `yaml:"command,required"`
	Env     map[string]template.Text `yaml:"env"`              // variables added to brunt's own environment
	Dir     string                   `yaml:"dir"`              // where it runs; zero is where brunt was started
	Timeout quantity.Duration        `yaml:"timeout,positive"` // zero is 1m
}

const onceTimeout = time.Minute

// Check notes every mistake in the settings.
func (o *Once) Check(m *syntax.Mistakes) {
	o.Command.Validate(m)
	for name := range o.Env {
		t := o.Env[name]
		CheckPlaceholders(&t.Template, m)
	}
}

// Limit returns the time after which the command is killed, from its start.
func (o *Once) Limit() time.Duration { return or(o.Timeout, onceTimeout) }

// Context returns the environment and the directory of the command.
func (o *Once) Context() CommandContext { return CommandContext{Env: o.Env, Dir: o.Dir} }

// Asking returns the command as a question, to be checked before a run.
func (o *Once) Asking() *Asking { return &Asking{Place: o.Place, Command: o.Command} }

// String describes the command.
func (o *Once) String() string {
	if o.Name != "" {
		return o.Name
	}
	return "`" + o.Command.String() + "`"
}

// Run runs the command to its end, and writes its output to log. An error ends with the last lines of the output, and
// names the file of the log; an empty name means that there is no file.
func (o *Once) Run(ctx context.Context, on chaos.Host, log io.Writer, file string) error {
	c, err := o.Command.Resolve(on, o.Context(), o.Limit())
	if err != nil {
		return fmt.Errorf("%s: %w", o, err)
	}
	c.Mark(on.Run)
	var secrets template.Secrets
	masked := secrets.Log(nopCloser{log})
	out := &Output{}
	both := io.MultiWriter(out, masked)
	err = c.output(ctx, &secrets, nil, &Output{}, both, both) // the error says only how the command ended
	if cerr := masked.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("keeping its output: %w", cerr)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if ended, ok := errors.AsType[*exited](err); ok {
		err = errors.New(ended.how)
	}
	if err != nil && o.Name != "" {
		err = fmt.Errorf("%s: %w", o.Name, err)
	}
	if err != nil && out.n == 0 {
		return fmt.Errorf("%w; it wrote nothing", err)
	}
	if err != nil {
		where := "its output ends"
		if file != "" {
			where = "its output is in " + file + " and ends"
		}
		return fmt.Errorf("%w; %s:\n%s", err, where, out.end(secrets.Mask))
	}
	return nil
}

// nopCloser is a writer that its owner closes.
type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// endLines is the number of lines of an output that a message shows.
const endLines = 8

// end returns the last lines of the output, indented for a message.
func (o *Output) end(mask func(string) string) string {
	lines := strings.Split(strings.TrimSpace(mask(strings.ToValidUTF8(string(o.head)+string(o.tail), "\ufffd"))), "\n")
	for i := range lines {
		lines[i] = "    " + cut(lines[i])
	}
	return strings.Join(lines[max(0, len(lines)-endLines):], "\n")
}
