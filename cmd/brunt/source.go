package main

import (
	"errors"
	"os"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/policies"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// sourceFlags names the inputs of a scenario and the policies that restrict it.
type sourceFlags struct {
	set     []string
	meta    []string
	policy  []string
	planned *dryrun.PlanFile                  // the plan to repeat; nil: none
	trial   bool                              // the objectives are not judged
	split   int                               // the number of workers, see plan.CompileOptions.Workers
	read    func(path string) ([]byte, error) // reads the files of the scenario; nil reads from the disk
	folder  string                            // the scenario's own folder; empty is the folder of its file
}

func (f *sourceFlags) register(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.set, "set", nil, "set a param: name=value; can be given several times")
	c.Flags().StringArrayVar(&f.meta, "meta", nil,
		"data for your organisation, which a run records: operator=ann, approver=…, ticket=…, closes=…; can be given "+
			"several times")
	_ = c.RegisterFlagCompletionFunc("set", completeSet)
	if c.ValidArgsFunction == nil {
		c.ValidArgsFunction = completeScenario
	}
	policyFlag(c, &f.policy)
}

func policyFlag(c *cobra.Command, policy *[]string) {
	c.Flags().StringArrayVar(policy, "policy", nil,
		"a policy file, which limits what scenarios may do; can be given several times; $BRUNT_POLICY also names one")
}

// policyFiles adds the policy in the environment to the policies on the command line.
func policyFiles(given []string) []string {
	if p := os.Getenv("BRUNT_POLICY"); p != "" && !slices.Contains(given, p) {
		return append([]string{p}, given...)
	}
	return given
}

// policies reads all policies that apply.
func (f *sourceFlags) policies() ([]*policies.Policy, error) {
	out, err := plan.ReadPolicies(policyFiles(f.policy), f.read)
	if err != nil && !errors.As(err, new(*syntax.MistakesError)) { // a file cannot be read
		err = scenarios.Usage(err)
	}
	return out, err
}

// holding returns a reader of files that returns text for the file at path, and reads all others.
func holding(path, text string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		if name == path {
			return []byte(text), nil
		}
		return disk.Read(name, syntax.MaxFile)
	}
}

// errNoName refuses an empty argument as a scenario.
var errNoName = usagef("the name of the scenario is empty")

// params reads --set.
func (f *sourceFlags) params() (map[string]string, error) { return pairsOf("--set", f.set) }

// facts reads --meta.
func (f *sourceFlags) facts() (map[string]string, error) { return pairsOf("--meta", f.meta) }

func pairsOf(flag string, given []string) (map[string]string, error) {
	out := map[string]string{}
	for _, s := range given {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, usagef("%s wants name=value, not %q", flag, s)
		}
		out[name] = value
	}
	return out, nil
}

// parse parses a scenario, which reads no file that a policy forbids. It keeps the scenario's mistakes with it, so that
// compile reports them together with its own.
func (f *sourceFlags) parse(path string, to []*policies.Policy) (*scenarios.Scenario, error) {
	values, err := f.params()
	if err != nil {
		return nil, err
	}
	meta, err := f.facts()
	if err != nil {
		return nil, err
	}
	switch path {
	case "":
		return nil, errNoName
	case "-":
		return nil, usagef("a scenario is a file; the standard input is /dev/stdin")
	}
	sc, err := scenarios.Parse(path, scenarios.Options{
		Set: values, Meta: meta, Read: f.read, CheckFile: plan.CheckFile(to), Folder: f.folder,
	})
	if sc != nil {
		return sc, nil
	}
	if !errors.As(err, new(*syntax.MistakesError)) { // the file cannot be read
		err = scenarios.Usage(err)
	}
	return nil, err
}

// compile reads and compiles a scenario. If f is zero or nil, values and policies come only from the environment.
func compile(path string, f *sourceFlags) (*plan.Plan, error) {
	if f == nil {
		f = new(sourceFlags)
	}
	policies, err := f.policies()
	if err != nil {
		return nil, err
	}
	sc, err := f.parse(path, policies)
	if err != nil {
		return nil, err
	}
	if f.planned != nil && !sc.SeedGiven {
		sc.Seed = f.planned.Seed
	}
	return plan.Compile(sc, plan.CompileOptions{Self: self(), Policies: policies, Unjudged: f.trial, Workers: f.split})
}
