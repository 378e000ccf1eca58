package scenarios

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A Policy bounds what scenarios may do, whoever writes them. It stands in a file of its
// own, and a scenario can narrow what it says and never widen it: what goes beyond is a
// mistake, and nothing starts.
type Policy struct {
	syntax.Place
	Version     int               `yaml:"version,required,min=1,max=1"` // of the language
	Name        string            `yaml:"name"`                         // what reports call it; zero is the file's
	Allow       Allow             `yaml:"allow"`                        // beyond loopback, all that load and faults may reach; a list that is not written bounds nothing
	Targets     []string          `yaml:"targets"`                      // the kinds that may be loaded, of url, stack, processes, containers, compose; pid lets faults hit processes, and container containers, that brunt did not start. Nil is all
	Faults      []string          `yaml:"faults"`                       // the kinds that may be injected, such as network.* or process.freeze; nil is all
	Forbid      []string          `yaml:"forbid"`                       // kinds that may not, even if faults names them
	Protect     Protect           `yaml:"protect"`                      // whom no fault may touch
	MaxUnits    int               `yaml:"max_units,min=1"`              // units that a fault may hit; zero is no bound
	MaxEach     quantity.Duration `yaml:"max_each,positive"`            // how long a fault may stay; zero is no bound
	MaxRate     quantity.Rate     `yaml:"max_rate,positive"`            // of all open loads together, at their peak; zero is no bound
	MaxUsers    int               `yaml:"max_users,min=1"`              // virtual users of all closed loads together; zero is no bound
	MaxInFlight int               `yaml:"max_in_flight,min=1"`          // iterations of a load; one that says nothing itself gets it. Zero is no bound
	MaxDuration quantity.Duration `yaml:"max_duration,positive"`        // of a run, its warm-up included; zero is no bound
	Require     []Requirement     `yaml:"require"`                      // what a scenario with faults must say: steady, stop, slo, seed

	File   string `yaml:"-"` // where it was read from
	Digest string `yaml:"-"` // of the file: sha256 in hex
	root   *syntax.Node

	mistakes *syntax.Mistakes // what was found wrong
}

// Mistakes gives a collector that holds what [ParsePolicy] found, for checks that come
// after.
func (p *Policy) Mistakes() *syntax.Mistakes {
	m := &syntax.Mistakes{}
	if p.mistakes != nil {
		m.Merge(p.mistakes)
	}
	return m
}

// Protect names whom no fault may touch, neither a unit itself nor a link of it.
type Protect struct {
	syntax.Place
	Services   []string `yaml:"services"`   // by name
	Units      []string `yaml:"units"`      // service[i]
	PIDs       []int    `yaml:"pids"`       // processes that brunt did not start
	Containers []string `yaml:"containers"` // containers that brunt did not start, by their names
}

// A Requirement is what a policy wants a scenario with faults to say.
type Requirement string

// What a policy can require.
const (
	RequireSteady Requirement = "steady"
	RequireStop   Requirement = "stop"
	RequireSLO    Requirement = "slo"
	RequireSeed   Requirement = "seed"
)

var requirements = []string{string(RequireSteady), string(RequireStop), string(RequireSLO), string(RequireSeed)}

// DecodeNode implements [NodeDecoder].
func (r *Requirement) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	s, ok := n.Text(m)
	if ok && !slices.Contains(requirements, s) {
		m.AddHint(n.Pos, syntax.DidYouMean(s, requirements), "a policy can't require %s", n.Describe())
	}
	*r = Requirement(s)
}

// Schema implements [Schemer].
func (*Requirement) Schema() syntax.Schema { return enumOf(requirements) }

// policyTargets are what a policy's targets can name: kinds of target, and processes of
// the machine.
var policyTargets = append(slices.Clone(targetKinds), "pid", "container")

// ParsePolicy reads the policy file at path. Kinds are the faults that it can name. The
// error is a [MistakesError] with every mistake found, or one of reading the file. With
// mistakes other than of YAML's grammar the policy is given as well.
func ParsePolicy(path string, kinds []string, o Options) (*Policy, error) {
	p := files{o: o, m: &syntax.Mistakes{}, main: path, texts: map[string]bool{}}
	text, err := p.readFile(path, syntax.MaxFile)
	if err != nil {
		return nil, fmt.Errorf("reading the policy: %w", err)
	}
	root := syntax.Read(path, text, p.m, &p.nodes)
	if root == nil {
		return nil, p.m.Err()
	}
	if root.Kind != syntax.Map {
		p.m.AddHint(root.Pos, "such as max_units: 1", "a policy is a map of keys, not %s", root.Describe())
		return nil, p.m.Err()
	}
	sum := sha256.Sum256(text)
	out := &Policy{File: path, Digest: hex.EncodeToString(sum[:]), root: root, mistakes: p.m}
	p.fixed(root)
	p.version(root.Get("version"))
	syntax.Decode(root, out, p.m)
	if out.Name == "" {
		out.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	p.oneOf(out.Items("targets"), "target", policyTargets)
	for _, key := range []string{"faults", "forbid"} {
		p.patterns(out.Items(key), kinds)
	}
	return out, p.m.Err()
}

// fixed refuses placeholders: what bounds a scenario is not filled in by what starts it.
func (p *files) fixed(n *syntax.Node) {
	for _, f := range n.Fields {
		p.fixed(f.Value)
	}
	for _, item := range n.Items {
		p.fixed(item)
	}
	if n.Kind == syntax.String && strings.Contains(n.Value, "${") && !n.Bad {
		p.m.Add(n.Pos, "%q: a policy takes no placeholders", syntax.Clip(n.Value, 60))
		n.Bad = true
	}
}

// oneOf refuses items that are none of names.
func (p *files) oneOf(items []*syntax.Node, noun string, names []string) {
	for _, n := range items {
		if s, ok := n.Text(&syntax.Mistakes{}); ok && !slices.Contains(names, s) {
			if later, yes := syntax.NotYet(s); !yes || later != noun {
				p.m.AddHint(n.Pos, syntax.DidYouMean(s, names), "there is no %s %s", noun, n.Describe())
			}
		}
	}
}

// patterns refuses what stands for no kind of fault.
func (p *files) patterns(items []*syntax.Node, kinds []string) {
	for _, n := range items {
		s, ok := n.Text(&syntax.Mistakes{})
		if !ok || slices.ContainsFunc(kinds, func(kind string) bool { return matchesKind(s, kind) }) {
			continue
		}
		if noun, later := syntax.NotYet(s); later && noun == "fault" {
			continue
		}
		p.m.AddHint(n.Pos, syntax.DidYouMean(s, kinds), "%s stands for no kind of fault", n.Describe())
	}
}

// matchesKind tells whether a pattern, a kind or the beginning of some with a star,
// stands for a kind.
func matchesKind(pattern, kind string) bool {
	begin, open := strings.CutSuffix(pattern, "*")
	if !open {
		return pattern == kind
	}
	return strings.HasPrefix(kind, begin) && (begin == "" || strings.HasSuffix(begin, "."))
}

// Forbids gives the place of what keeps a kind of fault from being injected.
func (p *Policy) Forbids(kind string) (at syntax.Pos, yes bool) {
	for i, pattern := range p.Forbid {
		if matchesKind(pattern, kind) {
			return p.Item("forbid", i), true
		}
	}
	if p.Has("faults") && !slices.ContainsFunc(p.Faults, func(pattern string) bool { return matchesKind(pattern, kind) }) {
		return p.Of("faults"), true
	}
	return syntax.Pos{}, false
}

// Items gives the items of the list at a path of keys.
func (p *Policy) Items(keys ...string) []*syntax.Node { return itemsAt(p.root, keys) }

// Item gives the place of an item of the list at key, of the key's own where there is
// none.
func (p *Policy) Item(key string, i int) syntax.Pos {
	if items := p.Items(key); i < len(items) {
		return items[i].Pos
	}
	return p.Of(key)
}

// AllowedLoad gives the items of guard.allow.load, and whether it was written; AllowedChaos
// those of guard.allow.chaos.
func (s *Scenario) AllowedLoad() (items []*syntax.Node, written bool) { return s.allowed("load") }

// AllowedChaos is as [Scenario.AllowedLoad], of what faults may reach.
func (s *Scenario) AllowedChaos() (items []*syntax.Node, written bool) { return s.allowed("chaos") }

func (s *Scenario) allowed(key string) ([]*syntax.Node, bool) {
	n := s.Root.Get("guard").Get("allow").Get(key)
	return itemsAt(s.Root, []string{"guard", "allow", key}), n != nil && n.Kind != syntax.Null
}

// itemsAt gives the items of the list at a path of keys; a single value is a list of one.
func itemsAt(n *syntax.Node, keys []string) []*syntax.Node {
	for _, key := range keys {
		n = n.Get(key)
	}
	switch {
	case n == nil || n.Kind == syntax.Null || n.Kind == syntax.Map:
		return nil
	case n.Kind == syntax.List:
		return n.Items
	}
	return []*syntax.Node{n}
}

// PolicySchema is the schema of a policy file. Kinds are the faults that it can name.
func PolicySchema(kinds []string, doc syntax.Describer) syntax.Schema {
	s := syntax.SchemaOf(reflect.TypeFor[Policy](), doc)
	list := func(key string, item syntax.Schema) {
		p := s.Property(key)
		p["allOf"] = []any{syntax.Schema{"anyOf": []any{syntax.Schema{"type": "array", "items": item}, syntax.Schema{"type": "null"}, item}}}
	}
	list("targets", enumOf(policyTargets))
	patterns := []string{"*"}
	for _, kind := range kinds {
		if group, _, ok := strings.Cut(kind, "."); ok && !slices.Contains(patterns, group+".*") {
			patterns = append(patterns, group+".*")
		}
	}
	for _, key := range []string{"faults", "forbid"} {
		list(key, enumOf(append(patterns, kinds...)))
	}
	return s
}

func enumOf(names []string) syntax.Schema {
	var out []any
	for _, n := range names {
		out = append(out, n)
	}
	return syntax.Schema{"enum": out}
}

// Summary says in words what a policy bounds.
func (p *Policy) Summary() []string {
	var out []string
	for _, f := range p.root.Fields {
		if f.Key != "version" && f.Key != "name" {
			out = append(out, f.Key+": "+f.Value.Flow())
		}
	}
	if len(out) == 0 {
		out = append(out, "it bounds nothing")
	}
	return out
}
