package main

import (
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/plan"

	"github.com/spf13/cobra"
)

// completeScenario completes the file or the folder of a scenario.
func completeScenario(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// completeSet completes name= for the params of the scenario on the command line, or of the current folder's
// scenario.
func completeSet(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	path := "scenario.yaml"
	if len(args) > 0 {
		path = args[0]
	}
	if strings.Contains(begun, "=") {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var names []string
	if sc, _ := scenarios.Parse(path, scenarios.Options{}); sc != nil { // also with mistakes
		if params := sc.Root.Get("params"); params != nil {
			for _, f := range params.Fields {
				names = append(names, f.Key+"=")
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// completeFaults completes the faults of the scenario on the command line, or kinds of faults.
func completeFaults(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	switch {
	case len(args) == 0:
		return plan.ArgumentKinds(), cobra.ShellCompDirectiveDefault
	case len(args) == 1 && !slices.Contains(plan.ArgumentKinds(), args[0]):
		var names []string
		if sc, _ := scenarios.Parse(args[0], scenarios.Options{}); sc != nil {
			for i := range sc.Faults {
				names = append(names, sc.Faults[i].Name)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}

// completeOneOf completes a flag whose value is one of words.
func completeOneOf(c *cobra.Command, flag string, words ...string) {
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// completeTerms completes the terms that `brunt explain` knows.
func completeTerms(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return newReference(commandNames(c.Root())...).Names(), cobra.ShellCompDirectiveNoFileComp
}

// completeKinds completes the kind of --fault.
func completeKinds(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return plan.ArgumentKinds(), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}
