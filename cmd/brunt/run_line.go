package main

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/plan/oneline"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// lineFlags configures a run whose scenario is its command line.
type lineFlags struct {
	oneline.Line
	save string
}

// lineFlagNames lists the flags of lineFlags.
var lineFlagNames = []string{"rate", "for", "slo", "fault", "save"}

func (f *lineFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.Rate, "rate", "", "with a URL: requests a second, such as 50 or 3000/m (default 50)")
	c.Flags().StringVar(&f.For, "for", "", "with a URL: how long the load takes (default 30s)")
	c.Flags().StringArrayVar(&f.Objectives, "slo", nil,
		`with a URL: an objective (default "errors < 1%", or "errors = 0%" for few requests); can be given several times`)
	c.Flags().StringArrayVar(&f.Faults, "fault", nil,
		`with a URL: a fault, "KIND KEY=VALUE …", such as "network.latency delay=100ms"; can be given several times`)
	_ = c.RegisterFlagCompletionFunc("fault", completeKinds)
	c.Flags().StringVar(&f.save, "save", "", "with a URL: write the scenario to this file as well")
}

// commandLine is the name of a scenario without a file.
const commandLine = "command line"

// scenario returns the path of the scenario: the given one, the one of the current folder, or none if a plan names
// it. For a URL it makes the scenario, and stores it in f.read or in the file of --save.
func (f *runFlags) scenario(c *cobra.Command, args []string) (string, error) {
	switch {
	case len(args) == 1 && strings.Contains(args[0], "://"):
		return f.fromLine(args[0])
	case len(args) == 1 && hostPort.MatchString(args[0]) && !exists(args[0]):
		return "", usagef("%s is not a file; did you mean http://%s?", args[0], args[0])
	case len(args) == 1 || f.plan != "":
	default:
		if !exists("scenario.yaml") {
			return "", usagef("there is no scenario.yaml in this folder: `brunt init` writes one; `brunt run FILE` runs " +
				"another, `brunt run URL` needs none")
		}
		args = []string{"scenario.yaml"}
	}
	for _, name := range lineFlagNames {
		if c.Flags().Changed(name) {
			return "", usagef("--%s goes with a URL, as in `brunt run http://127.0.0.1:8080 --rate 50`; a scenario says that "+
				"itself", name)
		}
	}
	return append(args, "")[0], nil
}

// hostPort matches a URL without a scheme.
var hostPort = regexp.MustCompile(`^[A-Za-z0-9.-]+:[0-9]+(/.*)?$`)

func exists(file string) bool {
	_, err := os.Stat(file)
	return !errors.Is(err, fs.ErrNotExist)
}

// fromLine makes the scenario from the command line.
func (f *runFlags) fromLine(target string) (string, error) {
	switch {
	case f.plan != "":
		return "", usagef("a URL and --plan exclude each other")
	case len(f.set) > 0:
		return "", usagef("--set is for params of a scenario; with a URL say --rate, --for, --slo and --fault")
	case f.dryRun && f.out != "" && f.line.save == "":
		return "", usagef("a plan belongs to a scenario in a file: add --save scenario.yaml")
	}
	l := f.line.Line
	l.URL, l.Command = target, "brunt "+syntax.ShellWords(os.Args[1:])
	text, err := l.Scenario()
	if err != nil {
		return "", scenarios.Usage(err)
	}
	if f.line.save == "" {
		f.read = holding(commandLine, text)
		return commandLine, nil
	}
	if err := writeNew(f.line.save, text, disk.Private, f.force); err != nil {
		return "", err
	}
	return f.line.save, nil
}
