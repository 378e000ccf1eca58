package drills

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A Base is the scenario that a drill is laid over.
type Base struct {
	Plan *plan.Plan // compiled, with its objectives unjudged
	// the file that the drill extends, relative to its own folder; if empty, Tree is the scenario
	File string
	Tree *syntax.Node // the scenario as written, if it is not in a file
	Over *syntax.Node // changes merged over the scenario of the file, such as a mutant; nil: none
}

// A Laid is a drill laid over a scenario.
type Laid struct {
	Text  string   // a plain scenario
	Notes []string // the parts of the scenario that are left out

	objectives []laidObjective
}

// Lay lays the drill over a scenario. Roles binds the roles to parts of the system, and [Drill.Bind] checks it. The
// result is the text of a plain scenario, which is compiled, run and kept like any other. If the base is a file, the
// text extends that file.
func (d *Drill) Lay(b *Base, roles map[string]string) (*Laid, error) {
	m := &syntax.Mistakes{}
	fill := func(n *syntax.Node) *syntax.Node {
		if n == nil {
			return nil
		}
		return filled(n, "role", roles, m)
	}
	out := &Laid{}
	top := &syntax.Node{Kind: syntax.Map}
	if b.File != "" {
		set(top, "extends", text(b.File))
		if b.Over != nil {
			top = scenarios.Overlay(top, b.Over)
		}
	}
	sc := b.Plan.Scenario
	set(top, "name", text(sc.Name+nameSeparator+d.Name))
	set(top, "hypothesis", text(d.About))
	if over := fill(d.Scenario); over != nil {
		top = scenarios.Overlay(top, over)
	}
	loads, err := d.loads(sc, &out.Notes)
	if err != nil {
		return nil, err
	}
	top = scenarios.Overlay(top, &syntax.Node{Kind: syntax.Map, Fields: []syntax.Field{{Key: "load", Value: loads}}})
	if faults := replaced(sc.Root.Get("chaos"), acted(fill(d.Chaos), SystemOf(b.Plan).Breaks)); len(faults.Fields) > 0 {
		set(top, "chaos", faults)
	}
	own := slices.Clone(d.SLO)
	for i := range own {
		own[i].Objective = fill(text(own[i].Objective)).Value
	}
	out.objectives = objectives(own, d.Inherit, sc.SLO)
	list := &syntax.Node{Kind: syntax.List}
	for _, o := range out.objectives {
		list.Items = append(list.Items, text(o.text))
	}
	set(top, "slo", list)
	if b.File == "" {
		top = scenarios.Overlay(b.Tree, top)
	}
	out.Text = d.heading(b, roles, out.Notes) + syntax.WriteYAML(top, func(s string) string { return s })
	return out, m.Err()
}

// nameSeparator separates the name of a scenario from the name of the drill that is laid over it.
const nameSeparator = ": "

// SystemName returns the name of the scenario under a drill that is part of brunt, from the name of its run. Any
// other name is returned unchanged.
func SystemName(name string) string {
	i := strings.LastIndex(name, nameSeparator)
	if i < 0 {
		return name
	}
	if of := name[i+len(nameSeparator):]; slices.Contains(Names(), of) || swept(of) {
		return name[:i]
	}
	return name
}

// heading is the comment above the scenario.
func (d *Drill) heading(b *Base, roles map[string]string, notes []string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "# The drill %s", d.Name)
	var bound []string
	for _, name := range slices.Sorted(maps.Keys(roles)) {
		bound = append(bound, name+" is "+roles[name])
	}
	if len(bound) > 0 {
		fmt.Fprintf(&s, ": %s", strings.Join(bound, ", "))
	}
	s.WriteString(".\n")
	if b.File != "" {
		fmt.Fprintf(&s, "# Keep it beside %s, which it extends.\n", b.File)
	}
	for _, note := range notes {
		fmt.Fprintf(&s, "# %s\n", note)
	}
	return s.String()
}

// loads makes each load of the scenario last as long as the drill needs. A load without a duration of its own is left
// out, and so is one that begins too late.
func (d *Drill) loads(sc *scenarios.Scenario, notes *[]string) (*syntax.Node, error) {
	out := &syntax.Node{Kind: syntax.Map}
	stay := 0
	for _, l := range sc.Loads {
		n := sc.Root.Get("load").Get(l.Name)
		if l.Script != nil || n.Get("duration") == nil || l.Start.D() > d.Lasts.D()/2 {
			set(out, l.Name, &syntax.Node{Kind: syntax.Null})
			*notes = append(*notes, fmt.Sprintf("load %s is left out: it has no duration that a drill can set, or begins late.",
				l.Name))
			continue
		}
		stay++
		lasts := &syntax.Node{Kind: syntax.Map}
		set(lasts, "duration", text(quantity.FormatDuration((d.Lasts.D() - l.Start.D()).Round(time.Millisecond))))
		set(out, l.Name, lasts)
	}
	if stay == 0 {
		return nil, fmt.Errorf("the drill %s needs a load with a `duration` in %s, such as executor: constant-arrival-rate",
			d.Name, sc.File)
	}
	return out, nil
}

// replaced returns the faults of a drill, with entries that remove those of the scenario.
func replaced(theirs, own *syntax.Node) *syntax.Node {
	out := &syntax.Node{Kind: syntax.Map}
	if theirs != nil {
		for _, f := range theirs.Fields {
			if own.Get(f.Key) == nil {
				set(out, f.Key, &syntax.Node{Kind: syntax.Null})
			}
		}
	}
	if own == nil {
		return out
	}
	for _, f := range own.Fields {
		entry := *f.Value
		entry.Fields = slices.Clone(entry.Fields)
		if same := theirs.Get(f.Key); same != nil { // maps are merged key by key
			for _, sub := range same.Fields {
				if entry.Get(sub.Key) == nil {
					set(&entry, sub.Key, &syntax.Node{Kind: syntax.Null})
				}
			}
		}
		set(out, f.Key, &entry)
	}
	return out
}

func text(s string) *syntax.Node { return &syntax.Node{Kind: syntax.String, Value: s} }

func set(n *syntax.Node, key string, value *syntax.Node) {
	n.Fields = append(n.Fields, syntax.Field{Key: key, Value: value})
}

// Tree reads the text of a scenario that no file holds, for [Base.Tree].
func Tree(file, text string) (*syntax.Node, error) {
	m, nodes := &syntax.Mistakes{}, 0
	n := syntax.Read(file, []byte(text), m, &nodes)
	if n == nil {
		return nil, m.Err()
	}
	if n.Kind != syntax.Map {
		return nil, errors.New("a scenario is a map of keys")
	}
	return n, nil
}
