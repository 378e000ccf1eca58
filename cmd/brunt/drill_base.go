package main

import (
	"cmp"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/plan/oneline"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// drillRate is the rate of requests of --url, at which the phase of each fault has enough to judge 1 % of errors.
const drillRate = "100"

// drillFlags say over which system a drill is laid.
type drillFlags struct {
	runFlags
	roles    []string
	url      string
	rate     string
	services []string
	counted  map[string]int // running containers by service, where they were counted
}

func (f *drillFlags) registerBase(c *cobra.Command) {
	f.register(c)
	c.Flags().StringVar(&f.url, "url", "", "instead of a scenario: load this URL")
	c.Flags().StringVar(&f.rate, "rate", "", "with --url: requests a second, such as 50 or 3000/m (default "+drillRate+")")
	c.Flags().StringArrayVar(&f.services, "service", nil,
		"with --url: a service of the system, NAME=container:CONTAINER or NAME=compose:PROJECT/SERVICE; can be given "+
			"several times")
}

func (f *drillFlags) registerRoles(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.roles, "role", nil,
		"the part of the system that plays a role: NAME=PART; can be given several times")
	c.ValidArgsFunction = completeDrills
}

// find returns the drill of a name, with the params that --set gives it; the others are of the scenario. On the
// built-in system it has the params of its proof.
func (f *drillFlags) find(name string, builtin bool) (*drills.Drill, error) {
	d, err := drills.Find(name, nil)
	if err != nil && !errors.As(err, new(*syntax.MistakesError)) {
		err = scenarios.Usage(err)
	}
	if err != nil {
		return nil, err
	}
	given, err := f.params()
	if err != nil {
		return nil, err
	}
	own := map[string]string{}
	if builtin {
		maps.Copy(own, d.Proof.Set)
	}
	f.set = nil
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if slices.Contains(d.ParamNames(), key) {
			own[key] = given[key]
			continue
		}
		f.set = append(f.set, key+"="+given[key])
	}
	return drills.Find(name, own)
}

// lay lays the drill that the arguments name over its scenario. The text stands for the file at path.
func (f *drillFlags) lay(args []string) (laid *drills.Laid, path string, err error) {
	builtin := len(args) == 1 && f.url == ""
	d, err := f.find(args[0], builtin)
	if err != nil {
		return nil, "", err
	}
	base, err := f.base(args[1:], d, nil)
	if err != nil {
		return nil, "", err
	}
	laid, err = f.over(base, d, builtin)
	return laid, f.place(base, d), err
}

// over lays a drill over a scenario, with the roles that the scenario and --role bind; on the built-in system they are
// those of its proof.
func (f *drillFlags) over(base *drills.Base, d *drills.Drill, builtin bool) (*drills.Laid, error) {
	roles, err := namedOnce("--role", f.roles)
	if err != nil {
		return nil, err
	}
	named := base.Plan.Scenario.Roles
	if builtin {
		named = d.Proof.Roles.Map()
	}
	roles = d.Bound(named, roles)
	if err := d.Bind(f.systemOf(base.Plan), roles); err != nil {
		return nil, scenarios.Usage(err)
	}
	laid, err := d.Lay(base, roles)
	if err != nil {
		return nil, scenarios.Usage(err)
	}
	return laid, nil
}

// place is the file that the text of a laid drill stands for: beside the scenario that it extends.
func (f *drillFlags) place(base *drills.Base, d *drills.Drill) string {
	if base.File == "" {
		return "drill " + d.Name
	}
	return filepath.Join(filepath.Dir(base.Plan.Scenario.File), d.Name+"-drill.yaml")
}

// base compiles the scenario under a drill: that of the arguments, one for --url, or that of the built-in system as the
// drill is proved on it, without a defence where mutant is given.
func (f *drillFlags) base(args []string, d *drills.Drill, mutant *drills.Mutant) (*drills.Base, error) {
	switch {
	case len(args) > 0 && f.url != "":
		return nil, usagef("a scenario and --url exclude each other")
	case f.url == "" && (f.rate != "" || len(f.services) > 0):
		return nil, usagef("--rate and --service go with --url; a scenario says that itself")
	case len(args) > 0:
		source := f.sourceFlags
		source.trial = true
		plan, err := compile(args[0], &source)
		if err != nil {
			return nil, err
		}
		base := &drills.Base{Plan: plan, File: filepath.Base(plan.Scenario.File)}
		if mutant != nil {
			base.Over = mutant.Scenario
		}
		return base, nil
	}
	name, text, over := commandLine, drills.Demo(), (*syntax.Node)(nil)
	if f.url != "" {
		var err error
		if text, over, err = f.ofURL(d); err != nil {
			return nil, err
		}
	} else if d != nil {
		over = d.Over(mutant)
	}
	tree, err := drills.Tree(name, text)
	if err != nil {
		return nil, err
	}
	if over != nil {
		tree = scenarios.Overlay(tree, over)
	}
	plan, err := f.text(name, syntax.WriteYAML(tree, func(s string) string { return s }), true)
	if err != nil {
		return nil, err
	}
	return &drills.Base{Plan: plan, Tree: tree}, nil
}

// again returns the words of a command that name the same system: a scenario, or --url with what goes with it, and
// --set. There are none for the built-in system.
func (f *drillFlags) again(args []string) []string {
	words := slices.Clone(args)
	add := func(flag string, values ...string) {
		for _, v := range values {
			words = append(words, flag, v)
		}
	}
	if f.url != "" {
		add("--url", f.url)
	}
	if f.rate != "" {
		add("--rate", f.rate)
	}
	add("--service", f.services...)
	add("--set", f.set...)
	return words
}

// ofURL returns the text of a scenario for --url, and what is merged over it: the containers of --service.
func (f *drillFlags) ofURL(d *drills.Drill) (string, *syntax.Node, error) {
	// subtle: a fault stays for some seconds, and a service that hangs as long answers every request in the end. Users do
	// not wait for it.
	line := oneline.Line{URL: f.url, Rate: cmp.Or(f.rate, drillRate), Timeout: "2s"}
	if d != nil {
		line.For = quantity.FormatDuration(d.Lasts.D())
	}
	text, err := line.Scenario()
	if err != nil {
		return "", nil, scenarios.Usage(err)
	}
	units, err := f.units()
	if err != nil {
		return "", nil, err
	}
	over := mapOf("slo", &syntax.Node{Kind: syntax.Null}) // the drill has its own
	if units != nil {
		over.Fields = append(over.Fields, syntax.Field{Key: "target", Value: mapOf("units", units)})
	}
	return text, over, nil
}

// units returns the units of --service; nil: there are none.
func (f *drillFlags) units() (*syntax.Node, error) {
	named, err := namedOnce("--service", f.services)
	if err != nil || len(named) == 0 {
		return nil, err
	}
	out := &syntax.Node{Kind: syntax.Map}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		kind, value, _ := strings.Cut(named[name], ":")
		project, service, ofCompose := strings.Cut(value, "/")
		var selects *syntax.Node
		switch {
		case kind == "container" && value != "":
			selects = mapOf("container", word(value))
		case kind == "compose" && ofCompose:
			selects = mapOf("project", word(project))
			selects.Fields = append(selects.Fields, syntax.Field{Key: "service", Value: word(service)})
		default:
			return nil, usagef("--service wants NAME=container:CONTAINER or NAME=compose:PROJECT/SERVICE, not %q",
				name+"="+named[name])
		}
		out.Fields = append(out.Fields, syntax.Field{Key: name, Value: selects})
	}
	return out, nil
}

// namedOnce reads NAME=PART of a flag, each name once.
func namedOnce(flag string, given []string) (map[string]string, error) {
	out, err := pairsOf(flag, given)
	for i, one := range given {
		name, _, _ := strings.Cut(one, "=")
		for _, before := range given[:i] {
			if err == nil && strings.HasPrefix(before, name+"=") {
				return nil, usagef("%s names %s twice, %q and %q; leave one out", flag, name, before, one)
			}
		}
	}
	return out, err
}

func mapOf(key string, value *syntax.Node) *syntax.Node {
	return &syntax.Node{Kind: syntax.Map, Fields: []syntax.Field{{Key: key, Value: value}}}
}

func word(s string) *syntax.Node { return &syntax.Node{Kind: syntax.String, Value: s} }
