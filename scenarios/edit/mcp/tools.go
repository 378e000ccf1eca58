package mcp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/syntax"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// A scenarioInput names a scenario for a tool.
type scenarioInput struct {
	Scenario string            `json:"scenario" jsonschema:"path of the scenario file, relative to the folder of the server"`
	Set      map[string]string `json:"set,omitempty" jsonschema:"values of the scenario's params, by name"`
}

// A termInput names what is explained.
type termInput struct {
	Term string `json:"term,omitempty" jsonschema:"a key, fault, metric, exit code or term, such as network.latency; empty lists all"`
}

// A kindInput names a schema.
type kindInput struct {
	Kind string `json:"kind" jsonschema:"one of scenario, policy, drill, result, event"`
}

// A reportInput names a run.
type reportInput struct {
	Run string `json:"run" jsonschema:"folder of the run, relative to the folder of the server, as the tool run returned it"`
}

// A tool is something that a client can call.
type tool struct {
	mcp.Tool
	add func(server *mcp.Server, s *Server, ctx context.Context)
}

// tools lists the tools.
func (s *Server) tools() []tool {
	reads := &mcp.ToolAnnotations{ReadOnlyHint: true, OpenWorldHint: new(false)}
	asks := &mcp.ToolAnnotations{ReadOnlyHint: true, OpenWorldHint: new(true)}
	breaks := &mcp.ToolAnnotations{DestructiveHint: new(true), OpenWorldHint: new(true)}
	return []tool{
		of("validate", "Check a scenario without starting anything. Returns, as JSON, each mistake with its line and how to "+
			"mend it, or what the load can show.", reads, (*Server).validate),
		of("explain", "Explain a key of a scenario, a kind of fault, an executor, a metric, an exit code or a term of a "+
			"report.", reads, (*Server).explain),
		of("schema", "Return the JSON Schema of a scenario, a policy, a drill, result.json or an event.", reads,
			(*Server).schema),
		of("plan", "Show what a run of a scenario would do, and do nothing: the dry run. It may ask the target which of its "+
			"units a fault would hit.", asks, (*Server).plan),
		of("run", "Run a scenario to its verdict: load, faults, and the objectives. It takes as long as the scenario's load. "+
			"Returns the report as Markdown. To cancel the call ends the run, and takes its faults back.", breaks, (*Server).run),
		of("report", "Return the report of an earlier run as Markdown.", reads, (*Server).report),
	}
}

// of returns a tool whose call is a method of the server.
func of[In any](name, about string, hints *mcp.ToolAnnotations,
	call func(*Server, context.Context, In) (string, error),
) tool {
	t := mcp.Tool{Name: name, Description: about, Annotations: hints}
	return tool{t, func(server *mcp.Server, s *Server, served context.Context) {
		mcp.AddTool(server, &t, func(ctx context.Context, _ *mcp.CallToolRequest, in In) (*mcp.CallToolResult, any, error) {
			s.calls.Add(1)
			defer s.calls.Done()
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(served, cancel)()
			if err := s.unchanged(); err != nil {
				return nil, nil, err
			}
			text, err := call(s, ctx, in)
			if err != nil {
				return nil, nil, err
			}
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
		})
	}}
}

func (s *Server) validate(ctx context.Context, in scenarioInput) (string, error) {
	args, err := s.command(in, "validate", "--format=json")
	if err != nil {
		return "", err
	}
	out, err := s.quick(ctx, args...)
	if err == nil && out.code != scenarios.ExitPass && out.code != scenarios.ExitMistake {
		return "", out.failed()
	}
	return out.text, err
}

// command returns the arguments of a command of brunt on a scenario, within the policies of the server.
func (s *Server) command(in scenarioInput, args ...string) ([]string, error) {
	file, err := s.file(in.Scenario)
	return slices.Concat(args, s.settings(in.Set), []string{"--", file}), err
}

func (s *Server) explain(ctx context.Context, in termInput) (string, error) {
	args := []string{"explain", "--"}
	if in.Term != "" {
		args = append(args, in.Term)
	}
	return s.said(s.quick(ctx, args...))
}

func (s *Server) schema(ctx context.Context, in kindInput) (string, error) {
	return s.said(s.quick(ctx, "schema", "--", in.Kind))
}

func (s *Server) plan(ctx context.Context, in scenarioInput) (string, error) {
	args, err := s.command(in, "run", "--dry-run")
	if err != nil {
		return "", err
	}
	free, err := s.alone()
	if err != nil {
		return "", err
	}
	defer free()
	return s.said(s.brunt(ctx, args...))
}

func (s *Server) run(ctx context.Context, in scenarioInput) (string, error) {
	args, err := s.command(in, "run", "--until-eof")
	if err != nil {
		return "", err
	}
	free, err := s.alone()
	if err != nil {
		return "", err
	}
	defer free()
	dir, err := s.results()
	if err != nil {
		return "", err
	}
	out, err := s.brunt(ctx, slices.Insert(args, 1, "--output="+dir)...)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(s.folder, dir, "result.json")); err != nil {
		return "", out.failed() // nothing was started
	}
	report, err := s.brunt(context.WithoutCancel(ctx), "report", "--format=markdown", "--", dir)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s\nExit code %d. The run is in %s.\n", report.text, out.code, filepath.ToSlash(dir)), nil
}

func (s *Server) report(ctx context.Context, in reportInput) (string, error) {
	dir, err := s.file(in.Run)
	if err != nil {
		return "", err
	}
	return s.said(s.quick(ctx, "report", "--format=markdown", "--", dir))
}

// alone lets the caller make a plan or a run, until it calls free.
func (s *Server) alone() (free func(), err error) {
	select {
	case s.heavy <- struct{}{}:
		return func() { <-s.heavy }, nil
	default:
		return nil, errors.New("a run is in progress, and one is made at a time: wait for its end, or cancel it")
	}
}

// The limits of a process.
const (
	quickly  = time.Minute     // for a process that only reads
	undoing  = 2 * time.Minute // for a run that was interrupted, to take everything back
	mostText = 256 << 10       // bytes of its output
)

// output is what a process of brunt said.
type output struct {
	text string // its standard output
	told string // its standard error
	code int
}

// failed returns an error with the words of a process that failed.
func (o *output) failed() error {
	if o.told == "" {
		return fmt.Errorf("exit code %d\n%s", o.code, o.text)
	}
	return fmt.Errorf("exit code %d\n%s", o.code, o.told)
}

// said returns the standard output of a process, or an error with its words if it failed.
func (s *Server) said(o output, err error) (string, error) {
	if err == nil && o.code != scenarios.ExitPass {
		err = o.failed()
	}
	return o.text, err
}

// quick is brunt for a command that only reads.
func (s *Server) quick(ctx context.Context, args ...string) (output, error) {
	ctx, cancel := context.WithTimeout(ctx, quickly)
	defer cancel()
	select {
	case s.light <- struct{}{}:
		defer func() { <-s.light }()
	case <-ctx.Done():
		return output{}, context.Cause(ctx)
	}
	return s.brunt(ctx, args...)
}

// brunt runs a command of brunt in the server's folder. If ctx ends, it interrupts the command and waits for it. The
// input of the command ends with this process, also if it is killed.
func (s *Server) brunt(ctx context.Context, args ...string) (output, error) {
	c := exec.CommandContext(ctx, s.o.Self[0], append(s.o.Self[1:len(s.o.Self):len(s.o.Self)], args...)...)
	c.Dir = s.folder
	var out, told bounded
	c.Stdout, c.Stderr = &out, &told
	c.Cancel = func() error {
		if err := c.Process.Signal(os.Interrupt); err == nil {
			return nil
		}
		return c.Process.Kill() // Windows: the watchdog takes everything back
	}
	c.WaitDelay = undoing
	if _, err := c.StdinPipe(); err != nil {
		return output{}, err
	}
	err := c.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited && ctx.Err() == nil {
		return output{}, err
	}
	return output{out.String(), told.String(), c.ProcessState.ExitCode()}, nil
}

// bounded keeps the first mostText bytes of what is written.
type bounded struct {
	bytes.Buffer
	cut bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if fits := mostText - b.Len(); len(p) > fits {
		b.cut = true
		b.Buffer.Write(p[:fits])
	} else {
		b.Buffer.Write(p)
	}
	return len(p), nil
}

func (b *bounded) String() string {
	if b.cut {
		return b.Buffer.String() + syntax.Ellipsis + "\n"
	}
	return b.Buffer.String()
}
