// Package chaostoolkit converts experiments of Chaos Toolkit into scenarios.
package chaostoolkit

import (
	"cmp"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/syntax"

	"mvdan.cc/sh/v3/shell"
)

// Converter returns the converter for experiments of Chaos Toolkit.
func Converter() draft.Converter {
	return draft.Converter{
		Name: "chaostoolkit", Source: "Chaos Toolkit experiments", Convert: convert, Faults: true,
		Doc: "a load on what the steady-state hypothesis asks by HTTP, and a fault for each action: of pods or containers where " +
			"brunt has it, else its own command or call",
	}
}

// An experiment is a Chaos Toolkit experiment under conversion.
type experiment struct {
	d         *draft.Builder
	rollbacks []*syntax.Node // not yet used by an action
	after     time.Duration
	values    map[string]func() draft.Text // values of ${name}: constants of configuration, and environment variables
}

// convert reads an experiment in JSON or YAML.
func convert(d *draft.Builder, source []byte) error {
	docs, err := d.Documents(source)
	if err != nil {
		return err
	}
	if len(docs) != 1 || docs[0].Get("method") == nil {
		return errors.New("want an experiment of Chaos Toolkit, with a method")
	}
	x := &experiment{d: d, values: map[string]func() draft.Text{}}
	x.configuration(docs[0])
	for _, key := range []string{"version", "tags", "contributions"} {
		d.Skip(docs[0], key)
	}
	if list := docs[0].Get("rollbacks"); list != nil {
		x.rollbacks = list.Items
	}
	for _, key := range []string{"title", "description"} {
		if text := strings.Join(strings.Fields(d.Text(docs[0], key)), " "); text != "" {
			d.Head = append(d.Head, text)
		}
	}
	x.hypothesis(docs[0].Get("steady-state-hypothesis"))
	for _, a := range docs[0].Get("method").Items {
		x.activity(a)
	}
	for _, r := range x.rollbacks {
		d.Lost(draft.Line(r), "the rollback %q: brunt takes its own faults back, and nothing else; a request of it can be "+
			"a step of teardown", d.Text(r, "name"))
	}
	d.Skip(docs[0], "rollbacks")
	d.Skip(docs[0], "method")                  // each activity reports its own unread parts
	d.Skip(docs[0], "steady-state-hypothesis") // and so does each probe
	for _, key := range []string{"controls", "extensions"} {
		if n := docs[0].Get(key); n != nil && len(n.Fields)+len(n.Items) > 0 {
			d.Lost(draft.Line(n), "%s", key)
		}
		d.Skip(docs[0], key)
	}
	for _, rest := range d.Rest(docs[0]) {
		d.Lost(draft.Line(docs[0]), "%s", rest)
	}
	return nil
}

// configuration reads the values of ${name} in texts: constants, environment variables, and secrets.
func (x *experiment) configuration(doc *syntax.Node) {
	if c := doc.Get("configuration"); c != nil {
		for _, f := range c.Fields {
			x.variable(f.Key, f.Value, draft.IsSecret(f.Key))
		}
	}
	if secrets := doc.Get("secrets"); secrets != nil {
		for _, group := range secrets.Fields {
			for _, f := range group.Value.Fields {
				x.variable(f.Key, f.Value, true)
			}
		}
	}
}

// variable notes the value of a variable. A secret becomes an environment variable.
func (x *experiment) variable(name string, n *syntax.Node, hidden bool) {
	line := draft.Line(n)
	switch kind := x.d.Text(n, "type"); {
	case n.Fields == nil && n.Items == nil && !hidden:
		text := x.d.Text(n)
		x.values[name] = func() draft.Text { return x.d.Quiet(line, text) }
	case n.Fields == nil && n.Items == nil:
		text := x.d.Text(n)
		x.values[name] = func() draft.Text { return x.d.Hide(line, name, "the secret "+draft.Clip(name, 40), text) }
	case kind == "env" && draft.EnvName.MatchString(x.d.Text(n, "key")):
		key := x.d.Text(n, "key")
		x.values[name] = func() draft.Text {
			x.d.NeedEnv(key, "what the experiment calls "+draft.Clip(name, 40))
			return draft.Ref("env." + key)
		}
		if n.Get("default") != nil {
			x.d.Skip(n, "default")
			x.d.Lost(line, "the default of %s: set %s", name, key)
		}
	default:
		x.d.Lost(line, "where %s comes from: %s", name, draft.Clip(kind, 20))
	}
	for _, rest := range x.d.Rest(n) {
		x.d.Lost(line, "%s of %s", rest, name)
	}
}

// reference matches ${name} in a text of an experiment.
var reference = regexp.MustCompile(`\$\{([^{}]*)\}`)

// filled replaces each ${name} in a text by its value, and hides secrets. Missing is a name that has no value.
func (x *experiment) filled(line int, text string) (out draft.Text, missing string) {
	out, missing = x.fill(text)
	return x.d.QuietText(line, out), missing
}

// fill is filled without a look for secrets.
func (x *experiment) fill(text string) (out draft.Text, missing string) {
	at := 0
	for _, m := range reference.FindAllStringSubmatchIndex(text, -1) {
		value, ok := x.values[text[m[2]:m[3]]]
		if !ok {
			return draft.Lit(text), text[m[2]:m[3]]
		}
		out = draft.Join(out, draft.Lit(text[at:m[0]]), value())
		at = m[1]
	}
	return draft.Join(out, draft.Lit(text[at:])), ""
}

// constant fills in a text that must be known during conversion, such as a URL. It reports false if the text needs a
// secret or an environment variable.
func (x *experiment) constant(text string) (filled string, ok bool) {
	ok = true
	filled = reference.ReplaceAllStringFunc(text, func(ref string) string {
		value := x.values[ref[2:len(ref)-1]]
		if value == nil {
			ok = false
			return ""
		}
		text, static := value().Static()
		ok = ok && static && text != ""
		return text
	})
	return filled, ok
}

// hypothesis makes the load: the HTTP requests of the probes.
func (x *experiment) hypothesis(h *syntax.Node) {
	if h == nil || h.Get("probes") == nil {
		return
	}
	if title := x.d.Text(h, "title"); title != "" {
		x.d.Head = append(x.d.Head, "Hypothesis: "+title)
	}
	flow := &draft.Node{Block: true, Items: []*draft.Node{}}
	for _, p := range h.Get("probes").Items {
		x.probe(flow, p)
	}
	if len(flow.Items) > 0 {
		x.d.Probes = flow
	}
}

// probe makes a step of the HTTP request of a probe of the hypothesis.
func (x *experiment) probe(flow *draft.Node, p *syntax.Node) {
	name, line, provider := x.d.Text(p, "name"), draft.Line(p), p.Get("provider")
	r, ok := x.request(provider)
	if !ok {
		x.d.Lost(line, "the probe %q: an objective, a watch: or detect: asks such things", name)
		x.d.Skip(p)
		return
	}
	r.Name = draft.Clip(name, 60)
	x.d.Skip(p, "type")
	if status := new(draft.Node).SetWhole("status", x.d.Text(p, "tolerance")); status.Fields != nil {
		r.Check = status
	} else if all := x.statuses(p.Get("tolerance")); all != nil {
		r.Check = (&draft.Node{}).Set("status", all)
	} else {
		x.d.Skip(p, "tolerance")
		x.d.Lose(flow, draft.Line(p.Get("tolerance")), "the tolerance of %q: it is no status", name)
	}
	for _, rest := range x.d.Rest(p) {
		x.d.Lose(flow, line, "%s of %q", rest, name)
	}
	x.d.Add(flow, x.d.Step(r, flow))
}

// statuses returns the statuses of a tolerance. It is nil if the tolerance is not a list of statuses.
func (x *experiment) statuses(n *syntax.Node) *draft.Node {
	if n == nil || n.Kind != syntax.List || len(n.Items) == 0 {
		return nil
	}
	out := draft.List()
	for _, item := range n.Items {
		v, err := strconv.Atoi(x.d.Text(item))
		if err != nil || v < 100 || v > 599 {
			return nil
		}
		out.Items = append(out.Items, draft.Number(v))
	}
	return out
}

// request makes the request of an HTTP provider.
func (x *experiment) request(p *syntax.Node) (*draft.Request, bool) {
	line := draft.Line(p)
	at, ok := x.constant(x.d.Text(p, "url"))
	u, err := url.Parse(at)
	if x.d.Text(p, "type") != "http" || !ok || err != nil || !draft.IsWeb(u) {
		return nil, false
	}
	r := &draft.Request{Line: line, Method: x.d.Text(p, "method")}
	draft.Credentials(x.d, r, u)
	r.URL = x.d.Place(u)
	if h := p.Get("headers"); h != nil {
		for _, f := range h.Fields {
			value, missing := x.filled(line, x.d.Text(f.Value))
			if missing != "" {
				x.d.Lost(line, "the header %s: nothing says what %s is", f.Key, missing)
				continue
			}
			r.Headers = append(r.Headers, draft.Header{Name: f.Key, Value: value})
		}
	}
	return r, true
}

// activity converts an action or a probe of the method.
func (x *experiment) activity(a *syntax.Node) {
	name, line := x.d.Text(a, "name"), draft.Line(a)
	if a.Get("ref") != nil {
		x.d.Lost(line, "the %s that refers to %q: write it out", cmp.Or(draft.Clip(x.d.Text(a, "type"), 20), "activity"),
			draft.Clip(x.d.Text(a, "ref"), 60))
		return
	}
	pause := func(key string) (d time.Duration) {
		_, d, _ = draft.Duration(x.d.Text(a, "pauses", key), time.Second)
		return d
	}
	x.after += pause("before")
	lasts := pause("after")
	background := x.d.Text(a, "background") == "true"
	switch kind := x.d.Text(a, "type"); kind {
	case "action":
	case "probe":
		x.d.Lost(line, "the probe %q of the method: the report has what happens during a fault", name)
		x.after += lasts
		return
	default:
		x.d.Lost(line, "the activity %q of the type %s", name, draft.Clip(kind, 20))
		return
	}
	f := draft.Fault{Name: name, Line: line, After: x.after}
	x.after = 0
	provider := a.Get("provider")
	var n *draft.Node
	lost := ""
	add := func() {
		if n, lost = x.action(&f, provider, lasts); n != nil || lost != "" {
			return
		}
		if f.OneShot() {
			x.after += lasts
		} else if f.For = lasts; lasts == 0 { // else the fault lasts while the experiment waits
			f.For, f.Guessed = draft.GuessedFor, true
		}
		n = x.d.Inject(f)
	}
	if background {
		x.d.Background(add)
	} else {
		add()
	}
	if lost != "" {
		x.d.Lost(line, "the action %q: %s", name, lost)
		return
	}
	if f.Kind == "exec" || f.Kind == "webhook" {
		n.Above = append(n.Above,
			"SAY under verify how the effect is seen; until then the fault is not injected, as it can't be verified.")
		x.d.Tell(line, "the action %q: say under verify how its effect is seen", name)
		if f.Once {
			n.Above = append(n.Above,
				"SAY under gone how it is seen that the system has recovered: nothing takes the fault back.")
		}
	}
	x.d.Skip(provider, "secrets")
	for _, rest := range x.d.Rest(a) {
		x.d.LoseAt(&n.Above, line, "%s", rest)
	}
}

// action converts the action of a provider. It fills in f, or returns a fault that it has added itself. Lost says why
// there is no fault.
func (x *experiment) action(f *draft.Fault, provider *syntax.Node, lasts time.Duration) (n *draft.Node, lost string) {
	switch x.d.Text(provider, "type") {
	case "python":
		if module := x.d.Text(provider, "module"); strings.HasPrefix(module, "chaostoxi") ||
			strings.HasPrefix(module, "toxiproxy") {
			return x.toxiproxy(f, provider, lasts)
		}
		return nil, x.python(f, provider)
	case "process":
		return nil, x.process(f, provider)
	case "http":
		return nil, x.http(f, provider)
	}
	return nil, "its provider"
}

// python converts actions of the Kubernetes driver. It returns the part that prevents the conversion, if any.
func (x *experiment) python(f *draft.Fault, p *syntax.Node) string {
	module, fn := x.d.Text(p, "module"), x.d.Text(p, "func")
	if !strings.HasPrefix(module, "chaosk8s.pod") || fn != "terminate_pods" && fn != "delete_pods" {
		return module + "." + fn
	}
	arg := func(name string) string { return x.argument(p, name) }
	selector := arg("label_selector")
	labels := draft.Selector(selector)
	if labels == nil {
		return "the selector " + selector + ": brunt takes labels, as app=web"
	}
	name, lost := x.d.Pods(draft.Pod{Labels: labels, Namespace: arg("ns")})
	if lost != "" {
		return lost
	}
	f.Kind = "pod.delete"
	f.Settings = (&draft.Node{}).Set("service", draft.Plain(name))
	if grace, wait, ok := draft.Duration(arg("grace_period"), time.Second); ok && wait%time.Second == 0 {
		f.Settings.Set("grace", grace)
	} else if text := arg("grace_period"); text != "" && text != "-1" { // -1 is the pod's own
		x.d.Lost(f.Line, "grace_period %s of %q: brunt gives a pod at least 1s", draft.Harmless("", text), f.Name)
	}
	if arg("rand") == "false" {
		x.d.Lost(f.Line, "rand false of %q: brunt picks at random", f.Name)
	}
	all, mode, qty := arg("all"), arg("mode"), arg("qty")
	f.Settings.Set("pick", draft.Raw("one"))
	switch {
	case all == "true":
		f.Settings.Set("pick", draft.Raw("all"))
	case mode == "percentage":
		f.Settings.SetPercent("pick", qty)
	default:
		f.Settings.SetWhole("pick", qty)
	}
	return ""
}

// argument returns an argument of a call, with the variables that have constant values filled in.
func (x *experiment) argument(p *syntax.Node, name string) string {
	text := x.d.Text(p, "arguments", name)
	if filled, ok := x.constant(text); ok {
		return filled
	}
	return text
}

// toxics maps the functions that make toxics to the type of toxic.
var toxics = map[string]string{
	"create_latency_toxic": "latency", "create_dowsntream_latency_toxic": "latency",
	"create_bandwith_degradation_toxic":  "bandwidth",
	"create_slow_connection_close_toxic": "slow_close", "create_slicer_toxic": "slicer",
	"create_limiter_toxic": "limit_data",
	"create_timeout_toxic": "timeout", "create_reset_peer_toxic": "reset_peer",
}

// toxiproxy converts actions of the toxiproxy driver. The fault acts on the connections of the load, because the
// experiment does not say where a proxy leads.
func (x *experiment) toxiproxy(f *draft.Fault, p *syntax.Node, lasts time.Duration) (*draft.Node, string) {
	fn := x.d.Text(p, "func")
	arg := func(name string) string { return x.argument(p, name) }
	ends := (&draft.Node{}).Set("from", draft.Raw("load"))
	if fn == "disable_proxy" {
		x.drop("enable_proxy")
		f.Kind, f.Settings = "network.partition", ends.Set("mode", draft.Raw("reject"))
		x.d.Tell(f.Line, "the proxy %s: the fault is on the load's connections; `from` and `to` name another link",
			arg("proxy_name"))
		return nil, ""
	}
	t := draft.Toxic{
		Name: f.Name, Type: toxics[fn], Line: f.Line, Ends: ends, Attributes: p.Get("arguments"), For: lasts, After: f.After,
	}
	proxy := arg("for_proxy")
	x.d.Skip(p, "arguments", "toxic_name")
	if fn == "create_toxic" {
		t.Type, t.Stream, t.Toxicity, t.Attributes = arg("toxic_type"), arg("stream"), arg("toxicity"),
			draft.At(p, "arguments", "attributes")
	}
	if t.Type == "" {
		return nil, x.d.Text(p, "module") + "." + fn
	}
	x.drop("delete_toxic")
	n := x.d.Toxic(t)
	if n == nil {
		return nil, "its toxic has no counterpart, as said"
	}
	x.d.LoseAt(&n.Above, f.Line, "the proxy %s: it acts on the load's connections; `from` and `to` name another link",
		proxy)
	return n, ""
}

// drop removes the rollback of an action that brunt reverts itself.
func (x *experiment) drop(fn string) {
	for i, r := range x.rollbacks {
		if x.d.Text(r, "provider", "func") == fn {
			x.rollbacks = append(x.rollbacks[:i:i], x.rollbacks[i+1:]...)
			return
		}
	}
}

// ofDocker maps Docker commands to faults.
var ofDocker = map[string]string{
	"kill": "process.crash", "stop": "container.stop", "pause": "container.pause", "restart": "container.restart",
}

// process converts a command. A Docker command becomes one of brunt's own faults.
func (x *experiment) process(f *draft.Fault, p *syntax.Node) string {
	words, missing := x.words(p)
	switch {
	case missing != "":
		return "nothing says what " + missing + " is"
	case len(words) == 0:
		return "a command that only the shell knows"
	}
	kind := ofDocker[at(words, 1)]
	if kind != "" && words[0] == "docker" && x.d.NoContainer() != "" {
		x.undo("docker", at(words, 2))
		return x.d.NoContainer()
	}
	if words[0] == "docker" && len(words) == 3 && kind != "" &&
		!strings.Contains(words[2], "${") {
		f.Kind = kind
		f.Settings = (&draft.Node{}).Set("service", draft.Plain(x.d.Container(words[2])))
		x.undo("docker", words[2])
		return ""
	}
	f.Kind = "exec"
	f.Settings = (&draft.Node{}).Set("inject", x.command(p, words)).Set("verify", listOf("false"))
	takeBack(f, x.undoes("process"))
	return ""
}

// command writes a command with the values of its variables. Secrets become environment variables.
func (x *experiment) command(p *syntax.Node, words []string) *draft.Node {
	var all []draft.Text
	for _, w := range words {
		text, _ := x.fill(w)
		all = append(all, text)
	}
	out := draft.List()
	for _, w := range x.d.Words(draft.Line(p), all) {
		out.Items = append(out.Items, draft.Str(w))
	}
	return out
}

// http converts an HTTP call into a webhook.
func (x *experiment) http(f *draft.Fault, p *syntax.Node) string {
	call, ok := x.call(p)
	if !ok {
		return "its URL, its method, or what its body or a header has"
	}
	f.Kind = "webhook"
	f.Settings = (&draft.Node{}).Set("inject", call).Set("verify", listOf("false"))
	for i, r := range x.rollbacks {
		if undo, ok := x.call(r.Get("provider")); ok {
			takeBack(f, undo)
			x.rollbacks = append(x.rollbacks[:i:i], x.rollbacks[i+1:]...)
			return ""
		}
	}
	takeBack(f, nil)
	return ""
}

// takeBack sets how a fault of the author's own is taken back: by undo. Without it nothing takes the fault back.
func takeBack(f *draft.Fault, undo *draft.Node) {
	if f.Once = undo == nil; f.Once {
		f.Settings.Set("revert", draft.Raw("none")).Set("gone", listOf("false"))
		return
	}
	f.Settings.Set("revert", undo)
}

// call makes an HTTP call.
func (x *experiment) call(p *syntax.Node) (*draft.Node, bool) {
	at, ok := x.constant(x.d.Text(p, "url"))
	u, err := url.Parse(at)
	method := strings.ToLower(x.d.Text(p, "method"))
	if method == "" {
		method = "get"
	}
	switch method {
	case "get", "post", "put", "patch", "delete":
	default:
		return nil, false
	}
	if x.d.Text(p, "type") != "http" || !ok || err != nil || !draft.IsWeb(u) || u.User != nil {
		return nil, false
	}
	x.d.ReachChaos(u)
	n := (&draft.Node{}).Set(method, draft.Str(x.d.Quiet(draft.Line(p), u.String())))
	if args := p.Get("arguments"); args != nil && len(args.Fields) > 0 {
		x.d.Skip(args)
		x.d.Tell(draft.Line(args), "the body of %s: write it as json: or form:", u.Redacted())
	}
	return n, true
}

// undoes returns the command of the next rollback of a kind and marks it as used; nil without one.
func (x *experiment) undoes(kind string) *draft.Node {
	for i, r := range x.rollbacks {
		if p := r.Get("provider"); x.d.Text(p, "type") == kind {
			if words, missing := x.words(p); len(words) > 0 && missing == "" {
				x.rollbacks = append(x.rollbacks[:i:i], x.rollbacks[i+1:]...)
				return x.command(p, words)
			}
		}
	}
	return nil
}

// undo marks the rollback that brunt does itself as used: a command of the program that names the same thing.
func (x *experiment) undo(program, of string) {
	for i, r := range x.rollbacks {
		if words, _ := x.words(r.Get("provider")); at(words, 0) == program && slices.Contains(words, of) {
			x.rollbacks = append(x.rollbacks[:i:i], x.rollbacks[i+1:]...)
			return
		}
	}
}

func at(words []string, i int) string {
	if i < len(words) {
		return words[i]
	}
	return ""
}

// words returns the words of a command. Its arguments may be a text, a list or a map. Missing is a variable without a
// value.
func (x *experiment) words(p *syntax.Node) (words []string, missing string) {
	path := x.d.Text(p, "path")
	if path == "" {
		return nil, ""
	}
	words = []string{path}
	args := draft.At(p, "arguments")
	switch {
	case args == nil:
	case args.Items != nil:
		for _, a := range args.Items {
			words = append(words, x.d.Text(a))
		}
	case args.Fields != nil:
		for _, f := range args.Fields {
			words = append(words, f.Key)
			if value := x.d.Text(f.Value); value != "" {
				words = append(words, value)
			}
		}
	default:
		more, err := split(x.d.Text(args))
		if err != nil {
			return nil, ""
		}
		words = append(words, more...)
	}
	for _, w := range words {
		for _, m := range reference.FindAllStringSubmatch(w, -1) {
			if x.values[m[1]] == nil {
				return words, m[1]
			}
		}
	}
	return words, ""
}

// split splits a text into words as Chaos Toolkit does: it knows quotes, but no shell variables.
func split(text string) ([]string, error) {
	const dollar = "\x01"
	words, err := shell.Fields(strings.ReplaceAll(text, "$", dollar), func(string) string { return "" })
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], dollar, "$")
	}
	return words, err
}

func listOf(word string) *draft.Node { return draft.List(draft.Plain(word)) }
