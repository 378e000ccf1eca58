// Package chaosmesh converts manifests of Chaos Mesh into scenarios.
package chaosmesh

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Converter returns the converter for manifests of Chaos Mesh.
func Converter() draft.Converter {
	return draft.Converter{
		Name: "chaos-mesh", Source: "manifests of Chaos Mesh", Convert: convert, Faults: true,
		Doc: "a fault for each, on the containers of a Docker engine that carry the labels of its selector",
	}
}

// convert reads manifests, one or several.
func convert(d *draft.Builder, source []byte) error {
	docs, err := d.Documents(source)
	if err != nil {
		return err
	}
	for _, m := range docs {
		if !strings.HasPrefix(d.Text(m, "apiVersion"), "chaos-mesh.org/") {
			d.Lost(draft.Line(m), "a manifest that is not Chaos Mesh's: %s", d.Text(m, "kind"))
			continue
		}
		if d.Text(m, "kind") == "Workflow" {
			convertWorkflow(d, m)
			continue
		}
		convertManifest(d, m)
	}
	if d.Units.Fields != nil {
		d.Head = append(d.Head, draft.NoPods)
		d.Tell(0, "brunt has no faults on pods: target.units selects containers of a Docker engine by the same labels")
	}
	return nil
}

// convertManifest converts one manifest.
func convertManifest(d *draft.Builder, m *syntax.Node) {
	e := &experiment{
		d: d, name: d.Text(m, "metadata", "name"), kind: d.Text(m, "kind"), line: draft.Line(m), spec: m.Get("spec"),
	}
	e.annotations(m)
	if e.kind == "Schedule" {
		e.schedule()
	}
	e.convert()
}

// annotations reports the annotations of a manifest that change the meaning of the fault.
func (e *experiment) annotations(m *syntax.Node) {
	if e.d.Text(draft.At(m, "metadata", "annotations"), "experiment.chaos-mesh.org/pause") == "true" {
		e.lost = append(e.lost, "the annotation that pauses it: here it is injected")
	}
}

// convertWorkflow converts the experiments among the templates of a workflow, in the order of the file.
func convertWorkflow(d *draft.Builder, m *syntax.Node) {
	name := d.Text(m, "metadata", "name")
	d.Skip(m, "spec", "entry")
	templates := draft.At(m, "spec", "templates")
	if templates == nil || len(templates.Items) == 0 {
		d.Lost(draft.Line(m), "Workflow %s: it has no templates", name)
		return
	}
	for _, t := range templates.Items {
		kind := d.Text(t, "templateType")
		e := &experiment{
			d: d, name: d.Text(t, "name"), kind: kind, line: draft.Line(t), spec: t.Get(lowerFirst(kind)),
			deadline: d.Text(t, "deadline"),
		}
		if kinds[kind] == nil || e.spec == nil {
			d.Lost(e.line, "the template %s of the workflow %s, %s: faults come one after the other, in the order of the file",
				e.name, name, kind)
			continue
		}
		e.convert()
	}
}

func lowerFirst(s string) string { return strings.ToLower(s[:min(1, len(s))]) + s[min(1, len(s)):] }

// convert converts an experiment, and reports the parts that were not read.
func (e *experiment) convert() {
	convertKind, ok := kinds[e.kind]
	if !ok || e.spec == nil {
		e.d.Lost(e.line, "%s %s", e.kind, e.name)
		return
	}
	before := e.last
	done := convertKind(e)
	if !done && e.last == before {
		e.d.Lost(e.line, "%s %s: the action %q, or a field that it needs", e.kind, e.name, e.value("action"))
		return
	}
	for _, rest := range e.d.Rest(e.spec) {
		e.d.LoseAt(&e.last.Above, e.line, "%s", rest)
	}
}

// kinds maps each kind of manifest to its conversion, which returns false if the action has no counterpart.
var kinds = map[string]func(*experiment) bool{
	"PodChaos": pod, "NetworkChaos": network, "StressChaos": stress, "TimeChaos": clock, "DNSChaos": dns,
	"HTTPChaos": http,
}

// An experiment is a manifest under conversion.
type experiment struct {
	d          *draft.Builder
	name, kind string
	line       int
	spec       *syntax.Node
	deadline   string // of a template of a workflow, instead of a duration
	every      time.Duration
	lost       []string
	last       *draft.Node // the fault that was made last
}

func (e *experiment) value(keys ...string) string { return e.d.Text(e.spec, keys...) }

// schedule continues with the experiment that a Schedule repeats.
func (e *experiment) schedule() {
	text, kind, outer := e.value("schedule"), e.value("type"), e.spec
	if every, ok := strings.CutPrefix(text, "@every "); ok {
		_, e.every, _ = draft.Duration(every, time.Second)
	}
	if e.every == 0 {
		e.lost = append(e.lost, "the schedule "+text+": it is injected once")
	} else {
		e.lost = append(e.lost, "the schedule "+text+" has no end; here it is three times")
	}
	e.kind = kind
	e.spec = outer.Get(lowerFirst(kind))
	e.d.Skip(e.spec) // reported with the experiment
	e.d.Skip(outer, "historyLimit")
	e.lost = append(e.lost, e.d.Rest(outer)...)
	e.d.Forget(e.spec)
}

// unit names the containers of a selector.
func (e *experiment) unit(selector *syntax.Node) string {
	labels := e.d.Labels(draft.At(selector, "labelSelectors"))
	if len(labels) == 0 {
		labels = map[string]string{"app": "web"}
		e.lost = append(e.lost, "a selector without labels: say under target.units which containers these are")
	}
	e.d.Skip(selector, "namespaces") // Docker has no namespaces; the comment at the top says so of pods
	return e.d.Labelled(labels)
}

// pick sets how many of the units are hit.
func (e *experiment) pick(s *draft.Node) {
	value := e.value("value")
	switch mode := e.value("mode"); mode {
	case "one", "all":
		s.Set("pick", draft.Raw(mode))
	case "fixed":
		s.SetWhole("pick", value)
	case "fixed-percent", "random-max-percent":
		s.SetPercent("pick", value)
		if mode != "fixed-percent" {
			e.lost = append(e.lost, "random-max-percent: always "+value+" percent")
		}
	default:
		e.lost = append(e.lost, "the mode "+mode)
	}
	if mode := e.value("mode"); s.Get("pick") == nil && mode != "" {
		e.lost = append(e.lost, "the mode "+mode+" of "+value+": it is one")
		s.Set("pick", draft.Raw("one"))
	}
}

// subject returns settings that name the units of the experiment.
func (e *experiment) subject() *draft.Node {
	s := (&draft.Node{}).Set("service", draft.Plain(e.unit(e.spec.Get("selector"))))
	e.pick(s)
	return s
}

// inject adds a fault of the experiment.
func (e *experiment) inject(kind string, s *draft.Node, oneShot bool) bool {
	f := draft.Fault{Name: e.name, Line: e.line, Kind: kind, Settings: s}
	if !oneShot {
		ok := false
		if _, f.For, ok = draft.Duration(cmp.Or(e.value("duration"), e.deadline), time.Second); !ok {
			f.For, f.Guessed = draft.GuessedFor, true
		}
	} else {
		e.d.Skip(e.spec, "duration") // it has no meaning for a crash
	}
	if e.every > 0 {
		f.Every, f.Repeat = e.every, 3
	}
	n := e.d.Inject(f)
	for _, l := range e.lost {
		e.d.LoseAt(&n.Above, e.line, "%s", l)
	}
	e.lost, e.last = nil, n
	return true
}

func pod(e *experiment) bool {
	switch e.value("action") {
	case "pod-kill":
		e.lost = append(e.lost,
			"the pod is not replaced by another: its container crashes, and its restart policy brings it back")
		return e.inject("process.crash", e.subject(), true)
	case "container-kill":
		if e.spec.Get("containerNames") != nil {
			e.d.Skip(e.spec, "containerNames")
			e.lost = append(e.lost, "containerNames: the labels select the containers")
		}
		return e.inject("process.crash", e.subject(), true)
	case "pod-failure":
		e.lost = append(e.lost,
			"its container is stopped in good order; Chaos Mesh replaces the program in it by one that does nothing")
		return e.inject("container.stop", e.subject(), false)
	}
	return false
}

// network converts faults on packets. One action netem may hold several faults.
func network(e *experiment) bool {
	action := e.value("action")
	if action != "netem" {
		kind, s := e.packets(action)
		if kind == "" {
			return false
		}
		e.ends(s, kind)
		return e.inject(kind, s, false)
	}
	done := false
	for _, one := range []string{"delay", "loss", "duplicate", "corrupt", "bandwidth"} {
		if e.spec.Get(one) == nil {
			continue
		}
		if kind, s := e.packets(one); kind != "" {
			if done {
				e.lost = append(e.lost, "netem injects this with the one before, at once: see `steps` of `brunt explain chaos`")
			}
			e.ends(s, kind)
			done = e.inject(kind, s, false)
		}
	}
	return done
}

// packets returns the settings of an action. An empty kind means that the action lacks a setting.
func (e *experiment) packets(action string) (kind string, s *draft.Node) {
	s = new(draft.Node)
	needs := "percent"
	switch action {
	case "delay":
		kind, needs = "network.latency", "delay"
		s.SetDuration("delay", e.value("delay", "latency"), time.Millisecond).SetDuration("jitter",
			e.value("delay", "jitter"), time.Millisecond)
		if v := draft.Percent(e.value("delay", "correlation"), false); s.Get("jitter") != nil && v != nil && v.YAML != "0%" {
			s.Set("correlation", v)
		} else if v != nil && v.YAML != "0%" {
			e.lost = append(e.lost, "the correlation "+v.YAML+" of a delay without jitter")
		}
		if draft.At(e.spec, "delay", "reorder") != nil {
			e.d.Skip(e.spec, "delay", "reorder")
			e.lost = append(e.lost, "reorder: take network.reorder")
		}
	case "loss", "duplicate", "corrupt":
		kind = "network." + action
		s.SetPercent("percent", e.value(action, action))
		if v := e.value(action, "correlation"); v != "" && v != "0" {
			e.lost = append(e.lost, "the correlation "+v+" of "+action)
		}
	case "bandwidth":
		kind, needs = "network.bandwidth", "rate"
		rate := e.value("bandwidth", "rate")
		if s.SetRate(rate); s.Get("rate") == nil {
			e.lost = append(e.lost, "the rate "+rate)
		}
	case "partition":
		return "network.partition", s
	}
	if s.Get(needs) == nil {
		return "", s
	}
	return kind, s
}

// ends sets the link whose packets are hit.
func (e *experiment) ends(s *draft.Node, kind string) {
	unit := e.unit(e.spec.Get("selector"))
	var to []string
	if t := draft.At(e.spec, "target", "selector"); t != nil {
		to = append(to, e.unit(t))
		if mode := e.value("target", "mode"); mode != "" && mode != "all" {
			e.lost = append(e.lost, "the mode "+mode+" of its target: all of them")
		}
	}
	to = append(to, e.d.Texts(e.spec, "externalTargets")...)
	switch {
	case len(to) == 0:
		s.Set("service", draft.Plain(unit))
	case e.value("direction") == "from":
		s.Set("from", draft.Plain(to[0])).Set("to", draft.Plain(unit))
	default:
		s.Set("from", draft.Plain(unit)).Set("to", draft.Plain(to[0]))
	}
	if len(to) > 1 {
		e.lost = append(e.lost, "several targets: "+strings.Join(to[1:], ", ")+"; make a fault with `to` of each")
	}
	e.pick(s)
	switch direction := e.value("direction"); {
	case direction == "both" && kind != "network.bandwidth" && len(to) > 0:
		s.Set("direction", draft.Raw("both"))
	case direction != "" && direction != "to" && (direction != "from" || len(to) == 0):
		e.lost = append(e.lost, "the direction "+direction)
	}
}

func stress(e *experiment) bool {
	done := false
	if draft.At(e.spec, "stressors", "cpu") != nil {
		s := e.subject().SetWhole("workers", e.value("stressors", "cpu", "workers")).SetPercent("load",
			e.value("stressors", "cpu", "load"))
		done = e.inject("stress.cpu", s, false)
	}
	if draft.At(e.spec, "stressors", "memory") != nil {
		s := e.subject()
		if size := e.value("stressors", "memory", "size"); strings.HasSuffix(size, "%") {
			s.SetPercent("percent", size)
		} else {
			s.SetSize(size)
		}
		if s.Get("percent") == nil && s.Get("bytes") == nil {
			e.d.Lost(e.line, "StressChaos %s: the size of memory %q", e.name, e.value("stressors", "memory", "size"))
			return done
		}
		if w := e.value("stressors", "memory", "workers"); w != "" && w != "1" {
			e.lost = append(e.lost, w+" workers: the size is taken once")
		}
		done = e.inject("stress.memory", s, false)
	}
	return done
}

func clock(e *experiment) bool {
	offset, err := time.ParseDuration(e.value("timeOffset"))
	if err != nil || offset == 0 {
		return false
	}
	return e.inject("time.skew", e.subject().Set("offset", draft.Raw(signed(offset))), false)
}

func signed(d time.Duration) string {
	if d < 0 {
		return "-" + quantity.FormatDuration(-d)
	}
	return quantity.FormatDuration(d)
}

func dns(e *experiment) bool {
	s := e.subject()
	names := draft.List()
	for _, name := range e.d.Texts(e.spec, "patterns") {
		if strings.Contains(strings.TrimPrefix(name, "*."), "*") || strings.Contains(name, "?") {
			e.lost = append(e.lost, "the pattern "+name+": brunt takes a name, or *. before one")
			continue
		}
		names.Items = append(names.Items, draft.Plain(name))
	}
	if len(names.Items) == 0 && e.spec.Get("patterns") != nil && len(e.lost) > 0 {
		e.d.Lost(e.line, "DNSChaos %s: none of its patterns can be a name", e.name)
		e.lost = nil
		return false
	}
	if len(names.Items) > 0 {
		s.Set("names", names)
	}
	switch e.value("action") {
	case "error":
		return e.inject("dns.fail", s, false)
	case "random":
		e.lost = append(e.lost, "a random address: always 192.0.2.1, which nothing has")
		return e.inject("dns.spoof", s.Set("answers", draft.List(draft.Raw("192.0.2.1"))), false)
	}
	return false
}

func http(e *experiment) bool {
	s := (&draft.Node{}).Set("from", draft.Raw("load"))
	e.lost = append(e.lost, "the selector: it acts on requests of the load; `from` and `to` name another link")
	e.d.Skip(e.spec, "selector")
	e.d.Skip(e.spec, "mode")
	e.d.Skip(e.spec, "value")
	if v := e.value("path"); v != "" && v != "*" {
		s.Set("path", draft.Str(e.d.Quiet(e.line, v)))
	}
	if v := e.value("method"); v != "" {
		s.Set("method", draft.Plain(v))
	}
	of := e.value("target")
	if code, err := strconv.Atoi(e.value("replace", "code")); err == nil && of == "Response" && code >= 200 && code < 600 {
		e.lost = append(e.lost, "the server answers, and Chaos Mesh changes its answer: here brunt answers in its place")
		return e.inject("http.error", s.Set("status", draft.Number(code)), false)
	}
	delay, _, _ := draft.Duration(e.value("delay"), time.Second)
	switch {
	case delay != nil:
		if of == "Response" {
			e.lost = append(e.lost, "it delays the answer: here the request is delayed")
		}
		return e.inject("http.delay", s.Set("delay", delay), false)
	case e.value("abort") == "true":
		e.lost = append(e.lost, "abort: it answers 503, and does not close the connection")
		return e.inject("http.error", s, false)
	}
	return false
}
