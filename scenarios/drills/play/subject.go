package play

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/plan/oneline"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// DefaultRate is the rate of requests to a URL, per second. It gives the phase of each fault enough requests to judge
// 1 % of errors.
const DefaultRate = "100"

// A Subject is the system that drills are laid over: the system of a scenario, the system behind a URL, or the
// built-in one.
type Subject struct {
	File     string            // of the scenario; empty: the system has no scenario
	URL      string            // to load, if there is no File; empty: the built-in system
	Rate     string            // of requests to the URL, such as 50 or 3000/m; empty is [DefaultRate]
	Services map[string]string // behind the URL, by name: container:CONTAINER or compose:PROJECT/SERVICE
	Set      map[string]string // params of drills and of the scenario

	// Compile compiles a scenario.
	Compile func(Source) (*plan.Plan, error)

	counted map[string]int // running containers by service; nil: they were not counted
}

// A Source is a scenario to compile.
type Source struct {
	Path  string
	Text  string            // replaces the content of the file at Path; empty: the file is read
	Set   map[string]string // its params
	Trial bool              // its objectives are not judged
}

// A Laid is a drill laid over a system.
type Laid struct {
	*drills.Laid
	Source Source // of its scenario
}

// Lay lays a drill, given by its name or its file, over the system. Roles maps roles of the drill to parts; the
// scenario may bind others. A mistake in the command line is a [scenarios.UsageError].
func (s *Subject) Lay(name string, roles map[string]string) (*Laid, error) {
	d, set, err := s.find(name, s.Set)
	if err != nil {
		return nil, err
	}
	base, err := s.base(d, nil, set)
	if err != nil {
		return nil, err
	}
	return s.over(base, d, roles, set)
}

// System compiles the scenario and returns the parts of its system, with the number of containers that run now.
func (s *Subject) System(ctx context.Context) (*drills.System, error) {
	base, err := s.base(nil, nil, s.Set)
	if err != nil {
		return nil, err
	}
	return s.count(ctx, base.Plan), nil
}

// count counts the containers of a plan, and returns its system.
func (s *Subject) count(ctx context.Context, p *plan.Plan) *drills.System {
	s.counted = containersOf(ctx, p)
	return new(s.systemOf(p))
}

// isBuiltin reports whether the drills run on the built-in system.
func (s *Subject) isBuiltin() bool { return s.File == "" && s.URL == "" }

// find returns a drill with the params of set that it declares. Rest are the other params, which belong to the
// scenario. On the built-in system the drill also gets the params of its proof.
func (s *Subject) find(name string, set map[string]string) (d *drills.Drill, rest map[string]string, err error) {
	d, err = drills.Find(name, nil)
	if err != nil && !errors.As(err, new(*syntax.MistakesError)) {
		err = scenarios.Usage(err)
	}
	if err != nil {
		return nil, nil, err
	}
	own, rest := map[string]string{}, map[string]string{}
	if s.isBuiltin() {
		maps.Copy(own, d.Proof.Set)
	}
	for key, value := range set {
		if slices.Contains(d.ParamNames(), key) {
			own[key] = value
			continue
		}
		rest[key] = value
	}
	d, err = drills.Find(name, own)
	return d, rest, err
}

// base compiles the scenario under a drill. On the built-in system it is the good system of the drill's proof, or the
// mutant if that is given. If d is nil, it is the system alone.
func (s *Subject) base(d *drills.Drill, mutant *drills.Mutant, set map[string]string) (*drills.Base, error) {
	if s.File != "" {
		p, err := s.Compile(Source{Path: s.File, Set: set, Trial: true})
		if err != nil {
			return nil, err
		}
		base := &drills.Base{Plan: p, File: filepath.Base(p.Scenario.File)}
		if mutant != nil {
			base.Over = mutant.Scenario
		}
		return base, nil
	}
	text, over := drills.Demo(), (*syntax.Node)(nil)
	if s.URL != "" {
		var err error
		if text, over, err = s.ofURL(d); err != nil {
			return nil, err
		}
	} else if d != nil {
		over = d.Over(mutant)
	}
	const name = "command line"
	tree, err := drills.Tree(name, text)
	if err != nil {
		return nil, err
	}
	if over != nil {
		tree = scenarios.Overlay(tree, over)
	}
	p, err := s.Compile(Source{Path: name, Text: written(tree), Set: set, Trial: true})
	if err != nil {
		return nil, err
	}
	return &drills.Base{Plan: p, Tree: tree}, nil
}

// written returns a tree as YAML text.
func written(tree *syntax.Node) string {
	return syntax.WriteYAML(tree, func(s string) string { return s })
}

// over lays a drill over a scenario, with the roles that the scenario and the caller bind. On the built-in system the
// roles come from the proof instead of the scenario.
func (s *Subject) over(base *drills.Base, d *drills.Drill, roles, set map[string]string) (*Laid, error) {
	named := base.Plan.Scenario.Roles
	if s.isBuiltin() {
		named = d.Proof.Roles.Map()
	}
	roles = d.Bound(named, roles)
	if err := d.Bind(s.systemOf(base.Plan), roles); err != nil {
		return nil, scenarios.Usage(err)
	}
	laid, err := d.Lay(base, roles)
	if err != nil {
		return nil, scenarios.Usage(err)
	}
	return &Laid{laid, Source{Path: place(base, d), Text: laid.Text, Set: set}}, nil
}

// place returns the path that the text of a laid drill pretends to have: beside the scenario that it extends.
func place(base *drills.Base, d *drills.Drill) string {
	if base.File == "" {
		return "drill " + d.Name
	}
	return filepath.Join(filepath.Dir(base.Plan.Scenario.File), d.Name+"-drill.yaml")
}

// countWithin is how long an engine may take to list containers.
const countWithin = 10 * time.Second

// containersOf counts the running containers of each service that a target names. It is nil if the target names none,
// or if the engine does not answer.
func containersOf(ctx context.Context, p *plan.Plan) map[string]int {
	if len(p.Containers) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, countWithin)
	defer cancel()
	find := dryrun.NewContainers(p)
	defer find.Close()
	if find.Choose(ctx) != nil { // each run reports the error itself
		return nil
	}
	out := map[string]int{}
	for _, u := range find.Units() {
		out[u.Service()]++
	}
	return out
}

// systemOf returns the system of a plan, with the numbers of containers that were counted.
func (s *Subject) systemOf(p *plan.Plan) drills.System {
	out := drills.SystemOf(p)
	for name, n := range s.counted {
		if _, has := out.Replicas[name]; has {
			out.Replicas[name] = n
		}
	}
	return out
}

// ofURL returns the text of a scenario for the URL, and the containers of its services, to be merged over it.
func (s *Subject) ofURL(d *drills.Drill) (string, *syntax.Node, error) {
	// Subtle: a fault lasts for some seconds, and a service that hangs for that long still answers every request in
	// the end. Users do not wait for it, so the timeout is short.
	line := oneline.Line{URL: s.URL, Rate: cmp.Or(s.Rate, DefaultRate), Timeout: "2s"}
	if d != nil {
		line.For = quantity.FormatDuration(d.Lasts.D())
	}
	text, err := line.Scenario()
	if err != nil {
		return "", nil, scenarios.Usage(err)
	}
	units, err := s.units()
	if err != nil {
		return "", nil, err
	}
	over := mapOf("slo", &syntax.Node{Kind: syntax.Null}) // the drill has its own
	if units != nil {
		over.Fields = append(over.Fields, syntax.Field{Key: "target", Value: mapOf("units", units)})
	}
	return text, over, nil
}

func (s *Subject) units() (*syntax.Node, error) {
	if len(s.Services) == 0 {
		return nil, nil
	}
	out := &syntax.Node{Kind: syntax.Map}
	for _, name := range slices.Sorted(maps.Keys(s.Services)) {
		kind, value, _ := strings.Cut(s.Services[name], ":")
		project, service, ofCompose := strings.Cut(value, "/")
		var selects *syntax.Node
		switch {
		case kind == "container" && value != "":
			selects = mapOf("container", word(value))
		case kind == "compose" && ofCompose:
			selects = mapOf("project", word(project))
			selects.Fields = append(selects.Fields, syntax.Field{Key: "service", Value: word(service)})
		default:
			return nil, scenarios.Usagef("--service wants NAME=container:CONTAINER or NAME=compose:PROJECT/SERVICE, not %q",
				name+"="+s.Services[name])
		}
		out.Fields = append(out.Fields, syntax.Field{Key: name, Value: selects})
	}
	return out, nil
}

func mapOf(key string, value *syntax.Node) *syntax.Node {
	return &syntax.Node{Kind: syntax.Map, Fields: []syntax.Field{{Key: key, Value: value}}}
}

func word(s string) *syntax.Node { return &syntax.Node{Kind: syntax.String, Value: s} }
