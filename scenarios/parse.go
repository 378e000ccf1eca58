package scenarios

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Options say from where a scenario is filled in. The zero value reads files from
// disk and variables from the environment.
type Options struct {
	Set  map[string]string                 // params given on the command line
	Meta map[string]string                 // what it says of the run, over what the file says
	Env  func(string) (string, bool)       // nil is os.LookupEnv
	Read func(path string) ([]byte, error) // nil reads from disk
}

// ScenarioName is what the scenario of a folder is called.
const ScenarioName = "scenario.yaml"

// Parse reads the scenario file at path, or [ScenarioName] of the folder there, with all
// that it extends, fills in params, environment and files, and decodes what the hub knows.
// The error is a [MistakesError] with every mistake found, or one of reading the file. With
// mistakes other than of YAML's grammar the scenario is given as well: what comes
// after Parse, such as run.Compile, collects its own on top of them by
// [Scenario.Mistakes], so that all are told in one go.
func Parse(path string, o Options) (*Scenario, error) {
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	if o.Read == nil {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			path = filepath.Join(path, ScenarioName)
		}
	}
	p := files{o: o, m: &Mistakes{secrets: &Secrets{}}, main: path, texts: map[string]bool{}}
	text, err := p.readFile(path, maxFile)
	if err != nil {
		return nil, fmt.Errorf("reading the scenario: %w", err)
	}
	root := p.load(path, text, nil)
	if root == nil {
		return nil, p.m.Err()
	}
	return p.scenario(root), p.m.Err()
}

// Mistakes gives a collector that holds what [Parse] found and shows this scenario's
// lines around what is noted in it, for checks that come after.
func (s *Scenario) Mistakes() *Mistakes {
	m := &Mistakes{secrets: s.Secrets}
	if s.mistakes != nil {
		m.merge(s.mistakes)
	}
	return m
}

func (p *files) scenario(root *Node) *Scenario {
	sc := &Scenario{File: p.main, files: p, Secrets: p.m.secrets, Symbols: &Symbols{}, Root: root, mistakes: p.m}
	s := &scope{
		params: map[string]*param{}, env: p.o.Env, secrets: sc.Secrets, symbols: sc.Symbols, m: p.m, nodes: &p.nodes,
		read:     func(from Pos, name string, most int) ([]byte, error) { return p.readFile(p.beside(from, name), most) },
		beside:   p.beside,
		settings: []*Node{root.Get("target").Get("processes"), root.Get("target").Get("containers")},
	}
	p.params(s, root)
	p.meta(root)
	for _, f := range root.Fields {
		if f.Key != "params" {
			s.ledger = f.Key == "ledger"
			s.fill(f.Value, 1)
		}
	}
	sc.Notes = s.unused()
	p.short(root, "target", "url")
	p.short(root, "warmup", "for")
	p.short(root, "trace", "send")
	p.version(root.Get("version"))
	var doc document
	Decode(root, &doc, p.m)
	sc.Name, sc.Hypothesis, sc.Target, sc.Pacing = doc.Name, doc.Hypothesis, doc.Target, doc.Pacing
	sc.Meta = doc.Meta.masked(sc.Secrets)
	sc.Auth, sc.Sign = doc.Auth, doc.Sign
	sc.Setup, sc.Init, sc.Teardown = doc.Setup, doc.Init, doc.Teardown
	sc.Guard, sc.Judge, sc.Steady, sc.Stop, sc.SLO = doc.Guard, doc.Judge, doc.Steady, doc.Stop, doc.SLO
	if sc.Name == "" {
		sc.Name = strings.TrimSuffix(filepath.Base(p.main), filepath.Ext(p.main))
	}
	if sc.Pacing == "" {
		sc.Pacing = "auto"
	}
	if sc.Guard.OnNoUnit == "" {
		sc.Guard.OnNoUnit = "fail"
	}
	if doc.Warmup != nil {
		sc.Warmup = doc.Warmup.For.D()
	}
	p.seed(sc, root, doc)
	p.target(sc, root.Get("target"))
	p.tables(sc, s, doc.Data)
	p.loads(sc, root.Get("load"))
	p.faults(sc, doc.Chaos)
	p.ledger(sc, doc.Ledger)
	p.named(doc.Metrics, "metrics", func(name string, f Field) {
		sc.Metrics = append(sc.Metrics, Watched{name, f.Pos, f.Value})
	})
	p.named(doc.Alerts, "alerts", func(name string, f Field) {
		sc.Alerts = append(sc.Alerts, Watched{name, f.Pos, f.Value})
	})
	p.trace(sc, doc.Trace)
	p.objectives(sc)
	return sc
}

// short tells how to write out a map of settings of which only one was written.
func (p *files) short(root *Node, key, setting string) {
	if n := root.Get(key); n != nil && !n.bad && n.Kind != Map && n.Kind != List && n.Kind != Null {
		p.m.AddHint(n.Pos, fmt.Sprintf("write %s: {%s: %s}", key, setting, clip(n.shown(), 60)), "`%s` is a map of settings", key)
		n.bad = true
	}
}

// version refuses a file in a language that this brunt does not read.
func (p *files) version(n *Node) {
	if n == nil || n.bad || n.Value == "1" {
		return
	}
	if _, ok := parseInt(n.Value); ok {
		p.m.Add(n.Pos, "this brunt reads version 1 of the language, not %s", n.describe())
		n.bad = true
	}
}

// maxSeed is the largest number up to which doubles hold every whole one, so that
// each reader of result.json sees the same seed.
const maxSeed = 1 << 53

func (p *files) seed(sc *Scenario, root *Node, doc document) {
	if doc.Seed == nil {
		sc.Seed = rand.Uint64N(maxSeed)
		return
	}
	sc.Seed, sc.SeedGiven = *doc.Seed, true
	if sc.Seed > maxSeed {
		p.m.Add(root.Get("seed").Pos, "a seed is at most 2^53, %d, so that every reader of result.json sees the same one", int64(maxSeed))
	}
}

// params collects the declared params and lays those of the command line over them.
func (p *files) params(s *scope, root *Node) {
	n := root.Get("params")
	if n != nil && n.Kind != Map && n.Kind != Null {
		if !n.bad {
			p.m.AddHint(n.Pos, "such as {rate: 300/s}", "params is a map of names to values, not %s", n.describe())
		}
		return
	}
	if n != nil {
		for _, f := range n.Fields {
			if !IsName(f.Key) {
				p.m.Add(f.Pos, "%q can't name a param: %s", clip(f.Key, 40), nameRule)
				continue
			}
			s.params[f.Key] = &param{node: f.Value, pos: f.Pos, origin: fmt.Sprintf("param %s, %s", f.Key, f.Value.Pos)}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.o.Set)) {
		source := "--set " + name
		par, ok := s.params[name]
		if !ok {
			hint := DidYouMean(name, slices.Sorted(maps.Keys(s.params)))
			if len(s.params) == 0 {
				hint = "the scenario declares none under `params:`"
			}
			p.m.AddHint(Pos{File: source}, hint, "the scenario has no param %q", clip(name, 40))
			continue
		}
		par.node, par.origin = p.given(par.node, source, p.o.Set[name]), source
		par.pos = Pos{File: source}
	}
}

// given makes a node of a value on the command line. It is a text, or what a text
// without quotes is in the file; a list or map only where the file has one.
func (p *files) given(declared *Node, source, value string) *Node {
	pos := Pos{File: source, Line: 1, Col: 1}
	if declared.Kind == List || declared.Kind == Map {
		if n := readYAML(source, []byte(value), p.m, &p.nodes); n != nil {
			return n
		}
		return &Node{Pos: pos, bad: true}
	}
	n := &Node{Kind: plainKind(value), Value: value, Pos: pos}
	switch {
	case n.Kind == Null:
		n.Kind = String
	case !utf8.ValidString(value):
		p.m.Add(Pos{File: source}, "the value is not UTF-8")
		n.bad = true
	}
	return n
}

var targetKinds = []string{"url", "stack", "processes", "containers", "compose"}

// target checks that exactly one kind of target is named.
func (p *files) target(sc *Scenario, n *Node) {
	if n == nil || n.bad || n.Kind != Map && n.Kind != Null {
		return
	}
	kinds := slices.DeleteFunc(slices.Clone(targetKinds), func(k string) bool { return n.Get(k) == nil })
	place := func(k string) int { return slices.IndexFunc(n.Fields, func(f Field) bool { return f.Key == k }) }
	t := &sc.Target
	switch {
	case len(kinds) > 1:
		slices.SortFunc(kinds, func(a, b string) int { return cmp.Compare(place(a), place(b)) })
		hint := ""
		if first := t.Of(kinds[0]); first.File != t.Of(kinds[1]).File {
			hint = fmt.Sprintf("`%s: null` takes away what %s says", kinds[0], first.File)
		}
		p.m.AddHint(t.Of(kinds[1]), hint, "a target is one of %s, not both", strings.Join(kinds[:2], " and "))
		return
	case len(kinds) == 0:
		misspelt := slices.ContainsFunc(n.Fields, func(f Field) bool { return nearest(f.Key, targetKinds) != "" })
		if !misspelt { // else told already
			p.m.AddHint(n.Pos, "such as {stack: demo} or {url: \"http://127.0.0.1:8080\"}", "the target wants one of url, stack, processes, containers, compose")
		}
		return
	}
	if t.With != nil && kinds[0] != "stack" {
		p.m.Add(t.Of("with"), "`with` belongs to a stack")
	}
	if t.Platform != "" && kinds[0] != "stack" {
		p.m.Add(t.Of("platform"), "`platform` belongs to a stack; %s say what they are themselves", kinds[0])
	}
	if t.Units != nil && kinds[0] != "url" {
		p.m.Add(t.Of("units"), "`units` names containers that run already, beside a url; those of %s have the names of their services", kinds[0])
	}
	if t.Has("entry") && kinds[0] == "url" {
		p.m.Add(t.Of("entry"), "`entry` names a service that brunt starts; a url needs none")
	}
	p.tls(sc, n.Get("tls"))
}

func (p *files) tables(sc *Scenario, s *scope, n *Node) {
	p.named(n, "data", func(name string, f Field) {
		sc.Tables = append(sc.Tables, s.table(name, f.Value))
	})
	sc.Symbols.bindTables(sc.Tables, p.m)
}
