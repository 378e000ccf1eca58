package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets/platform/procgroup"
)

// Command is a command that the author writes: a list is executed directly, a text by sh.
type Command struct {
	At    syntax.Pos
	Args  []template.Text
	Shell bool // Args is one text for sh
}

func (c *Command) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	c.At = n.Pos
	items := n.Items
	switch n.Kind {
	case syntax.List:
	case syntax.String:
		c.Shell, items = true, []*syntax.Node{n}
		if runtime.GOOS == "windows" {
			m.AddHint(n.Pos, "write the command as a list: [pg_ctl, promote]",
				"sh runs a command that is a text, and Windows has no sh")
		}
	default:
		m.AddHint(n.Pos, "such as [pg_ctl, promote], or a text for sh", "want a command")
		return
	}
	for _, item := range items {
		var t template.Text
		t.DecodeNode(item, m)
		c.Args = append(c.Args, t)
	}
	if len(c.Args) == 0 || strings.TrimSpace(c.Args[0].Text()) == "" {
		m.Add(n.Pos, "the command is empty")
	}
}

// Validate refuses placeholders that have no value in faults.
func (c *Command) Validate(m *syntax.Mistakes) {
	for i := range c.Args {
		CheckPlaceholders(&c.Args[i].Template, m)
	}
}

// String returns the command with its secrets by name.
func (c *Command) String() string {
	if c.Shell {
		return c.Args[0].Text()
	}
	out := make([]string, len(c.Args))
	for i := range c.Args {
		if out[i] = c.Args[i].Text(); !placeholder.MatchString(out[i]) {
			out[i] = syntax.ShellWord(out[i])
		}
	}
	return strings.Join(out, " ")
}

// placeholder matches a word that is a placeholder.
var placeholder = regexp.MustCompile(`^\$\{[^}]*\}$`)

// CommandContext is the environment and the directory of a fault's commands.
type CommandContext struct {
	Env map[string]template.Text
	Dir string
}

// ResolvedCommand is a command that can be stored in a journal and run by any process that reads it.
type ResolvedCommand struct {
	Shows   string                       `json:"shows"` // the command with its secrets by name
	Args    []template.Resolved          `json:"args"`  // the path of the program first
	Env     map[string]template.Resolved `json:"env,omitempty"`
	Dir     string                       `json:"dir"`
	Timeout time.Duration                `json:"timeout"`
}

// Resolve resolves the command and finds its program.
func (c *Command) Resolve(on chaos.Host, at CommandContext, timeout time.Duration) (*ResolvedCommand, error) {
	dir, err := filepath.Abs(at.Dir)
	if err != nil {
		return nil, err
	}
	s := &ResolvedCommand{Shows: c.String(), Dir: dir, Timeout: timeout, Env: map[string]template.Resolved{}}
	if c.Shell {
		s.Args = []template.Resolved{Literal("sh"), Literal("-c")}
	}
	for i := range c.Args {
		arg, err := resolve(on, &c.Args[i].Template)
		if err != nil {
			return nil, err
		}
		s.Args = append(s.Args, arg)
	}
	for _, name := range slices.Sorted(maps.Keys(at.Env)) {
		t := at.Env[name]
		if s.Env[name], err = resolve(on, &t.Template); err != nil {
			return nil, err
		}
	}
	name, err := s.Args[0].Open(&template.Secrets{})
	if err != nil {
		return nil, err
	}
	path, err := program(name, dir)
	if err != nil {
		return nil, err
	}
	s.Args[0] = Literal(path)
	return s, nil
}

// Mark sets the run's mark for all processes that the command starts, so that they are killed if brunt dies. It is only
// for commands that read: inject and revert may start a service that must live on.
func (s *ResolvedCommand) Mark(run string) {
	if run != "" {
		s.Env[strings.TrimSuffix(proc.RunMark, "=")] = Literal(run)
	}
}

// program finds the program with a name. A relative path starts at dir.
func program(name, dir string) (string, error) {
	if filepath.Base(name) != name && !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

// exited is the error of a command that failed.
type exited struct {
	code int
	how  string // with its output
}

func (e *exited) Error() string { return e.how }

// Exit codes with which sh, or an engine, says that there is no such command.
const (
	notRunnable = 126
	notFound    = 127
)

// answers reports whether the exit code is an answer no: the command was found, and nothing killed it.
func (e *exited) answers() bool { return e.code >= 0 && e.code != notRunnable && e.code != notFound }

// endsLate is the time for which other processes may hold a command's output open after the command has ended. A
// service that it started should write elsewhere.
const endsLate = 200 * time.Millisecond

// Run runs the command to its end and returns its output. At its timeout, or when ctx ends, it is killed with all
// processes that it started. spawned is called with the pid before the command runs; it may be nil.
func (s *ResolvedCommand) Run(ctx context.Context, spawned func(pid int) error) (said string, err error) {
	var secrets template.Secrets
	out := &Output{}
	err = s.output(ctx, &secrets, spawned, out, out, out)
	return out.Lines(secrets.Mask), err
}

// value runs the command to its end and takes the value from its stdout.
func (s *ResolvedCommand) value(ctx context.Context, from *Finder) (string, error) {
	var secrets template.Secrets
	out := &streams{}
	if err := s.output(ctx, &secrets, nil, &out.Output, out.stdout(), out); err != nil {
		return "", err
	}
	return out.value(from, secrets.Mask)
}

// output runs the command as Run does, and adds its secrets to secrets. The output goes to stdout and stderr; out keeps
// the part that is reported.
func (s *ResolvedCommand) output(ctx context.Context, secrets *template.Secrets, spawned func(pid int) error,
	out *Output,
	stdout, stderr io.Writer,
) error {
	var args []string
	for _, a := range s.Args {
		text, err := a.Open(secrets)
		if err != nil {
			return err
		}
		args = append(args, text)
	}
	if len(args) == 0 {
		return errors.New("there is no command")
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	held, hold := args, spawned != nil && proc.CanHold
	if hold {
		held = append(slices.Clone(proc.Holding), args...)
	}
	cmd := exec.CommandContext(ctx, held[0], held[1:]...)
	cmd.Dir, cmd.WaitDelay = s.Dir, endsLate
	cmd.Env = os.Environ()
	for _, name := range slices.Sorted(maps.Keys(s.Env)) {
		v, err := s.Env[name].Open(secrets)
		if err != nil {
			return err
		}
		cmd.Env = append(cmd.Env, name+"="+v)
	}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	procgroup.Own(cmd)
	cmd.Cancel = func() error { proc.KillTree(cmd.Process.Pid); return nil }
	// The kernel kills it when the thread that started it ends, which must be at brunt's end.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := start(cmd, hold, spawned); err != nil {
		return err
	}
	err := cmd.Wait()
	said := out.Lines(secrets.Mask)
	switch ended := (*exec.ExitError)(nil); {
	case err == nil || errors.Is(err, exec.ErrWaitDelay) && ctx.Err() == nil:
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("`%s` did not end within %s%s", s.Shows, quantity.FormatDuration(s.Timeout), words(said))
	case ctx.Err() != nil:
		return fmt.Errorf("`%s` was ended: %w", s.Shows, context.Cause(ctx))
	case errors.As(err, &ended):
		return &exited{ended.ExitCode(), fmt.Sprintf("`%s`: %s%s", s.Shows, ended, words(said))}
	}
	return fmt.Errorf("`%s`: %w", s.Shows, err)
}

// start starts a command. A held command waits until spawned has recorded it, and ends if brunt dies
// before.
func start(cmd *exec.Cmd, hold bool, spawned func(pid int) error) error {
	var release *os.File
	if hold {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		defer r.Close()
		defer w.Close()
		cmd.ExtraFiles, release = []*os.File{r}, w
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if spawned == nil {
		return nil
	}
	err := spawned(cmd.Process.Pid)
	if err == nil && hold {
		_, err = release.WriteString("\n")
	}
	if err != nil {
		proc.KillTree(cmd.Process.Pid)
		_ = cmd.Wait()
	}
	return err
}

func (*Command) Schema() syntax.Schema {
	return syntax.Schema{"anyOf": []any{
		syntax.Schema{"type": "string", "minLength": 1, "examples": []any{"kubectl rollout undo deployment/db"}},
		syntax.Schema{
			"type": "array", "minItems": 1, "items": syntax.TextSchema(),
			"examples": []any{[]any{"pg_ctl", "promote"}},
		},
	}}
}
