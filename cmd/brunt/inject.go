package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/quantity"
	"brunt/scenarios/run"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// injectFlags are the settings of `brunt inject`.
type injectFlags struct {
	sourceFlags
	hold   string
	listen string
	to     string
	allow  []string
	dryRun bool
	format string
}

func injectCommand() *cobra.Command {
	var f injectFlags
	c := &cobra.Command{
		Use:   "inject SCENARIO FAULT | inject KIND [KEY=VALUE …]",
		Short: "Inject one fault without load, and take it back",
		Long: `Inject one fault without load: inject it, verify its effect, hold it, take it back, verify
that it is gone. brunt shows each step with its evidence. Ctrl-C takes the fault back at
once; the watchdog does so from the journal if brunt dies.

With a scenario, inject one of its faults. If the target is a stack or processes, brunt
starts it and keeps it up meanwhile; a url or a process must already run. There is no load,
so setup, steady state and objectives are left out.

With a kind, give its settings as in a scenario: pid=1234, delay=100ms. For a fault on a
link, brunt opens a link from --listen to --to until the end; point the client to it.

Exit codes: 0: effect verified, and verified gone. 8: nothing matched, which the scenario
allows. 5: not verified, or the unit did not come back in time. 7: the fault could not be
taken back. 130: interrupted, and taken back.`,
		Example: `  brunt inject examples/01-quickstart/scenario.yaml lose-a-replica
  brunt inject checkout.yaml slow-store --for 20s
  brunt inject process.freeze pid=1234 --for 10s
  brunt inject network.latency delay=100ms --for 1m --listen 127.0.0.1:9001 --to 127.0.0.1:9000`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeFaults,
		RunE:              f.run,
	}
	f.register(c)
	c.Flags().StringVar(&f.hold, "for", "", "how long the fault is held, such as 10s (default as the scenario says)")
	c.Flags().StringVar(&f.listen, "listen", "",
		"host:port on which the link of the fault listens (default a free port of 127.0.0.1)")
	c.Flags().StringVar(&f.to, "to", "", "host:port that the link leads to")
	c.Flags().StringArrayVar(&f.allow, "allow", nil,
		"an address, range or host beyond loopback that --to may name; can be given several times")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "print what brunt would do, and do nothing")
	c.Flags().StringVar(&f.format, "format", "text", "text or json, on standard output")
	completeOneOf(c, "format", "text", "json")
	return c
}

func (f *injectFlags) run(c *cobra.Command, args []string) error {
	if f.format != "text" && f.format != "json" {
		return usagef("--format is text or json, not %q", f.format)
	}
	plan, err := f.plan(c, args)
	if err != nil {
		return err
	}
	out := stdout(c)
	if f.dryRun {
		lines, err := dryrun.RunFaults(c.Context(), plan)
		for _, line := range lines {
			fmt.Fprintln(out, line)
		}
		fmt.Fprintln(out, "\nNothing was started or broken.")
		if err != nil { // already printed
			return exit(scenarios.ExitMistake)
		}
		return nil
	}
	if err := recoverOthers(c); err != nil {
		return err
	}
	ctx, stop := interruptible(new(screen), "brunt: interrupted: the fault is taken back", "")
	defer stop()
	return f.inject(ctx, out, plan)
}

func (f *injectFlags) inject(ctx context.Context, out io.Writer, plan *plan.Plan) error {
	said := &steps{w: out}
	if f.format == "json" {
		said.w = io.Discard
	}
	fault := plan.Faults[0]
	said.fault, said.stays = fault.Name, fault.For.D()
	in, err := run.Inject(ctx, plan, run.Options{
		State: state(), Watchdog: watchdog(), Stress: stressor(), Proxies: proxies(), Event: said.event, Suspend: suspended(),
		Stop: stopSelf,
	})
	if in == nil {
		return err
	}
	if f.format == "json" {
		if jerr := encodeJSON(out, in); err == nil {
			err = jerr
		}
	} else {
		for _, n := range in.Notes {
			fmt.Fprintln(out, "note: "+n)
		}
		mark := "✗"
		if in.Verdict == scenarios.Pass {
			mark = "✓"
		}
		fmt.Fprintf(out, "%s %s: %s\n", mark, in.Fault, in.Reason)
		if in.Cleared.Known() && in.Injected.Known() {
			fmt.Fprintf(out, "  %s by %s, in for %s%s; revert: %s\n", syntax.ListOr(in.Units, "nothing hit"), in.Via,
				quantity.FormatSeconds(float64(in.Cleared-in.Injected)), affected(in), in.Revert)
		}
	}
	if err == nil && in.ExitCode != 0 {
		return exit(in.ExitCode)
	}
	return weighed(err, in.ExitCode)
}

// affected describes the traffic that the fault affected, if it was counted.
func affected(in *run.Injection) string {
	if in.TrafficUnit == "" {
		return ""
	}
	return ", affected " + words.Traffic(in.Traffic, in.TrafficUnit)
}

// plan compiles the input: a scenario's fault, or a kind.
func (f *injectFlags) plan(c *cobra.Command, args []string) (*plan.Plan, error) {
	if isKind(args[0]) {
		return f.bare(args)
	}
	if _, err := os.Stat(args[0]); err != nil && !isFile(args[0]) {
		return nil, usagef("%q is neither a file nor a kind of fault; %s", args[0],
			cmp.Or(syntax.DidYouMean(args[0], plan.ArgumentKinds()), "`brunt explain faults` lists the kinds"))
	}
	for _, name := range []string{"listen", "to", "allow"} {
		if c.Flags().Changed(name) {
			return nil, usagef("--%s is for a kind of fault; a scenario says that itself", name)
		}
	}
	hold, err := f.duration()
	if err != nil {
		return nil, err
	}
	plan, err := compile(args[0], &f.sourceFlags)
	if err != nil {
		return nil, err
	}
	if len(args) != 2 {
		var names []string
		for _, e := range plan.Faults {
			names = append(names, e.Name)
		}
		return nil, usagef("want one fault of %s: %s", args[0], syntax.ListOr(names, "it has none"))
	}
	one, err := plan.Single(args[1], hold)
	if err != nil {
		return nil, usagef("%s: %w", args[0], err)
	}
	return one, nil
}

// isKind reports whether a word names a kind of fault, including planned kinds.
func isKind(word string) bool {
	noun, later := syntax.NotYet(word)
	return slices.Contains(plan.ArgumentKinds(), word) || later && noun == "fault"
}

// isFile reports whether a word looks like a scenario file.
func isFile(word string) bool {
	ext := filepath.Ext(word)
	return strings.ContainsAny(word, `/\`) || ext == ".yaml" || ext == ".yml"
}

func (f *injectFlags) duration() (time.Duration, error) {
	if f.hold == "" {
		return 0, nil
	}
	d, err := quantity.ParseDuration(f.hold)
	if err == nil && d <= 0 {
		err = errors.New("it is more than zero")
	}
	if err != nil {
		return 0, usagef("--for: %w", err)
	}
	return d, nil
}

// bare compiles a kind of fault and its settings.
func (f *injectFlags) bare(args []string) (*plan.Plan, error) {
	if len(f.set) > 0 {
		return nil, usagef("--set is for params of a scenario; the settings of %s are given as KEY=VALUE", args[0])
	}
	if _, err := f.duration(); err != nil {
		return nil, err
	}
	policies, err := f.policies()
	if err != nil {
		return nil, err
	}
	settings := args[1:]
	if f.hold != "" {
		settings = append(slices.Clone(settings), "for="+f.hold)
	}
	return plan.CompileBare(plan.Bare{
		Kind: args[0], Settings: settings, Listen: f.listen, To: f.to, Allow: f.allow, Policies: policies,
	})
}
