// Command brunt-k6 is k6 with the additions that brunt needs to run k6 scripts: an output that sends samples to
// brunt, and the module k6/x/brunt. brunt starts it. It is a separate program because k6 itself ends its process, and
// because k6 has the licence AGPL-3.0, which applies to this program but not to brunt.
//
//	main.go    the commands: run and inspect for brunt, version, and the plain k6
//	output.go  samples to steps, outcomes and metrics
//	module.go  k6/x/brunt: fault, phase, mark
//	dial.go    the blast radius, at the name that is looked up and at the connected address
//	files.go   the files that a policy lets a script read
//	link.go    brunt's commands on standard input
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"

	"brunt/scenarios/k6"

	"go.k6.io/k6/cmd"
	"go.k6.io/k6/js/modules"
	"go.k6.io/k6/output"
)

const usage = `brunt-k6 runs scripts of k6 for brunt: a load with "k6: script.js" starts it.

  brunt-k6 version        which k6 it has, and under which licence
  brunt-k6 k6 ARGS...     k6 itself; k6/x/brunt can be imported, and does nothing
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	switch os.Args[1] {
	case "version", "--version", "-v":
		version()
	case "k6":
		modules.Register("k6/x/brunt", &module{link: &link{}})
		os.Args = append([]string{"k6"}, os.Args[2:]...)
		cmd.Execute()
	case "run", "inspect":
		if err := child(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, "brunt-k6:", err)
			os.Exit(k6.ExitInvalidConfig)
		}
	default:
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
}

func version() {
	k6Version, ours := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		ours = info.Main.Version
		for _, d := range info.Deps {
			if d.Path == "go.k6.io/k6" {
				k6Version = d.Version
			}
		}
	}
	fmt.Printf("brunt-k6 %s\nk6 %s\nlicence AGPL-3.0 (k6 is linked in; brunt's own part is Apache-2.0)\n", ours, k6Version)
}

// child runs or inspects the script that brunt names on standard input.
func child(what string) error {
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("it is started by brunt, which says on standard input what to run: %w", err)
	}
	var c k6.Config
	if err := json.Unmarshal(line, &c); err != nil {
		return fmt.Errorf("what brunt says can't be read: %w", err)
	}
	if err := c.Check(); err != nil {
		return err
	}
	// A script may import modules from elsewhere, which k6 loads with Go's default HTTP client.
	load, err := within(&c)
	if err != nil {
		return err
	}
	http.DefaultTransport = load.Transport()
	l := &link{config: c}
	l.bind()
	modules.Register("k6/x/brunt", &module{link: l})
	args := []string{"k6", "inspect", "--include-system-env-vars=true", "--execution-requirements", "--log-format=raw"}
	if what == "run" {
		wire := os.Stdout
		os.Stdout = os.Stderr // k6 and the script may write there
		l.listen(in)
		output.RegisterExtension("brunt", func(p output.Params) (output.Output, error) { return newOut(l, wire, p) })
		args = []string{
			"k6", "run", "--include-system-env-vars=true", "--quiet", "--out=brunt", "--summary-mode=disabled",
			"--no-thresholds", "--no-usage-report", "--address=",
		}
		args = append(append(args, c.Args...), c.Part.Args()...)
	}
	for k, v := range c.Env {
		args = append(args, "--env", k+"="+v)
	}
	script, err := piped(k6.Wrapper(c.Script))
	if err != nil {
		return err
	}
	os.Stdin = script
	os.Args = append(args, "-")
	cmd.Execute() // ends the process
	return nil
}

// piped returns a file from which text can be read.
func piped(text string) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	go func() {
		_, _ = w.WriteString(text)
		_ = w.Close()
	}()
	return r, nil
}
