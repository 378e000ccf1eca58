// Command brunt loads a system, injects faults while the load runs, and gives one verdict on
// its service-level objectives.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"brunt/reporters/ci"
	"brunt/scenarios"
	"brunt/scenarios/decide/capacity"
	"brunt/scenarios/plan"
	"brunt/scenarios/run"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

func main() {
	onCrash()
	os.Exit(execute(os.Args[1:]))
}

// exit is an error that only carries an exit code.
type exit = scenarios.Exit

// execute runs brunt with the arguments and returns its exit code.
func execute(args []string) int {
	root := rootCommand()
	root.SetArgs(args)
	err := root.Execute()
	if text := withoutExits(err); text != nil {
		tell(clean(os.Stderr), text)
	}
	return codeOf(err)
}

// withoutExits returns the errors of a joined error that do not only carry an exit code; nil if there are none.
func withoutExits(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var rest []error
		for _, e := range joined.Unwrap() {
			rest = append(rest, withoutExits(e))
		}
		return errors.Join(rest...)
	}
	if errors.As(err, new(exit)) {
		return nil
	}
	return err
}

// tell prints an error: each mistake with its line. In a step of GitHub Actions, mistakes are annotated as well.
func tell(w io.Writer, err error) {
	var mistakes *syntax.MistakesError
	if !errors.As(err, &mistakes) {
		fmt.Fprintln(w, "brunt: "+err.Error())
		return
	}
	fmt.Fprintln(w, strings.TrimRight(mistakes.Explain(), "\n"))
	fmt.Fprintf(w, "\n%s; nothing was started.\n", syntax.Amount(len(mistakes.List()), "mistake"))
	if inActions() {
		_ = ci.AnnotateMistakes(w, ci.NewMistakes("", mistakes)) // if standard error can't be written, it has no reader
	}
}

// codeOf returns the exit code of a command's error.
func codeOf(err error) int {
	var (
		code        exit
		probe       capacity.ProbeError
		interrupted run.Interrupt
	)
	switch {
	case err == nil:
		return scenarios.ExitPass
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, new(run.NotRevertedError)):
		return scenarios.ExitNotReverted
	case errors.As(err, &interrupted):
		return interrupted.Code
	case errors.As(err, &probe):
		return probe.Verdict.ExitCode()
	case errors.As(err, new(plan.DownError)):
		return scenarios.ExitInconclusive
	case errors.As(err, new(*syntax.MistakesError)), errors.As(err, new(scenarios.UsageError)),
		errors.As(err, new(*driftError)):
		return scenarios.ExitMistake
	}
	return scenarios.ExitError
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "brunt",
		Short: "Load a system, inject faults, get one verdict",
		Long: `brunt runs one scenario: it loads a target, injects faults on a timeline while the load
runs, and gives one verdict on the service-level objectives, with the evidence. Every
fault is taken back, even if brunt dies.`,
		Example: `  brunt run http://127.0.0.1:8080 --rate 50 --for 10s --slo "p95 < 200ms"
  brunt init
  brunt run
  brunt help exit-codes`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noSuchCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	addGroup(root, "Start:", initCommand(), convertCommand(), recordCommand(), validateCommand(), doctorCommand(),
		explainCommand(), demoCommand(), pluginCommand())
	addGroup(root, "Run:", runCommand(), findCommand(), tolerateCommand(), gateCommand(), drillCommand())
	addGroup(root, "Inject, and take back:", injectCommand(), statusCommand(), revertCommand())
	addGroup(root, "Compare:", abCommand(), compareCommand(), trendCommand(), suggestCommand())
	addGroup(root, "Report:", reportCommand(), serveCommand(), noteCommand(), verifyCommand(), attestCommand(),
		programmeCommand(), importCommand())
	addGroup(root, "Kubernetes:", imageCommand(), rbacCommand())
	root.AddCommand(schemaCommand(), lspCommand(), mcpCommand(), versionCommand(), manCommand(), exitCodesTopic(),
		serviceCommand(), watchdogCommand(), remoteWatchdogCommand(), clusterWatchdogCommand(), agentCommand(),
		stressCommand(), proxiesCommand(), workerCommand(),
		crashedCommand())
	checkUsage(root)
	checkMade(root)
	return root
}

// addGroup adds commands that the help lists under a title.
func addGroup(root *cobra.Command, title string, commands ...*cobra.Command) {
	root.AddGroup(&cobra.Group{ID: title, Title: title})
	for _, c := range commands {
		c.GroupID = title
	}
	root.AddCommand(commands...)
}

// exitCodesTopic is `brunt help exit-codes`.
func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "The exit codes, by precedence",
		Long:  "Exit codes, the first that applies:\n" + exitCodes(),
	}
}

// noSuchCommand returns an error if there are arguments that are not a subcommand of c.
func noSuchCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			known = append(known, sub.Name())
		}
	}
	if len(known) == 0 {
		return fmt.Errorf("%s has no command %q", c.CommandPath(), args[0])
	}
	return fmt.Errorf("unknown command %q; %s", args[0], syntax.DidYouMean(args[0], known))
}

// checkMade lets the commands that cobra makes, `brunt help` and `brunt completion`, refuse a command that does not
// exist.
func checkMade(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, made := range root.Commands() {
		of := root
		switch made.Name() {
		case "help":
		case "completion":
			of = made
			made.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		default:
			continue
		}
		made.Args = func(_ *cobra.Command, words []string) error {
			found, rest, err := of.Find(words)
			if err == nil {
				err = noSuchCommand(found, rest)
			}
			if err != nil {
				return seeHelp(found, err)
			}
			return nil
		}
	}
}

func exitCodes() string {
	var b strings.Builder
	for _, row := range scenarios.ExitTable() {
		fmt.Fprintf(&b, "  %-9s %-13s %s\n", row[0], row[1], row[2])
	}
	return b.String()
}
