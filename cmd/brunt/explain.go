package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/edit/reference"
	"brunt/scenarios/plan"

	"github.com/spf13/cobra"
)

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [PATH]",
		Short: "Explain a key, a kind of fault, a metric, an exit code, a term or a command",
		Long: `Explain a key of a scenario, of a policy, of a drill or of result.json, a kind of fault, an executor,
a protocol, a metric, an exit code, a term of a report, or a command of brunt. PATH is the keys with dots
between them, or the last of these keys. Without PATH, list everything that can be explained.`,
		Example: `  brunt explain network.latency
  brunt explain load.rate
  brunt explain hold
  brunt explain exit-codes`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeTerms,
		RunE: func(c *cobra.Command, args []string) error {
			text, err := explain(c.Root(), strings.Join(args, " "))
			if err != nil {
				return scenarios.Usage(err)
			}
			_, err = fmt.Fprint(stdout(c), text)
			return err
		},
	}
}

// explain returns the text for a query. A command whose name means another thing as well is named below the text of
// that thing, unless the query says that it is a command, as "brunt find" does.
func explain(root *cobra.Command, query string) (string, error) {
	words := strings.Fields(strings.ToLower(query))
	command := len(words) > 1 && words[0] == root.Name()
	if command {
		words = words[1:]
	}
	of := commandNamed(root, words)
	text, err := newReference(append(commandNames(root), drills.Names()...)...).Explain(strings.Join(words, " "))
	switch {
	case of != nil && (command || err != nil):
		return commandText(of), nil
	case of != nil:
		text += fmt.Sprintf("\nThere is a command too, `%s`: %s. See `brunt explain %[1]s`.\n", of.CommandPath(), of.Short)
	case err != nil && len(words) == 1:
		if flags := flagsNamed(root, words[0]); flags != "" {
			return flags, nil
		}
		if d, err := drills.Find(words[0], nil); err == nil && slices.Contains(drills.Names(), words[0]) {
			return drillText(d), nil
		}
	}
	return text, err
}

// flagsNamed explains the flag of a name in each command that has it; empty if none has.
func flagsNamed(root *cobra.Command, name string) string {
	var b strings.Builder
	for _, path := range commandNames(root) {
		c := commandNamed(root, strings.Fields(path))
		if f := c.LocalFlags().Lookup(name); f != nil && !f.Hidden {
			fmt.Fprintf(&b, "%s --%s: %s\n", c.CommandPath(), name, f.Usage)
		}
	}
	return b.String()
}

// drillText explains a drill that is part of brunt.
func drillText(d *drills.Drill) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: a drill\n\n%s\n\nIt needs:\n", d.Name, d.About)
	for _, need := range d.Needs() {
		fmt.Fprintf(&b, "  %s\n", need)
	}
	b.WriteString("\nIt must hold:\n")
	for i := range d.SLO {
		fmt.Fprintf(&b, "  %s\n", d.SLO[i].Objective)
	}
	fmt.Fprintf(&b, "\n`brunt drill show %s SCENARIO` lays it over a system.\n", d.Name)
	return b.String()
}

// commandText explains a command as its help does, without its flags.
func commandText(c *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: a command\n\n%s\n", c.CommandPath(), strings.TrimSpace(cmp.Or(c.Long, c.Short+".")))
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			fmt.Fprintf(&b, "\n  %s: %s", sub.CommandPath(), sub.Short)
		}
	}
	if c.HasAvailableSubCommands() {
		b.WriteString("\n")
	}
	if c.Example != "" {
		fmt.Fprintf(&b, "\nExamples:\n%s\n", strings.TrimRight(c.Example, "\n"))
	}
	fmt.Fprintf(&b, "\nIts flags: `%s --help`.\n", c.CommandPath())
	return b.String()
}

// commandNamed returns the command below root that the words name; nil: none does, or it is hidden.
func commandNamed(root *cobra.Command, words []string) *cobra.Command {
	c, rest, err := root.Find(words)
	if err != nil || len(rest) > 0 || c == root || !c.IsAvailableCommand() {
		return nil
	}
	return c
}

// commandNames lists the commands below c, as they are written after its name.
func commandNames(c *cobra.Command) (names []string) {
	for _, sub := range c.Commands() {
		if !sub.IsAvailableCommand() {
			continue
		}
		names = append(names, sub.Name())
		for _, below := range commandNames(sub) {
			names = append(names, sub.Name()+" "+below)
		}
	}
	return names
}

// newReference returns the reference of this build of brunt. Commands are the names of those that it suggests.
func newReference(commands ...string) *reference.Reference {
	return reference.Read(reference.Sources{
		Faults: plan.ArgumentKinds(), ExitCodes: scenarios.ExitTable(), Commands: commands,
	})
}
