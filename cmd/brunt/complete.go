package main

import (
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/plan"

	"github.com/spf13/cobra"
)

// completeScenario completes a scenario's file or folder.
func completeScenario(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

// completeSet completes name= for the params of the scenario that the command line names, or of the folder's.
func completeSet(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	path := "scenario.yaml"
	if len(args) > 0 {
		path = args[0]
	}
	if strings.Contains(begun, "=") {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var names []string
	if sc, _ := scenarios.Parse(path, scenarios.Options{}); sc != nil { // with mistakes as well
		if params := sc.Root.Get("params"); params != nil {
			for _, f := range params.Fields {
				names = append(names, f.Key+"=")
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}

// completeFaults completes the faults of the scenario that the command line names, or kinds of fault.
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

// completeOneOf completes a flag that takes one of some words.
func completeOneOf(c *cobra.Command, flag string, words ...string) {
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

// completeTerms completes what `brunt explain` can be asked.
func completeTerms(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	r, err := newReference()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return r.Names(), cobra.ShellCompDirectiveNoFileComp
}

// completeKinds completes the kind of --fault.
func completeKinds(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return plan.ArgumentKinds(), cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
}
