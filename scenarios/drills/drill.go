package drills

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"brunt/scenarios/disk"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A Drill describes one failure that a system must survive. It is read from a drill file.
type Drill struct {
	syntax.Place
	Version int    `yaml:"drill,required,min=1,max=1"` // version of the language of drills
	Name    string `yaml:"name,required"`              // a-z, 0-9 and -, for `brunt drill run NAME`
	Family  string `yaml:"family,required"`            // the group in `brunt drill list`, such as redundancy
	About   string `yaml:"about,required"`             // the failure, in a sentence
	// the parts of a system that the drill needs, by name, for ${role.NAME}; --role NAME=PART binds them
	Roles Roles `yaml:"roles"`
	// names to values, for ${drill.NAME}; --set NAME=VALUE overrides them
	Params *syntax.Node `yaml:"params"`
	Ledger bool         `yaml:"ledger"` // the scenario must have a ledger
	Traces bool         `yaml:"traces"` // the scenario must receive spans, by trace: listen
	// the scenario must say which steps write and read registers, by consistency
	Registers bool `yaml:"registers"`
	// how long each load of the scenario lasts in the drill
	Lasts quantity.Duration `yaml:"lasts,required,positive"`
	// keys of a scenario that are merged over those of the scenario, such as judge
	Scenario *syntax.Node `yaml:"scenario"`
	// the faults, as in a scenario. An entry may have an act in place of a kind: crash, stop, restart, hang, slow,
	// cut, starve. They replace the faults of the scenario
	Chaos *syntax.Node `yaml:"chaos"`
	// phases, such as the phase of a fault, in which the scenario's objectives on errors and response times must hold
	// too, in addition to those of slo
	Inherit []string `yaml:"inherit"`
	// objectives that must hold, by name. An objective of the scenario on the same metric, such as errors or response
	// times, replaces one that is on the phase of a fault
	SLO   Objectives `yaml:"slo,required"`
	Proof Proof      `yaml:"proof"` // how `brunt drill prove` shows that the drill can fail

	File string `yaml:"-"`
}

// Parse reads the text of a drill. The values of set override its params. The error is a [syntax.MistakesError] with
// every mistake found.
func Parse(file string, text []byte, set map[string]string) (*Drill, error) {
	m, nodes := &syntax.Mistakes{}, 0
	root := syntax.Read(file, text, m, &nodes)
	if root == nil {
		return nil, m.Err()
	}
	if root.Kind != syntax.Map {
		m.AddHint(root.Pos, "`brunt explain drill` lists its keys", "a drill is a map of keys, not %s", root.Describe())
		return nil, m.Err()
	}
	values := params(root.Get("params"), set, m)
	root = filled(root, "drill", values, m)
	d := &Drill{File: file}
	syntax.Decode(root, d, m)
	if d.Name != "" && !syntax.IsName(d.Name) {
		m.Add(d.Of("name"), "%q can't name a drill: %s", syntax.Clip(d.Name, 40), syntax.NameRule)
	}
	d.check(root, m)
	return d, m.Err()
}

// read reads the drill in a file.
func read(file string, set map[string]string) (*Drill, error) {
	text, err := disk.ReadGiven(file, syntax.MaxFile)
	if err != nil {
		return nil, fmt.Errorf("reading the drill: %w", err)
	}
	return Parse(file, text, set)
}

// ParamNames lists the params that a drill declares.
func (d *Drill) ParamNames() []string {
	var out []string
	if d.Params != nil {
		for _, f := range d.Params.Fields {
			out = append(out, f.Key)
		}
	}
	return out
}

// params returns the values of the declared params.
func params(n *syntax.Node, set map[string]string, m *syntax.Mistakes) map[string]string {
	values := map[string]string{}
	if n != nil && n.Kind == syntax.Map {
		for _, f := range n.Fields {
			if !syntax.IsName(f.Key) {
				m.Add(f.Pos, "%q can't name a param: %s", syntax.Clip(f.Key, 40), syntax.NameRule)
			}
			values[f.Key], _ = f.Value.Text(m)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if _, ok := values[name]; !ok {
			m.AddHint(syntax.Pos{File: "--set " + name}, syntax.DidYouMean(name, slices.Sorted(maps.Keys(values))),
				"the drill has no param %q", syntax.Clip(name, 40))
			continue
		}
		values[name] = set[name]
	}
	return values
}

// check checks the decoded parts against each other.
func (d *Drill) check(root *syntax.Node, m *syntax.Mistakes) {
	roles := map[string]string{}
	for i := range d.Roles {
		roles[d.Roles[i].Name] = d.Roles[i].Name
	}
	for _, key := range []string{"scenario", "chaos", "slo", "proof"} {
		if part := root.Get(key); part != nil {
			filled(part, "role", roles, m)
		}
	}
	acts(d.Chaos, m)
	d.markRequests()
	for _, f := range d.Proof.Roles {
		if _, ok := roles[f.Name]; !ok {
			m.AddHint(f.Pos, syntax.DidYouMean(f.Name, slices.Sorted(maps.Keys(roles))), "the drill has no role %q",
				syntax.Clip(f.Name, 40))
		}
	}
	for i := range d.Proof.Mutants {
		mutant := &d.Proof.Mutants[i]
		for _, name := range mutant.Fails {
			if d.SLO.find(name) == nil {
				m.AddHint(mutant.Of("fails"), syntax.DidYouMean(name, d.SLO.names()), "the drill has no objective %q",
					syntax.Clip(name, 40))
			}
		}
	}
}

// placeholder matches the placeholders of drills. Those of scenarios stay as they are.
var placeholder = regexp.MustCompile(`\$\{(drill|role)\.([^}]*)\}`)

// filled returns a copy of n with ${of.NAME} replaced by values. An unknown name is a mistake.
func filled(n *syntax.Node, of string, values map[string]string, m *syntax.Mistakes) *syntax.Node {
	replace := func(text string, pos syntax.Pos) string {
		return placeholder.ReplaceAllStringFunc(text, func(found string) string {
			part := placeholder.FindStringSubmatch(found)
			if part[1] != of {
				return found
			}
			value, ok := values[part[2]]
			if !ok {
				noun := map[string]string{"drill": "param", "role": "role"}[of]
				m.AddHint(pos, syntax.DidYouMean(part[2], slices.Sorted(maps.Keys(values))), "the drill has no %s %q", noun,
					syntax.Clip(part[2], 40))
			}
			return value
		})
	}
	out := *n
	if n.Kind == syntax.String {
		if out.Value = replace(n.Value, n.Pos); out.Value != n.Value && placeholder.FindString(n.Value) == n.Value {
			out.Kind = syntax.PlainKind(out.Value)
		}
	}
	out.Fields, out.Items, out.Twice = nil, nil, nil
	for _, f := range n.Fields {
		out.Fields = append(out.Fields, syntax.Field{
			Key: replace(f.Key, f.Pos), Pos: f.Pos, Value: filled(f.Value, of, values, m),
		})
	}
	for _, item := range n.Items {
		out.Items = append(out.Items, filled(item, of, values, m))
	}
	return &out
}

// named calls each for the entries of a map of names to settings.
func named(n *syntax.Node, noun string, m *syntax.Mistakes, each func(f syntax.Field)) {
	switch {
	case n.Kind == syntax.Null:
		return
	case n.Kind != syntax.Map:
		m.Add(n.Pos, "want a map of names to settings, not %s", n.Describe())
		return
	}
	for _, f := range n.Fields {
		if !syntax.IsName(f.Key) {
			m.Add(f.Pos, "%q can't name %s: %s", syntax.Clip(f.Key, 40), noun, syntax.NameRule)
		}
		each(f)
	}
}
