// Package chaostoolkit converts experiments of Chaos Toolkit into scenarios.
package chaostoolkit

import (
	"errors"
	"net/url"
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
		Doc: "a load on what the steady-state hypothesis asks by HTTP, and a fault for each action: of a container where brunt has it, else its own command or call",
	}
}

// An experiment is under conversion.
type experiment struct {
	d         *draft.Builder
	rollbacks []*syntax.Node // not yet used by an action
	after     time.Duration
}

// convert reads an experiment of JSON or YAML.
func convert(d *draft.Builder, source []byte) error {
	docs, err := d.Documents(source)
	if err != nil {
		return err
	}
	if len(docs) != 1 || docs[0].Get("method") == nil {
		return errors.New("want an experiment of Chaos Toolkit, with a method")
	}
	x := &experiment{d: d}
	if list := docs[0].Get("rollbacks"); list != nil {
		x.rollbacks = list.Items
	}
	if title := draft.Value(docs[0], "title"); title != "" {
		d.Head = append(d.Head, title)
	}
	x.hypothesis(docs[0].Get("steady-state-hypothesis"))
	for _, a := range docs[0].Get("method").Items {
		x.activity(a)
	}
	for _, r := range x.rollbacks {
		d.Lost(draft.Line(r), "the rollback %q: brunt takes its own faults back", draft.Value(r, "name"))
	}
	for _, key := range []string{"controls", "configuration", "secrets", "extensions"} {
		if n := docs[0].Get(key); n != nil && len(n.Fields)+len(n.Items) > 0 {
			d.Lost(draft.Line(n), "%s", key)
		}
	}
	return nil
}

// hypothesis makes the load: what the probes ask by HTTP.
func (x *experiment) hypothesis(h *syntax.Node) {
	if h == nil || h.Get("probes") == nil {
		return
	}
	flow := &draft.Node{Block: true, Items: []*draft.Node{}}
	for _, p := range h.Get("probes").Items {
		name := draft.Value(p, "name")
		u, err := url.Parse(draft.Value(p, "provider", "url"))
		if draft.Value(p, "provider", "type") != "http" || err != nil || !draft.IsWeb(u) {
			x.d.Lost(draft.Line(p), "the probe %q: an objective, a watch: or detect: asks such things", name)
			continue
		}
		method := strings.ToLower(draft.Value(p, "provider", "method"))
		if method == "" {
			method = "get"
		}
		if method != "get" && method != "head" {
			x.d.Lost(draft.Line(p), "the probe %q: it asks by %s", name, strings.ToUpper(method))
			continue
		}
		step := (&draft.Node{}).Set(method, draft.Str(x.d.Place(u))).Set("name", draft.Plain(draft.Clip(name, 60)))
		if status := new(draft.Node).SetWhole("status", draft.Value(p, "tolerance")); status.Fields != nil {
			step.Set("check", status)
		} else {
			x.d.LoseAt(&step.Above, draft.Line(p.Get("tolerance")), "the tolerance of %q: it is no status", name)
		}
		x.d.Add(flow, step)
	}
	if len(flow.Items) > 0 {
		x.d.Probes = flow
	}
}

// activity converts an action or a probe of the method.
func (x *experiment) activity(a *syntax.Node) {
	name, line := draft.Value(a, "name"), draft.Line(a)
	pause := func(key string) {
		if _, d, ok := draft.Duration(draft.Value(a, "pauses", key), time.Second); ok {
			x.after += d
		}
	}
	pause("before")
	if draft.Value(a, "type") == "probe" {
		x.d.Lost(line, "the probe %q of the method: the report has what happens during a fault", name)
		pause("after")
		return
	}
	f := draft.Fault{Name: name, Line: line, After: x.after}
	x.after = 0
	lost := ""
	provider := a.Get("provider")
	switch draft.Value(provider, "type") {
	case "python":
		lost = x.python(&f, provider)
	case "process":
		lost = x.process(&f, provider)
	case "http":
		lost = x.http(&f, provider)
	default:
		lost = "its provider"
	}
	if lost != "" {
		x.d.Lost(line, "the action %q: %s", name, lost)
		return
	}
	if f.Kind != "process.crash" && f.Kind != "container.restart" {
		f.For, f.Guessed = draft.GuessedFor, true
		if _, d, ok := draft.Duration(draft.Value(a, "pauses", "after"), time.Second); ok { // the fault lasts while the experiment waits
			f.For, f.Guessed = d, false
		}
	} else {
		pause("after")
	}
	n := x.d.Inject(f)
	if f.Kind == "exec" || f.Kind == "webhook" {
		n.Above = append(n.Above, "SAY under verify how the effect is seen; until then the fault is not injected, as it can't be verified.")
		x.d.Tell(line, "the action %q: say under verify how its effect is seen", name)
	}
}

// python converts actions of the drivers for Kubernetes and toxiproxy; it returns what prevents that.
func (x *experiment) python(f *draft.Fault, p *syntax.Node) string {
	module, fn := draft.Value(p, "module"), draft.Value(p, "func")
	arg := func(name string) string { return draft.Value(p, "arguments", name) }
	switch {
	case strings.HasPrefix(module, "chaosk8s.pod") && (fn == "terminate_pods" || fn == "delete_pods"):
		selector := arg("label_selector")
		key, value, ok := strings.Cut(selector, "=")
		if !ok || strings.Contains(value, ",") {
			return "the selector " + selector + ": brunt takes one label, as app=web"
		}
		f.Kind = "process.crash"
		f.Settings = (&draft.Node{}).Set("service", draft.Plain(x.d.Labelled(map[string]string{key: value})))
		switch {
		case arg("all") == "true":
			f.Settings.Set("pick", draft.Raw("all"))
		case arg("mode") == "percentage":
			f.Settings.SetPercent("pick", arg("qty"))
		default:
			f.Settings.Set("pick", draft.Raw("one")).SetWhole("pick", arg("qty"))
		}
		return ""
	case strings.HasPrefix(module, "chaostoxi") && fn == "create_latency_toxic":
		f.Kind = "network.latency"
		f.Settings = (&draft.Node{}).Set("from", draft.Raw("load"))
		f.Settings.SetDuration("delay", arg("latency"), time.Millisecond).SetDuration("jitter", arg("jitter"), time.Millisecond)
		if f.Settings.Get("delay") == nil {
			return "it does not say how slow"
		}
		x.drop("delete_toxic")
		return ""
	case strings.HasPrefix(module, "chaostoxi") && (fn == "disable_proxy" || fn == "create_timeout_toxic"):
		f.Kind = "network.blackhole"
		f.Settings = (&draft.Node{}).Set("from", draft.Raw("load"))
		x.drop("enable_proxy")
		x.drop("delete_toxic")
		return ""
	}
	return module + "." + fn
}

// drop forgets the rollback of an action that brunt takes back itself.
func (x *experiment) drop(fn string) {
	for i, r := range x.rollbacks {
		if draft.Value(r, "provider", "func") == fn {
			x.rollbacks = append(x.rollbacks[:i:i], x.rollbacks[i+1:]...)
			return
		}
	}
}

// ofDocker are the faults of commands of Docker.
var ofDocker = map[string]string{"kill": "process.crash", "stop": "container.stop", "pause": "container.pause", "restart": "container.restart"}

// process converts a command: one of Docker becomes brunt's own fault.
func (x *experiment) process(f *draft.Fault, p *syntax.Node) string {
	words := wordsOf(p)
	if len(words) == 0 {
		return "a command that only the shell knows"
	}
	if kind := ofDocker[at(words, 1)]; words[0] == "docker" && len(words) == 3 && kind != "" {
		f.Kind = kind
		f.Settings = (&draft.Node{}).Set("service", draft.Plain(x.d.Container(words[2])))
		x.undo("docker")
		return ""
	}
	f.Kind = "exec"
	f.Settings = (&draft.Node{}).Set("inject", listOf(words)).Set("verify", listOf([]string{"false"})).Set("revert", listOf(x.undoes("process")))
	return ""
}

// http converts a call.
func (x *experiment) http(f *draft.Fault, p *syntax.Node) string {
	call, ok := x.call(p)
	if !ok {
		return "its URL, or its method"
	}
	f.Kind = "webhook"
	f.Settings = (&draft.Node{}).Set("inject", call).Set("verify", listOf([]string{"false"})).Set("revert", draft.Raw("none"))
	f.Settings.Set("gone", listOf([]string{"false"}))
	for i, r := range x.rollbacks {
		if undo, ok := x.call(r.Get("provider")); ok {
			f.Settings.Fields = f.Settings.Fields[:2]
			f.Settings.Set("revert", undo)
			x.rollbacks = append(x.rollbacks[:i:i], x.rollbacks[i+1:]...)
			break
		}
	}
	return ""
}

// call makes a call of HTTP.
func (x *experiment) call(p *syntax.Node) (*draft.Node, bool) {
	u, err := url.Parse(draft.Value(p, "url"))
	method := strings.ToLower(draft.Value(p, "method"))
	if method == "" {
		method = "get"
	}
	switch method {
	case "get", "post", "put", "patch", "delete":
	default:
		return nil, false
	}
	if draft.Value(p, "type") != "http" || err != nil || !draft.IsWeb(u) || u.User != nil {
		return nil, false
	}
	x.d.ReachChaos(u)
	n := (&draft.Node{}).Set(method, draft.Plain(u.String()))
	if args := p.Get("arguments"); args != nil && len(args.Fields) > 0 {
		x.d.Tell(draft.Line(args), "the body of %s: write it as json: or form:", u.Redacted())
	}
	return n, true
}

// undoes returns the words of the next rollback of a kind, and uses it up; else none.
func (x *experiment) undoes(kind string) []string {
	for i, r := range x.rollbacks {
		if p := r.Get("provider"); draft.Value(p, "type") == kind {
			if words := wordsOf(p); len(words) > 0 {
				x.rollbacks = append(x.rollbacks[:i:i], x.rollbacks[i+1:]...)
				return words
			}
		}
	}
	return []string{"true"}
}

// undo uses up the rollback that brunt makes itself.
func (x *experiment) undo(program string) {
	for i, r := range x.rollbacks {
		if words := wordsOf(r.Get("provider")); at(words, 0) == program {
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

// wordsOf returns the words of a command, whose arguments are a text, a list or a map.
func wordsOf(p *syntax.Node) []string {
	path := draft.Value(p, "path")
	if path == "" {
		return nil
	}
	words := []string{path}
	args := draft.At(p, "arguments")
	switch {
	case args == nil:
	case args.Items != nil:
		for _, a := range args.Items {
			words = append(words, a.Value)
		}
	case args.Fields != nil:
		for _, f := range args.Fields {
			words = append(words, f.Key)
			if f.Value.Value != "" {
				words = append(words, f.Value.Value)
			}
		}
	default:
		more, err := shell.Fields(args.Value, func(string) string { return "" })
		if err != nil {
			return nil
		}
		words = append(words, more...)
	}
	return words
}

func listOf(words []string) *draft.Node {
	out := draft.List()
	for _, w := range words {
		out.Items = append(out.Items, draft.Plain(w))
	}
	return out
}
