// Package policies reads policy files: limits that hold for every scenario of a team or a machine.
//
//	policy file --Parse--> Policy --> package allow, by address
//	                             '--> package plan/policy, by what a plan does
package policies

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A Policy limits every scenario of a team or a machine. It is a separate file. A scenario can narrow its limits but
// not widen them. A scenario beyond the limits is a mistake, and nothing starts.
type Policy struct {
	syntax.Place
	Version int    `yaml:"version,required,min=1,max=1"` // version of the language
	Name    string `yaml:"name"`                         // name in reports; zero is the name of the file
	// addresses beyond loopback that load and faults may reach; a missing list is no limit
	Allow scenarios.Allow `yaml:"allow"`
	// kinds of target that may be loaded: url, stack, processes, containers, compose; and units that brunt did not
	// start and that faults may hit: pid for processes, container for containers, kubernetes for pods; nil is all
	Targets []string `yaml:"targets"`
	// kinds of fault that may be injected, such as network.* or process.freeze; nil is all
	Faults []string `yaml:"faults"`
	// kinds of fault that may not be injected, even if faults names them. exec also covers the commands of metrics,
	// watch, ready, leader, detect, verify, gone, setup, teardown and plug-ins. commands covers everything of the
	// author's that a scenario can start: all these, action.run, kube.apply, processes, containers, a Compose file,
	// scripts of k6, and images for workers, agents and the watchdog
	Forbid []string `yaml:"forbid"`
	// folders besides its own from which a scenario and its scripts of k6 may read files, after symbolic links are
	// resolved; a relative one is beside the policy; an empty list allows nothing, a missing list is no limit
	Files   []string `yaml:"files"`
	Protect Protect  `yaml:"protect"` // units that no fault may hit
	// maximum number of units that a fault may hit; zero is no bound
	MaxUnits int               `yaml:"max_units,min=1"`
	MaxEach  quantity.Duration `yaml:"max_each,positive"` // maximum duration of a fault; zero is no bound
	// maximum rate of all open loads together, at their peak; zero is no bound
	MaxRate quantity.Rate `yaml:"max_rate,positive"`
	// maximum number of virtual users of all closed loads together; zero is no bound
	MaxUsers int `yaml:"max_users,min=1"`
	// maximum number of iterations in flight of a load, and also its default; zero is no bound
	MaxInFlight int `yaml:"max_in_flight,min=1"`
	// maximum duration of a run, including its warm-up; zero is no bound
	MaxDuration quantity.Duration `yaml:"max_duration,positive"`
	// keys that a scenario with faults must have: steady, stop, slo, seed
	Require []Requirement `yaml:"require"`
	// how often scenarios and drills must pass, by name: `{"shop: *": 90d, replica-crash: 30d}`. A name is that of a
	// scenario, or of the drill at its end; * stands for any text; of several that fit, the shortest time counts. It
	// bounds no run: brunt programme, serve and report --site say what is overdue
	Cadence map[string]Period `yaml:"cadence"`

	File   string `yaml:"-"` // the policy file
	Digest string `yaml:"-"` // sha256 of the file, in hex
	root   *syntax.Node

	mistakes *syntax.Mistakes // mistakes of the policy file
}

// Mistakes returns a collector for later checks. It contains the mistakes that [Parse] found.
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
	// namespaces of clusters; kube-* and openshift-* are always protected
	Namespaces []string `yaml:"namespaces"`
	// labels in a cluster: a pod is protected if it, its workload, its node or its namespace has one of them; an
	// empty value matches any value; brunt.dev/protect=true always protects
	Labels map[string]string `yaml:"labels"`
}

// A Period is a time in days or as a duration: 90d, 12h. It is more than zero and at most ten years.
type Period time.Duration

// longestPeriod is the longest period, in days.
const longestPeriod = 3660

// parsePeriod parses a period.
func parsePeriod(s string) (time.Duration, error) {
	days, isDays := strings.CutSuffix(strings.TrimSpace(s), "d")
	if n, ok := syntax.ParseFloat(days); isDays && ok {
		if n <= 0 || n > longestPeriod {
			return 0, fmt.Errorf("a cadence is more than zero and at most %d days, not %s", longestPeriod,
				syntax.Clip(s, 20))
		}
		return time.Duration(n * float64(24*time.Hour)), nil
	}
	d, err := quantity.ParseDuration(s)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is no cadence; want days or a duration, such as 90d or 12h", syntax.Clip(s, 40))
	case d == 0:
		return 0, errors.New("a cadence is more than zero")
	}
	return d, nil
}

func (p *Period) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	syntax.DecodeScalar(n, m, parsePeriod, func(d time.Duration) { *p = Period(d) })
}

func (*Period) Schema() syntax.Schema {
	return syntax.Schema{"type": "string", "pattern": `^\s*([0-9.]+d|([0-9.]+(ns|us|µs|ms|s|m|h))+)\s*$`}
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

func (r *Requirement) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	s, ok := n.Text(m)
	if ok && !slices.Contains(requirements, s) {
		m.AddHint(n.Pos, syntax.DidYouMean(s, requirements), "a policy can't require %s", n.Describe())
	}
	*r = Requirement(s)
}

func (*Requirement) Schema() syntax.Schema { return syntax.Enum(requirements) }

// targets are the values of a policy's targets: kinds of target, processes and containers of the machine, and pods of
// a cluster.
var targets = append(scenarios.TargetKinds(), "pid", "container", "kubernetes")

// ownKeys are the keys of a policy that no scenario has.
var ownKeys = []string{
	"allow", "cadence", "faults", "files", "forbid", "max_duration", "max_each", "max_in_flight", "max_rate", "max_units",
	"max_users", "require", "targets",
}

// IsPolicy reports whether a file holds a policy: a map with a key that only policies have, and without the parts that
// make a scenario.
func IsPolicy(file string) bool {
	text, err := disk.Read(file, syntax.MaxFile)
	if err != nil {
		return false
	}
	nodes := 0
	root := syntax.Read(file, text, &syntax.Mistakes{}, &nodes)
	if root == nil || root.Kind != syntax.Map {
		return false
	}
	has := func(key string) bool { return root.Get(key) != nil }
	return slices.ContainsFunc(ownKeys, has) && !slices.ContainsFunc([]string{"extends", "load", "target"}, has)
}

// Parse reads the policy file at path, with read if it is not nil. Kinds are the kinds of fault that the policy can
// name. The error is a [syntax.MistakesError] with every mistake, or an error of reading the file. If the mistakes
// are not YAML syntax errors, it returns the policy as well.
func Parse(path string, kinds []string, read func(path string) ([]byte, error)) (*Policy, error) {
	if read == nil {
		read = func(path string) ([]byte, error) { return disk.ReadGiven(path, syntax.MaxFile) }
	}
	text, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("reading the policy: %w", disk.Named(err))
	}
	m, nodes := &syntax.Mistakes{}, 0
	root := syntax.Read(path, text, m, &nodes)
	if root == nil {
		return nil, m.Err()
	}
	if root.Kind != syntax.Map {
		m.AddHint(root.Pos, "such as max_units: 1", "a policy is a map of keys, not %s", root.Describe())
		return nil, m.Err()
	}
	sum := sha256.Sum256(text)
	out := &Policy{File: path, Digest: hex.EncodeToString(sum[:]), root: root, mistakes: m}
	fixed(root, m)
	scenarios.CheckVersion(root.Get("version"), m)
	syntax.Decode(root, out, m)
	if out.Name == "" {
		out.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	knownTargets(out.Items("targets"), m)
	patterns(out.Items("faults"), kinds, m)
	patterns(out.Items("forbid"), append(slices.Clone(kinds), commands), m)
	if n := root.Get("cadence"); n != nil {
		for _, f := range n.Fields {
			if strings.TrimSpace(f.Key) == "" {
				m.AddHint(f.Pos, "such as cadence: {\"shop: *\": 90d}", "a cadence names a scenario or a drill")
			}
		}
	}
	return out, m.Err()
}

// fixed refuses placeholders, because the command that starts a scenario must not set its limits.
func fixed(n *syntax.Node, m *syntax.Mistakes) {
	for _, f := range n.Fields {
		fixed(f.Value, m)
	}
	for _, item := range n.Items {
		fixed(item, m)
	}
	if n.Kind == syntax.String && strings.Contains(n.Value, "${") && !n.Bad {
		m.Add(n.Pos, "%q: a policy takes no placeholders", syntax.Clip(n.Value, 60))
		n.Bad = true
	}
}

// knownTargets refuses items that are not targets.
func knownTargets(items []*syntax.Node, m *syntax.Mistakes) {
	for _, n := range items {
		if s, ok := n.Text(&syntax.Mistakes{}); ok && !slices.Contains(targets, s) {
			if later, yes := syntax.NotYet(s); !yes || later != "target" {
				m.AddHint(n.Pos, syntax.DidYouMean(s, targets), "there is no target %s", n.Describe())
			}
		}
	}
}

// patterns refuses items that match no kind of fault.
func patterns(items []*syntax.Node, kinds []string, m *syntax.Mistakes) {
	for _, n := range items {
		s, ok := n.Text(&syntax.Mistakes{})
		if !ok || slices.ContainsFunc(kinds, func(kind string) bool { return matchesKind(s, kind) }) {
			continue
		}
		if noun, later := syntax.NotYet(s); later && noun == "fault" {
			continue
		}
		m.AddHint(n.Pos, syntax.DidYouMean(s, kinds), "%s stands for no kind of fault", n.Describe())
	}
}

// matchesKind reports whether a pattern matches a kind. A pattern is a kind, or a prefix with a star.
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

// commands stands under forbid for everything of the author's that a scenario can start.
const commands = "commands"

// ForbidsCommands returns the place of the rule that forbids everything of the author's that a scenario can start.
func (p *Policy) ForbidsCommands() (at syntax.Pos, yes bool) {
	if i := slices.Index(p.Forbid, commands); i >= 0 {
		return p.Item("forbid", i), true
	}
	return syntax.Pos{}, false
}

// Folders returns the folders besides its own from which a scenario may read files. Bounded is false if the policy sets
// no limit.
func (p *Policy) Folders() (folders []string, bounded bool) {
	for _, folder := range p.Files {
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(filepath.Dir(p.File), folder)
		}
		folders = append(folders, scenarios.Followed(folder))
	}
	return folders, p.Has("files")
}

// CheckFile returns an error if a scenario may not read a file. Path is absolute, and symbolic links are resolved.
func (p *Policy) CheckFile(path string) error {
	if folders, bounded := p.Folders(); !bounded || scenarios.InFolders(path, folders) {
		return nil
	}
	return fmt.Errorf("%s lies outside the scenario's folder, and %s says files: [%s]", path, p.Of("files"),
		strings.Join(p.Files, ", "))
}

// Items returns the items of the list at a path of keys.
func (p *Policy) Items(keys ...string) []*syntax.Node { return p.root.ItemsAt(keys...) }

// Item returns the place of an item of the list at key, or the place of the key if there is no such item.
func (p *Policy) Item(key string, i int) syntax.Pos {
	if items := p.Items(key); i < len(items) {
		return items[i].Pos
	}
	return p.Of(key)
}

// Schema returns the schema of a policy file. Kinds are the kinds of fault that it can name.
func Schema(kinds []string, doc syntax.Describer) syntax.Schema {
	s := syntax.SchemaOf(reflect.TypeFor[Policy](), doc)
	list := func(key string, item syntax.Schema) {
		p := s.Property(key)
		p["allOf"] = []any{
			syntax.Schema{"anyOf": []any{syntax.Schema{"type": "array", "items": item}, syntax.Schema{"type": "null"}, item}},
		}
	}
	list("targets", syntax.Enum(targets))
	globs := []string{"*"}
	for _, kind := range kinds {
		if group, _, ok := strings.Cut(kind, "."); ok && !slices.Contains(globs, group+".*") {
			globs = append(globs, group+".*")
		}
	}
	list("faults", syntax.Enum(slices.Concat(globs, kinds)))
	list("forbid", syntax.Enum(slices.Concat(globs, kinds, []string{commands})))
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
