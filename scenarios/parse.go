package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Options say from where a scenario is filled in. The zero value reads files from
// disk and variables from the environment.
type Options struct {
	Set  map[string]string                 // params given on the command line
	Env  func(string) (string, bool)       // nil is os.LookupEnv
	Read func(path string) ([]byte, error) // nil is os.ReadFile
}

// Parse reads the scenario file at path with all that it extends, fills in params,
// environment and files, and decodes what the hub knows. The error is a
// [MistakesError] with every mistake found, or one of reading the file.
func Parse(path string, o Options) (*Scenario, error) {
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	if o.Read == nil {
		o.Read = os.ReadFile
	}
	text, err := o.Read(path)
	if err != nil {
		return nil, fmt.Errorf("reading the scenario: %w", plainPath(err))
	}
	p := files{o: o, m: &Mistakes{}}
	root := p.load(path, text, nil)
	if root == nil {
		return nil, p.m.Err()
	}
	sc := p.scenario(path, root)
	if err := p.m.Err(); err != nil {
		return sc, err
	}
	return sc, nil
}

// Mistakes gives a collector that shows this scenario's lines around what is
// noted in it, for checks that come after [Parse].
func (s *Scenario) Mistakes() *Mistakes { return &Mistakes{texts: s.texts} }

func plainPath(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", pe.Path, pe.Err)
	}
	return err
}

// files reads a scenario with the files it names.
type files struct {
	o Options
	m *Mistakes
}

const maxExtends = 8

// load reads a file and lays it over the one it extends. from lists the files
// that led here.
func (p *files) load(path string, text []byte, from []string) *Node {
	n := readYAML(path, text, p.m)
	if n == nil {
		return nil
	}
	if n.Kind != Map {
		p.m.AddHint(n.Pos, "`brunt init` writes one to start from", "a scenario is a map of keys, not %s", n.describe())
		return nil
	}
	ext := n.Get("extends")
	if ext == nil {
		return n
	}
	name, ok := ext.Text(p.m)
	if !ok {
		return n
	}
	base := p.beside(path, name)
	for _, f := range append(from, path) {
		if filepath.Clean(f) == filepath.Clean(base) {
			p.m.Add(ext.Pos, "extends goes in a circle: %s", strings.Join(append(append(from, path), base), " -> "))
			return n
		}
	}
	if len(from) >= maxExtends {
		p.m.Add(ext.Pos, "extends goes deeper than %d files", maxExtends)
		return n
	}
	b, err := p.o.Read(base)
	if err != nil {
		p.m.Add(ext.Pos, "extends: %v", plainPath(err))
		return n
	}
	under := p.load(base, b, append(from, path))
	if under == nil {
		return n
	}
	return overlay(under, n.without(func(k string) bool { return k == "extends" }))
}

// overlay lays top over base: maps are merged key by key, all else is replaced.
func overlay(base, top *Node) *Node {
	if base.Kind != Map || top.Kind != Map {
		return top
	}
	out := *base
	out.Pos = top.Pos
	out.Fields = append([]Field(nil), base.Fields...)
	for _, f := range top.Fields {
		replaced := false
		for i := range out.Fields {
			if out.Fields[i].Key == f.Key {
				out.Fields[i] = Field{f.Key, f.Pos, overlay(out.Fields[i].Value, f.Value)}
				replaced = true
			}
		}
		if !replaced {
			out.Fields = append(out.Fields, f)
		}
	}
	return &out
}

// beside resolves a path that a file names: relative ones stand beside the file.
func (p *files) beside(file, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(file), filepath.FromSlash(name))
}

// maxInput bounds a file that a scenario reads: data, secrets.
const maxInput = 256 << 20

func (p *files) scenario(path string, root *Node) *Scenario {
	sc := &Scenario{File: path, Secrets: &Secrets{}, Symbols: &Symbols{}, Root: root}
	s := &scope{
		params: map[string]*param{}, env: p.o.Env, secrets: sc.Secrets, symbols: sc.Symbols, m: p.m,
		read: func(name string) ([]byte, error) {
			b, err := p.o.Read(p.beside(path, name))
			if err == nil && len(b) > maxInput {
				err = fmt.Errorf("%s has %d bytes; at most %d are read", name, len(b), maxInput)
			}
			return b, plainPath(err)
		},
	}
	p.params(s, root)
	for _, f := range root.Fields {
		if f.Key != "params" {
			s.fill(f.Value)
		}
	}
	for _, name := range sortedKeys(s.params) {
		if par := s.params[name]; !par.used {
			sc.Notes = append(sc.Notes, fmt.Sprintf("%s: param %q is used nowhere", par.pos, name))
		}
	}
	var doc document
	Decode(root, &doc, p.m)
	sc.Name, sc.Hypothesis, sc.Target, sc.Pacing = doc.Name, doc.Hypothesis, doc.Target, doc.Pacing
	sc.Setup, sc.Init, sc.Teardown = doc.Setup, doc.Init, doc.Teardown
	sc.Guard, sc.Judge, sc.Steady, sc.Stop, sc.SLO = doc.Guard, doc.Judge, doc.Steady, doc.Stop, doc.SLO
	if sc.Name == "" {
		sc.Name = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
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
	sc.Seed = rand.Uint64() >> 11 // stays exact where JSON readers keep numbers as doubles
	if doc.Seed != nil {
		sc.Seed, sc.SeedGiven = *doc.Seed, true
		if *doc.Seed > 1<<53 {
			p.m.Add(doc.Of("seed"), "a seed is at most 2^53, so that every reader of result.json sees the same one")
		}
	}
	p.target(sc, root.Get("target"))
	p.tables(sc, s, doc.Data)
	p.loads(sc, doc.Load)
	p.faults(sc, doc.Chaos)
	p.objectives(sc)
	sc.texts = p.m.texts
	return sc
}

// params collects the declared params and lays those of the command line over them.
func (p *files) params(s *scope, root *Node) {
	n := root.Get("params")
	if n != nil && n.Kind != Map && n.Kind != Null {
		p.m.Add(n.Pos, "params is a map of names to values, not %s", n.describe())
		return
	}
	if n != nil {
		for _, f := range n.Fields {
			if !paramPattern.MatchString(f.Key) || reserved[f.Key] {
				p.m.Add(f.Pos, "%q can't name a param: %s", clip(f.Key, 40), nameRule)
				continue
			}
			s.params[f.Key] = &param{node: f.Value, pos: f.Pos, origin: "param " + f.Key}
		}
	}
	for _, name := range sortedKeys(p.o.Set) {
		value := p.o.Set[name]
		file := "--set " + name
		par, ok := s.params[name]
		if !ok {
			p.m.AddHint(Pos{File: file}, DidYouMean(name, sortedKeys(s.params)), "the scenario has no param %q", name)
			continue
		}
		v := &Node{Kind: String, Value: value, Pos: Pos{File: file, Line: 1, Col: 1}}
		var scratch Mistakes
		if read := readYAML(file, []byte(value), &scratch); read != nil && scratch.Len() == 0 && read.Kind != Map {
			v = read
		}
		par.node, par.origin = v, file
		par.pos = Pos{File: file}
	}
}

const nameRule = "a name is made of a-z, 0-9 and -, begins with a letter, and is none of run, baseline, warmup, recovery, iteration"

// target checks that exactly one kind of target is named.
func (p *files) target(sc *Scenario, n *Node) {
	if n == nil || n.Kind != Map {
		return
	}
	var kinds []string
	for _, k := range []string{"url", "stack", "processes"} {
		if n.Get(k) != nil {
			kinds = append(kinds, k)
		}
	}
	t := &sc.Target
	switch len(kinds) {
	case 1:
	case 0:
		for _, later := range []string{"compose", "containers"} {
			if n.Get(later) != nil {
				return // told already
			}
		}
		p.m.AddHint(n.Pos, "such as {stack: demo} or {url: http://127.0.0.1:8080}", "the target wants one of url, stack, processes")
		return
	default:
		p.m.Add(n.Pos, "the target is one of %s, not several", strings.Join(kinds, ", "))
		return
	}
	if t.With != nil && kinds[0] != "stack" {
		p.m.Add(t.Of("with"), "`with` belongs to a stack")
	}
	if t.Entry != "" && kinds[0] == "url" {
		p.m.Add(t.Of("entry"), "`entry` names a service that brunt starts; a url needs none")
	}
}

func (p *files) tables(sc *Scenario, s *scope, n *Node) {
	if n != nil && n.Kind != Map {
		p.m.Add(n.Pos, "data is a map of names to sources, not %s", n.describe())
		n = nil
	}
	if n != nil {
		for _, f := range n.Fields {
			if !paramPattern.MatchString(f.Key) {
				p.m.Add(f.Pos, "%q can't name data: %s", clip(f.Key, 40), nameRule)
				continue
			}
			sc.Tables = append(sc.Tables, s.table(f.Key, f.Value))
		}
	}
	sc.Symbols.bindTables(sc.Tables, p.m)
}

// named walks a map of names to settings and checks the names.
func (p *files) named(n *Node, what string, each func(name string, f Field)) {
	if n == nil {
		return
	}
	if n.Kind != Map {
		p.m.Add(n.Pos, "%s is a map of names to settings, not %s", what, n.describe())
		return
	}
	for _, f := range n.Fields {
		if !namePattern.MatchString(f.Key) || reserved[f.Key] {
			p.m.Add(f.Pos, "%q can't name a %s: %s", clip(f.Key, 40), what, nameRule)
		}
		if f.Value.Kind != Map {
			p.m.Add(f.Value.Pos, "%s %q wants a map of settings, not %s", what, f.Key, f.Value.describe())
			continue
		}
		each(f.Key, f)
	}
}

func (p *files) loads(sc *Scenario, n *Node) {
	common := Keys(Load{})
	isCommon := func(k string) bool { return slices.Contains(common, k) }
	p.named(n, "load", func(name string, f Field) {
		l := Load{Name: name}
		later := false
		for _, sub := range f.Value.Fields {
			if noun, yes := NotYet(sub.Key); yes && noun == "key" {
				p.m.Add(sub.Pos, "%q is not available yet", sub.Key)
				later = true
			}
		}
		if later {
			return
		}
		Decode(f.Value.without(func(k string) bool { return !isCommon(k) }), &l, p.m)
		l.Shape = Block{Kind: l.Executor, Pos: l.Of("executor"), With: f.Value.without(isCommon), also: common}
		switch {
		case l.Flow == nil && l.Mix == nil:
			p.m.AddHint(f.Pos, "such as flow: [{get: /}]", "load %q has neither flow nor mix", name)
		case l.Flow != nil && l.Mix != nil:
			p.m.Add(l.Of("mix"), "load %q has both flow and mix", name)
		}
		if l.Has("timeout") && l.Timeout == 0 {
			p.m.Add(l.Of("timeout"), "a timeout of zero lets no request finish")
		}
		if l.Has("max_in_flight") && l.MaxInFlight < 1 {
			p.m.Add(l.Of("max_in_flight"), "max_in_flight is at least 1")
		}
		if l.Timeout == 0 {
			l.Timeout = Duration(DefaultTimeout)
		}
		if l.Grace == 0 && !l.Has("grace") {
			l.Grace = Duration(DefaultGrace)
		}
		if len(l.Flow) > 0 {
			l.Mix = []Mixed{{Place: l.Place, Weight: 1, Flow: l.Flow}}
		}
		if l.Init == nil {
			l.Init = sc.Init
		}
		sc.Loads = append(sc.Loads, l)
	})
	if n != nil && n.Kind == Map && len(n.Fields) == 0 {
		p.m.Add(n.Pos, "no load is named")
	}
}

func (p *files) faults(sc *Scenario, n *Node) {
	if n != nil && n.Kind == Null {
		return
	}
	p.named(n, "fault", func(name string, f Field) {
		fault := Fault{Name: name}
		var kinds []Field
		for _, sub := range f.Value.Fields {
			if isFaultKind(sub.Key) {
				kinds = append(kinds, sub)
			}
		}
		Decode(f.Value.without(isFaultKind), &fault, p.m)
		switch len(kinds) {
		case 1:
			fault.Block = Block{Kind: kinds[0].Key, Pos: kinds[0].Pos, With: kinds[0].Value}
		case 0:
			p.m.AddHint(f.Pos, "such as process.crash: {service: posts}", "fault %q names no kind of fault", name)
		default:
			p.m.Add(kinds[1].Pos, "fault %q has two kinds, %s and %s; give each an entry of its own", name, kinds[0].Key, kinds[1].Key)
		}
		p.timing(&fault, f)
		sc.Faults = append(sc.Faults, fault)
	})
}

// timing checks that a fault says when it comes in exactly one way.
func (p *files) timing(f *Fault, at Field) {
	starts := 0
	for _, has := range []bool{f.At != nil, f.After != "", f.During != ""} {
		if has {
			starts++
		}
	}
	if starts != 1 && at.Value.Get("trigger") == nil { // a trigger is refused already
		p.m.Add(at.Pos, "fault %q wants exactly one of at, after, during", f.Name)
	}
	if f.Repeat > 1 && f.Every == 0 {
		p.m.Add(f.Of("repeat"), "repeat wants `every`, the time from one injection to the next")
	}
	if f.Pulse != nil && f.For == 0 {
		p.m.Add(f.Of("pulse"), "pulse wants `for`, the time that it goes on")
	}
	if f.Pulse != nil && f.Every != 0 {
		p.m.Add(f.Of("pulse"), "pulse and every don't go together")
	}
	if f.Every != 0 && f.For >= f.Every {
		p.m.Add(f.Of("every"), "every %s leaves no gap after for %s", f.Every, f.For)
	}
}

// objectives gives every objective an id of its own within its list.
func (p *files) objectives(sc *Scenario) {
	for _, list := range []struct {
		key  string
		objs []Objective
	}{{"slo", sc.SLO}, {"steady", sc.Steady}, {"stop", sc.Stop}} {
		seen := map[string]bool{}
		for _, o := range list.objs {
			if o.ID == "" {
				continue
			}
			if seen[o.ID] {
				p.m.Add(o.Pos, "objective %q stands twice", o.ID)
			}
			seen[o.ID] = true
			if o.For != 0 && list.key != "stop" {
				p.m.Add(o.Pos, "`for` belongs to stop conditions")
			}
			if list.key != "slo" && o.Metric.OfFault() {
				p.m.Add(o.Pos, "%s can't be judged here: it is known only after the run", o.Metric.Text)
			}
			if list.key != "slo" && o.Phase != "" {
				p.m.Add(o.Pos, "a %s condition takes no phase", list.key)
			}
		}
	}
}
