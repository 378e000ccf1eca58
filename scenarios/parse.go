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

	"brunt/scenarios/foreign"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Options are the inputs of a scenario besides its file. The zero value reads files from disk and
// variables from the environment.
type Options struct {
	Set  map[string]string                 // params of the command line
	Meta map[string]string                 // meta of the command line, which overrides the file's
	Env  func(string) (string, bool)       // nil is os.LookupEnv
	Read func(path string) ([]byte, error) // nil reads from disk
	// CheckFile returns an error if the scenario may not read a file outside its folder, by its absolute path without
	// symbolic links; nil allows all
	CheckFile func(path string) error
	// Folder is the scenario's own folder, for a file that brunt writes elsewhere over a scenario; empty is the
	// folder of the file
	Folder string

	environ []string // the process's environment, if Env is nil
}

// scenarioName is the name of the scenario file in a folder.
const scenarioName = "scenario.yaml"

// Parse reads the scenario file at path, or [scenarioName] if path is a folder, and the files that it extends. It
// fills in params, environment and files, and decodes the parts that the hub defines. The error is a
// [syntax.MistakesError] with every mistake found, or an error of reading the file. With mistakes other than YAML
// syntax errors, Parse returns the scenario as well: later stages, such as plan.Compile, add their mistakes by
// [Scenario.Mistakes], so that all are reported at once. If a file that it extends can't be read, the scenario has the
// parts of the author's own file, and [syntax.Mistakes.Partial] is set.
func Parse(path string, o Options) (*Scenario, error) {
	if o.Env == nil {
		o.Env, o.environ = os.LookupEnv, os.Environ()
	}
	if o.Read == nil {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			path = filepath.Join(path, scenarioName)
		}
	}
	secrets := &template.Secrets{}
	p := files{
		o: o, m: syntax.NewMistakes(secrets.Mask, secrets.Hide), secrets: secrets, main: path, texts: map[string]bool{},
	}
	text, err := p.readFile(path, syntax.MaxFile)
	if err != nil {
		return nil, fmt.Errorf("reading the scenario: %w", err)
	}
	root := p.load(path, text, nil)
	if other := foreign.Answer(text, ""); other != "" && !slices.ContainsFunc(foreign.OwnKeys(), func(key string) bool {
		return root.Get(key) != nil
	}) {
		m := syntax.NewMistakes(secrets.Mask, secrets.Hide)
		m.Add(syntax.Pos{File: path, Line: 1, Col: 1}, "%s", other)
		return nil, m.Err()
	}
	if root == nil {
		return nil, p.m.Err()
	}
	return p.scenario(root), p.m.Err()
}

// Mistakes returns a collector for later checks. It contains what [Parse] found and shows the
// lines of this scenario around each mistake.
func (s *Scenario) Mistakes() *syntax.Mistakes {
	m := syntax.NewMistakes(s.Secrets.Mask, s.Secrets.Hide)
	if s.Origin.mistakes != nil {
		m.Merge(s.Origin.mistakes)
	}
	return m
}

func (p *files) scenario(root *syntax.Node) *Scenario {
	sc := &Scenario{File: p.main, Origin: Origin{p.m, p}, Secrets: p.secrets, Symbols: &template.Symbols{}, Root: root}
	var outside []template.SecretRef
	s := &template.Scope{
		Params: map[string]*template.Param{}, Env: p.o.Env, Secrets: sc.Secrets, Symbols: sc.Symbols, Mistakes: p.m,
		Nodes: &p.nodes,
		Read: func(from syntax.Pos, name string, most int) ([]byte, error) {
			outside = append(outside, p.secret(from, name)...)
			return p.readFile(p.beside(from, name), most)
		},
		Beside:   p.beside,
		Settings: []*syntax.Node{root.Get("target").Get("processes"), root.Get("target").Get("containers")},
	}
	p.params(s, root)
	p.meta(root)
	for _, f := range slices.Concat(root.Fields, root.Twice) {
		if f.Key != "params" {
			s.Ledger = f.Key == "ledger" || f.Key == "ledgers"
			s.Fill(f.Value, 1)
		}
	}
	sc.Notes = s.Unused()
	for _, name := range p.declared {
		_, given := p.o.Set[name]
		sc.params = append(sc.params, param{name: name, node: s.Params[name].Node, given: given})
	}
	nameSecrets(root, p.o, p.secrets)
	p.short(root, "target", "url", "", nil)
	p.short(root, "warmup", "for", "10s", isDuration)
	p.short(root, "trace", "send", "on", isSwitch)
	CheckVersion(root.Get("version"), p.m)
	var doc document
	syntax.Decode(root, &doc, p.m)
	sc.Name, sc.Hypothesis, sc.Target, sc.Pacing = sc.Secrets.Mask(doc.Name), doc.Hypothesis, doc.Target, doc.Pacing
	sc.Workers = doc.Workers
	sc.Meta, sc.Roles = doc.Meta.masked(sc.Secrets), doc.Roles
	sc.Dependencies = doc.Dependencies
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
	p.conditions(sc, doc.Conditions)
	p.named(doc.Metrics, "metrics", func(name string, f syntax.Field) {
		sc.Metrics = append(sc.Metrics, Watched{name, f.Pos, f.Value})
	})
	p.named(doc.Alerts, "alerts", func(name string, f syntax.Field) {
		sc.Alerts = append(sc.Alerts, Watched{name, f.Pos, f.Value})
	})
	p.named(doc.Watch, "watch", func(name string, f syntax.Field) {
		sc.Watches = append(sc.Watches, Watched{name, f.Pos, f.Value})
	})
	p.named(doc.Leaders, "leaders", func(name string, f syntax.Field) {
		sc.Leaders = append(sc.Leaders, Watched{name, f.Pos, f.Value})
	})
	if p.m.Partial {
		p.m.Later = "What the names refer to, the steps and the objectives are checked once `extends` is mended."
		return sc
	}
	p.hosts(root)
	p.ledgers(sc, &doc)
	p.consistency(sc, doc.Consistency)
	p.deliveries(sc, doc.Deliveries)
	p.trace(sc, doc.Trace)
	p.objectives(sc)
	sc.SecretRefs = slices.Concat(s.SecretRefs, outside)
	for i := range sc.Loads {
		if l := &sc.Loads[i]; l.Script != nil {
			sc.SecretRefs = append(sc.SecretRefs,
				template.SecretRef{What: "a script, which can read the environment and files,", At: l.Of(ScriptKey)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(sc.Workers.Env)) {
		if v := sc.Workers.Env[name]; v.Secret != "" {
			sc.SecretRefs = append(sc.SecretRefs,
				template.SecretRef{What: fmt.Sprintf("the key %s of the Secret %s", v.Key, v.Secret), At: sc.Workers.Of("env")})
		}
	}
	return sc
}

// hosts checks the hosts of the settings that are plain texts. The other addresses are of the types [template.URL] and
// [Endpoint], which check themselves.
func (p *files) hosts(root *syntax.Node) {
	list := []*syntax.Node{root.Get("trace").Get("forward"), root.Get("target").Get("ready").Get("get")}
	list = append(list, root.ItemsAt("ledger", "at")...)
	if all := root.Get("ledgers"); all != nil {
		for _, f := range all.Fields {
			list = append(list, f.Value.ItemsAt("at")...)
		}
	}
	if loads := root.Get("load"); loads != nil {
		for _, f := range loads.Fields {
			list = append(list, f.Value.Get("connections").Get("proxy"))
			if resolve := f.Value.Get("resolve"); resolve != nil {
				for _, to := range resolve.Fields {
					list = append(list, to.Value)
				}
			}
		}
	}
	for _, n := range append(list, named(root.Get("chaos"), "from", "to")...) { // the ends of links may be hosts
		template.CheckPlaces(n, p.m)
	}
}

// named lists the values with one of the keys below n.
func named(n *syntax.Node, keys ...string) (out []*syntax.Node) {
	if n == nil {
		return nil
	}
	for _, f := range n.Fields {
		if slices.Contains(keys, f.Key) {
			out = append(out, f.Value)
		}
		out = append(out, named(f.Value, keys...)...)
	}
	for _, item := range n.Items {
		out = append(out, named(item, keys...)...)
	}
	return out
}

// short reports a single value where a map of settings is expected, with a hint that shows the map. The map holds the
// value, or such in place of a value that the setting does not take.
func (p *files) short(root *syntax.Node, key, setting, such string, takes func(value string) bool) {
	if n := root.Get(key); n != nil && !n.Bad && n.Kind != syntax.Map && n.Kind != syntax.List && n.Kind != syntax.Null {
		value := n.Shown()
		if takes != nil && !takes(value) {
			value = such
		}
		p.m.AddHint(n.Pos, fmt.Sprintf("write %s: {%s: %s}", key, setting, syntax.Clip(value, 60)),
			"`%s` is a map of settings", key)
		n.Bad = true
	}
}

func isSwitch(value string) bool { return value == "on" || value == "off" }

func isDuration(value string) bool {
	_, err := quantity.ParseDuration(value)
	return err == nil
}

// CheckVersion reports a file in a version of the language that this brunt can't read.
func CheckVersion(n *syntax.Node, m *syntax.Mistakes) {
	if n == nil || n.Bad || n.Value == "1" {
		return
	}
	if _, ok := syntax.ParseInt(n.Value); ok {
		m.Add(n.Pos, "this brunt reads version 1 of the language, not %s", n.Describe())
		n.Bad = true
	}
}

// maxSeed is the largest number up to which a float64 represents every integer, so that every
// reader of result.json sees the same seed.
const maxSeed = 1 << 53

func (p *files) seed(sc *Scenario, root *syntax.Node, doc document) {
	if doc.Seed == nil {
		sc.Seed = rand.Uint64N(maxSeed)
		return
	}
	sc.Seed, sc.SeedGiven = *doc.Seed, true
	if sc.Seed > maxSeed {
		p.m.Add(root.Get("seed").Pos, "a seed is at most 2^53, %d, so that every reader of result.json sees the same one",
			int64(maxSeed))
	}
}

// params collects the declared params and overrides them with the params of the command line.
func (p *files) params(s *template.Scope, root *syntax.Node) {
	n := root.Get("params")
	if n != nil && n.Kind != syntax.Map && n.Kind != syntax.Null {
		if !n.Bad {
			p.m.AddHint(n.Pos, "such as {rate: 300/s}", "params is a map of names to values, not %s", n.Describe())
		}
		return
	}
	if n != nil {
		for _, f := range n.Fields {
			if !syntax.IsName(f.Key) {
				p.m.Add(f.Pos, "%q can't name a param: %s", syntax.Clip(f.Key, 40), syntax.NameRule)
				continue
			}
			p.declared = append(p.declared, f.Key)
			s.Params[f.Key] = &template.Param{Node: f.Value, Pos: f.Pos, Origin: fmt.Sprintf("param %s, %s", f.Key, f.Value.Pos)}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.o.Set)) {
		source := "--set " + name
		par, ok := s.Params[name]
		if !ok && p.m.Partial {
			continue
		}
		if !ok {
			hint := syntax.DidYouMean(name, slices.Sorted(maps.Keys(s.Params)))
			if len(s.Params) == 0 {
				hint = "the scenario declares none under `params:`"
			}
			p.m.AddHint(syntax.Pos{File: source}, hint, "the scenario has no param %q", syntax.Clip(name, 40))
			continue
		}
		par.Node, par.Origin = p.given(par.Node, source, p.o.Set[name]), source
		par.Pos = syntax.Pos{File: source}
	}
}

// given makes a node of a value on the command line. The value is a text, or the scalar that the same unquoted text
// would be in a file. It is a list or a map only where the file declares a list or a map.
func (p *files) given(declared *syntax.Node, source, value string) *syntax.Node {
	pos := syntax.Pos{File: source, Line: 1, Col: 1}
	if declared.Kind == syntax.List || declared.Kind == syntax.Map {
		if n := syntax.Read(source, []byte(value), p.m, &p.nodes); n != nil {
			return n
		}
		return &syntax.Node{Pos: pos, Bad: true}
	}
	n := &syntax.Node{Kind: syntax.PlainKind(value), Value: value, Pos: pos}
	switch {
	case n.Kind == syntax.Null:
		n.Kind = syntax.String
	case !utf8.ValidString(value):
		p.m.Add(syntax.Pos{File: source}, "the value is not UTF-8")
		n.Bad = true
	}
	return n
}

var targetKinds = []string{"url", "stack", "processes", "containers", "compose"}

// TargetKinds returns the kinds of target that a scenario can name.
func TargetKinds() []string { return slices.Clone(targetKinds) }

// target checks that the target names exactly one kind, or endpoints alone.
func (p *files) target(sc *Scenario, n *syntax.Node) {
	if n == nil || n.Bad || n.Kind != syntax.Map && n.Kind != syntax.Null || p.m.Partial {
		return
	}
	kinds := slices.DeleteFunc(TargetKinds(), func(k string) bool { return n.Get(k) == nil })
	place := func(k string) int { return slices.IndexFunc(n.Fields, func(f syntax.Field) bool { return f.Key == k }) }
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
		misspelt := slices.ContainsFunc(n.Fields,
			func(f syntax.Field) bool { return syntax.Nearest(f.Key, targetKinds) != "" })
		switch {
		case misspelt: // already reported
			return
		case !t.OnlyEndpoints():
			NoteMissingTarget(n.Pos, p.m)
			return
		}
		kinds = []string{"endpoints"}
	}
	runs := kinds[0] == "url" || kinds[0] == "endpoints" // the target runs already: brunt starts nothing
	if t.With != nil && kinds[0] != "stack" {
		p.m.Add(t.Of("with"), "`with` belongs to a stack")
	}
	if t.Platform != "" && kinds[0] != "stack" {
		p.m.Add(t.Of("platform"), "`platform` belongs to a stack, not to %s", kinds[0])
	}
	if t.Units != nil && !runs {
		p.m.Add(t.Of("units"),
			"`units` names containers that run already, beside a url; those of %s have the names of their services", kinds[0])
	}
	p.pods(t, kinds[0], runs)
	if t.Has("entry") && runs {
		p.m.Add(t.Of("entry"), "`entry` names a service that brunt starts; a url needs none")
	}
	p.tls(sc, n.Get("tls"))
}

// pods checks that the target names a cluster only where it may, and wherever it has to.
func (p *files) pods(t *Target, kind string, runs bool) {
	made := t.Stack != "" && t.Platform == OnKubernetes
	switch {
	case t.Kubernetes == nil && made:
		p.m.AddHint(t.Of("platform"),
			"such as kubernetes: {context: staging}, by the name that `kubectl config get-contexts` shows",
			"`platform: kubernetes` wants `kubernetes` beside it, which says in which cluster")
	// other platforms ignore it, so that one file works on all platforms
	case t.Kubernetes != nil && t.Stack != "" && t.Platform != "" && !made:
		t.Kubernetes = nil
	case t.Kubernetes != nil && !runs && !made && kind == "stack":
		p.m.Add(t.Of("kubernetes"), "`kubernetes` belongs to `platform: kubernetes`, and this stack has none")
	case t.Kubernetes != nil && !runs && !made:
		p.m.Add(t.Of("kubernetes"),
			"`kubernetes` names pods that run already, beside a url or endpoints, and brunt starts %s", kind)
	}
}

func (p *files) tables(sc *Scenario, s *template.Scope, n *syntax.Node) {
	if p.m.Partial {
		return
	}
	p.named(n, "data", func(name string, f syntax.Field) {
		sc.Tables = append(sc.Tables, s.Table(name, f.Value))
	})
	sc.Symbols.BindTables(sc.Tables, p.m)
}
