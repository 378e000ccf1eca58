package main

import (
	"fmt"
	"net/url"
	"os"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/targets/plugin"

	"github.com/spf13/cobra"
)

func pluginCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "plugin",
		Short: "Test a program that teaches brunt a protocol",
		Long: `Test a plug-in: a program that teaches brunt a protocol. It reads calls from its standard
input and writes answers to its standard output, each a line of JSON. A step makes a call of
it, with settings, checks and extractions as steps of other protocols have them:

  target:
    endpoints:
      stock: {url: "plugin://127.0.0.1:7000", command: [python3, stock.py]}
  load:
    main: {…, flow: [{plugin: get, with: {key: tea}, check: {"$.count": "> 0"}}]}

brunt's first line is a hello, which the plug-in answers; then come calls, many at a time,
which it answers in any order:

  {"hello":1,"url":"plugin://127.0.0.1:7000","address":"127.0.0.1:7000","seed":7}
  {"hello":1,"name":"stock","calls":["get"],"examples":{"get":{"key":"tea"}}}
  {"id":1,"call":"get","with":{"key":"tea"},"user":3,"timeout_ms":5000}
  {"id":1,"body":{"count":7}}
  {"id":1,"status":404,"message":"no such key","absent":true}
  {"id":1,"failed":"refused","message":"connect: connection refused"}

An answer with "failed" says that the system under test did not answer: refused, reset,
closed, timeout, unreachable, dns, tls, protocol or other. "absent" says that the item does
not exist, for ledgers. "address" is where to connect to: it has passed guard.allow, and may
be that of a link for faults. The plug-in ends when its standard input ends; brunt gives it
PATH, HOME and the like, and no other variable than those under env of its endpoint.

A call of a plug-in that does nothing costs 11 us of CPU time, its own and brunt's together,
the median of five rounds on one core of a busy machine, which made 30 000 to 67 600 calls a
second (2026-11-29, .ci/bench, 50 users).
` + "`brunt explain step.plugin`" + ` lists the keys of a step.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(pluginTestCommand())
	return c
}

func pluginTestCommand() *cobra.Command {
	var to string
	var names []string
	c := &cobra.Command{
		Use:   "test COMMAND …",
		Short: "Check that a plug-in keeps the rules, and say how to mend what it breaks",
		Long: `Check that a plug-in keeps the rules, and say how to mend what it breaks. The suite starts the
program, calls it as a load does, and measures how many calls a second it makes. The calls are
those of the examples in its hello. A server is not needed: an answer may be an error.

Exit codes: 0: it keeps the rules. 3: it breaks one.`,
		Example: `  brunt plugin test python3 examples/46-plugin/stock.py
  brunt plugin test --url plugin://127.0.0.1:7000 --env STOCK_TOKEN ./stock --verbose`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			u, err := url.Parse(to)
			if err != nil || u.Scheme != "plugin" || u.Port() == "" {
				return usagef("--url: want plugin://HOST:PORT, not %q", to)
			}
			var env []string
			for _, name := range names {
				value, set := os.LookupEnv(name)
				if !set {
					return usagef("--env: there is no variable %s", name)
				}
				env = append(env, name+"="+value)
			}
			wrong := 0
			for _, f := range plugin.Conform(args, env, u) {
				tellFinding(c, f)
				if f.Wrong != "" {
					wrong++
				}
			}
			if wrong > 0 {
				fmt.Fprintf(stdout(c), "\n%s; what a plug-in may do is in `brunt plugin`\n", syntax.Amount(wrong, "failure"))
				return exit(scenarios.ExitFail)
			}
			return nil
		},
	}
	c.Flags().SetInterspersed(false) // what follows the program is its own
	c.Flags().StringVar(&to, "url", "plugin://127.0.0.1:9", "URL of the endpoint that the plug-in gets")
	c.Flags().StringArrayVar(&names, "env", nil, "a variable of the environment that the plug-in gets; repeatable")
	return c
}

func tellFinding(c *cobra.Command, f plugin.Finding) {
	w := stdout(c)
	switch {
	case f.Wrong != "":
		fmt.Fprintf(w, "✗ %s\n  %s\n", f.Check, f.Wrong)
		if f.Mend != "" {
			fmt.Fprintf(w, "  mend: %s\n", f.Mend)
		}
	case f.Told != "":
		fmt.Fprintf(w, "✓ %s (%s)\n", f.Check, f.Told)
	default:
		fmt.Fprintf(w, "✓ %s\n", f.Check)
	}
}
