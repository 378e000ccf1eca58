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

// A Policy limits what any scenario may do. It is a separate file; a scenario can narrow its
// limits but not widen them. A scenario beyond the limits is a mistake, and nothing starts.
type Policy struct {
	syntax.Place
	Version int    `yaml:"version,required,min=1,max=1"` // version of the language
	Name    string `yaml:"name"`                         // name in reports; zero is the file's
	// addresses beyond loopback that load and faults may reach; a missing list is no limit
	Allow Allow `yaml:"allow"`
	// kinds of target that may be loaded, of url, stack, processes, containers, compose; pid allows
	// faults on processes, container on containers, and kubernetes on pods, that brunt did not start; nil is all
	Targets []string `yaml:"targets"`
	// kinds of fault that may be injected, such as network.* or process.freeze; nil is all
	Faults []string `yaml:"faults"`
	// kinds of fault that may not be injected, even if faults names them
	Forbid  []string `yaml:"forbid"`
	Protect Protect  `yaml:"protect"` // units that no fault may hit
	// maximum of units that a fault may hit; zero is no bound
	MaxUnits int               `yaml:"max_units,min=1"`
	MaxEach  quantity.Duration `yaml:"max_each,positive"` // maximum duration of a fault; zero is no bound
	// maximum rate of all open loads together, at their peak; zero is no bound
	MaxRate quantity.Rate `yaml:"max_rate,positive"`
	// maximum of virtual users of all closed loads together; zero is no bound
	MaxUsers int `yaml:"max_users,min=1"`
	// maximum of iterations in flight of a load, and its default; zero is no bound
	MaxInFlight int `yaml:"max_in_flight,min=1"`
	// maximum duration of a run, its warm-up included; zero is no bound
	MaxDuration quantity.Duration `yaml:"max_duration,positive"`
	// keys that a scenario with faults must have: steady, stop, slo, seed
	Require []Requirement `yaml:"require"`

	File   string `yaml:"-"` // the policy file
	Digest string `yaml:"-"` // of the file: sha256 in hex
	root   *syntax.Node

	mistakes *syntax.Mistakes // mistakes of the policy file
}

// Mistakes returns a collector for later checks. It contains what [ParsePolicy] found.
func (p *Policy) Mistakes() *syntax.Mistakes {
	m := &syntax.Mistakes{}
	if p.mistakes != nil {
		m.Merge(p.mistakes)
	}
	return m
}

// Protect names units that no fault may hit, neither the unit itself nor a link of it.
type Protect struct {
	syntax.Place
	Services   []string `yaml:"services"`   // by name
	Units      []string `yaml:"units"`      // service[i]
	PIDs       []int    `yaml:"pids"`       // processes that brunt did not start
	Containers []string `yaml:"containers"` // containers that brunt did not start, by their names
	// namespaces of clusters; kube-* and openshift-* always are
	Namespaces []string `yaml:"namespaces"`
	// what has one of these labels in a cluster: a pod, or its workload, its node or its namespace; an empty value is any;
	// brunt.dev/protect=true always protects
	Labels map[string]string `yaml:"labels"`
}

// A Requirement is a key that a policy requires of a scenario with faults.
type Requirement string

// The keys that a policy can require.
const (
	RequireSteady Requirement = "steady"
	RequireStop   Requirement = "stop"
	RequireSLO    Requirement = "slo"
	RequireSeed   Requirement = "seed"
)

var requirements = []string{string(RequireSteady), string(RequireStop), string(RequireSLO), string(RequireSeed)}

// DecodeNode implements [syntax.NodeDecoder].
func (r *Requirement) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	s, ok := n.Text(m)
	if ok && !slices.Contains(requirements, s) {
		m.AddHint(n.Pos, syntax.DidYouMean(s, requirements), "a policy can't require %s", n.Describe())
	}
	*r = Requirement(s)
}

// Schema implements [syntax.Schemer].
func (*Requirement) Schema() syntax.Schema { return syntax.Enum(requirements) }

// policyTargets are the values of a policy's targets: kinds of target, processes and
// containers of the machine, and pods of a cluster.
var policyTargets = append(slices.Clone(targetKinds), "pid", "container", "kubernetes")

// ParsePolicy reads the policy file at path. Kinds are the faults that it can name. The error is
// a [syntax.MistakesError] with every mistake found, or an error of reading the file. With mistakes
// other than YAML syntax errors, it returns the policy as well.
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

// fixed refuses placeholders: the command that starts a scenario must not set its limits.
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

// oneOf refuses items that are not in names.
func (p *files) oneOf(items []*syntax.Node, noun string, names []string) {
	for _, n := range items {
		if s, ok := n.Text(&syntax.Mistakes{}); ok && !slices.Contains(names, s) {
			if later, yes := syntax.NotYet(s); !yes || later != noun {
				p.m.AddHint(n.Pos, syntax.DidYouMean(s, names), "there is no %s %s", noun, n.Describe())
			}
		}
	}
}

// patterns refuses items that match no kind of fault.
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

// matchesKind reports whether a pattern, a kind or a prefix with a star, matches a kind.
func matchesKind(pattern, kind string) bool {
	begin, open := strings.CutSuffix(pattern, "*")
	if !open {
		return pattern == kind
	}
	return strings.HasPrefix(kind, begin) && (begin == "" || strings.HasSuffix(begin, "."))
}

// Forbids returns the place of the rule that forbids a kind of fault.
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

// Items returns the items of the list at a path of keys.
func (p *Policy) Items(keys ...string) []*syntax.Node { return itemsAt(p.root, keys) }

// Item returns the place of an item of the list at key, or of the key itself where there is no such item.
func (p *Policy) Item(key string, i int) syntax.Pos {
	if items := p.Items(key); i < len(items) {
		return items[i].Pos
	}
	return p.Of(key)
}

// AllowedLoad returns the items of guard.allow.load, and whether it was written.
func (s *Scenario) AllowedLoad() (items []*syntax.Node, written bool) { return s.allowed("load") }

// AllowedChaos returns the items of guard.allow.chaos, and whether it was written.
func (s *Scenario) AllowedChaos() (items []*syntax.Node, written bool) { return s.allowed("chaos") }

func (s *Scenario) allowed(key string) ([]*syntax.Node, bool) {
	n := s.Root.Get("guard").Get("allow").Get(key)
	return itemsAt(s.Root, []string{"guard", "allow", key}), n != nil && n.Kind != syntax.Null
}

// itemsAt returns the items of the list at a path of keys; a single value is a list of one.
func itemsAt(n *syntax.Node, keys []string) []*syntax.Node {
	for _, key := range keys {
		n = n.Get(key)
	}
	if n == nil || n.Kind == syntax.Null || n.Kind == syntax.Map {
		return nil
	}
	return n.OneOrMore()
}

// PolicySchema is the schema of a policy file. Kinds are the faults that it can name.
func PolicySchema(kinds []string, doc syntax.Describer) syntax.Schema {
	s := syntax.SchemaOf(reflect.TypeFor[Policy](), doc)
	list := func(key string, item syntax.Schema) {
		p := s.Property(key)
		p["allOf"] = []any{syntax.Schema{"anyOf": []any{syntax.Schema{"type": "array", "items": item}, syntax.Schema{"type": "null"}, item}}}
	}
	list("targets", syntax.Enum(policyTargets))
	patterns := []string{"*"}
	for _, kind := range kinds {
		if group, _, ok := strings.Cut(kind, "."); ok && !slices.Contains(patterns, group+".*") {
			patterns = append(patterns, group+".*")
		}
	}
	for _, key := range []string{"faults", "forbid"} {
		list(key, syntax.Enum(append(patterns, kinds...)))
	}
	return s
}

// Summary describes the limits of a policy in words.
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
