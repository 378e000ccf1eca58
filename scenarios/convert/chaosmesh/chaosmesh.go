// Package chaosmesh converts manifests of Chaos Mesh into scenarios.
package chaosmesh

import (
	"cmp"
	"regexp"
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
		Doc: "a fault for each, on the pods of its selector, in the order of a workflow, side by side where it is parallel",
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
		d.Skip(m, "metadata", "namespace") // where there is no selector
		if d.Text(m, "kind") == "Workflow" {
			convertWorkflow(d, m)
		} else {
			convertManifest(d, m)
		}
		d.Skip(m, "metadata") // names, labels, and what kubectl writes there
		d.Skip(m, "spec")     // each experiment reports its own unread parts
		for _, rest := range d.Rest(m) {
			d.Lost(draft.Line(m), "%s", rest)
		}
	}
	return nil
}

// convertManifest converts one manifest.
func convertManifest(d *draft.Builder, m *syntax.Node) {
	e := &experiment{
		d: d, name: d.Text(m, "metadata", "name"), kind: d.Text(m, "kind"), line: draft.Line(m), spec: m.Get("spec"),
		namespace: d.Text(m, "metadata", "namespace"),
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

// A workflow is a Workflow under conversion.
type workflow struct {
	d         *draft.Builder
	name      string
	namespace string
	templates map[string]*syntax.Node
	reached   map[string]bool
}

// convertWorkflow converts the templates that the entry of a workflow reaches, in the order in which they run.
func convertWorkflow(d *draft.Builder, m *syntax.Node) {
	w := &workflow{
		d: d, name: d.Text(m, "metadata", "name"), namespace: d.Text(m, "metadata", "namespace"),
		templates: map[string]*syntax.Node{}, reached: map[string]bool{},
	}
	list := draft.At(m, "spec", "templates")
	if list == nil || len(list.Items) == 0 {
		d.Lost(draft.Line(m), "Workflow %s: it has no templates", w.name)
		return
	}
	for _, t := range list.Items {
		w.templates[d.Text(t, "name")] = t
	}
	w.run(d.Text(m, "spec", "entry"), draft.Line(m), 0)
	for _, t := range list.Items {
		if name := d.Text(t, "name"); !w.reached[name] {
			d.Lost(draft.Line(t), "the template %s of the workflow %s: its entry does not reach it", name, w.name)
		}
	}
	d.Skip(m, "spec", "templates")
	for _, rest := range d.Rest(m.Get("spec")) {
		d.Lost(draft.Line(m), "%s of the workflow %s", rest, w.name)
	}
}

// deepest is the depth of templates within templates that is followed.
const deepest = 20

// run converts a template: an experiment, or the children of a serial or parallel one.
func (w *workflow) run(name string, line, depth int) {
	t := w.templates[name]
	if t == nil || depth > deepest {
		w.d.Lost(line, "the template %s of the workflow %s: it is not there, or contains itself", name, w.name)
		return
	}
	line = draft.Line(t)
	again := w.reached[name]
	w.reached[name] = true
	var children []string
	kind, deadline := w.d.Text(t, "templateType"), w.d.Text(t, "deadline")
	if kind == "Serial" || kind == "Parallel" {
		children = w.d.Texts(t, "children")
	}
	switch kind {
	case "Serial":
		for _, child := range children {
			w.run(child, line, depth+1)
		}
	case "Parallel":
		var branches []func()
		for _, child := range children {
			branches = append(branches, func() { w.run(child, line, depth+1) })
		}
		w.d.Together(branches...)
	case "Suspend":
		wait, ok := draft.Pause(deadline, time.Second)
		if w.d.Wait(wait); deadline == "" {
			w.d.Lost(line, "the pause of the template %s: it has no deadline", name)
		} else if !ok {
			w.d.Lost(line, "the pause of the template %s: its deadline is no duration", name)
		}
		deadline = ""
	default:
		e := &experiment{
			d: w.d, name: name, kind: kind, line: line, spec: t.Get(lowerFirst(kind)), deadline: deadline,
			namespace: w.namespace,
		}
		if kind == "Schedule" && e.spec != nil {
			e.schedule()
		}
		if again {
			w.d.Forget(e.spec) // its parts are read again
		}
		e.convert()
		w.d.Skip(t, lowerFirst(kind))
		deadline = ""
	}
	if deadline != "" && len(children) > 0 {
		w.d.Lost(line, "the deadline %s of the template %s: its faults have durations of their own", deadline, name)
	}
	for _, rest := range w.d.Rest(t) {
		w.d.Lost(line, "%s of the template %s", rest, name)
	}
}

func lowerFirst(s string) string { return strings.ToLower(s[:min(1, len(s))]) + s[min(1, len(s)):] }

// convert converts an experiment, and reports the parts that were not read.
func (e *experiment) convert() {
	convertKind, ok := kinds[e.kind]
	if !ok || e.spec == nil {
		e.d.Lost(e.line, "%s %s: brunt has no such fault; on a cluster with Chaos Mesh, kube.apply creates it", e.kind, e.name)
		return
	}
	before := e.last
	done := convertKind(e)
	if !done && e.last == before {
		if e.refused {
			return
		}
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
	namespace  string // of the manifest, for selectors without one
	line       int
	spec       *syntax.Node
	deadline   string // of a template of a workflow, instead of a duration
	every      time.Duration
	lost       []string
	last       *draft.Node // the fault that was made last
	refused    bool        // the reason that there is no fault was reported
}

func (e *experiment) value(keys ...string) string { return e.d.Text(e.spec, keys...) }

// minutes matches the schedule of cron that repeats after some minutes.
var minutes = regexp.MustCompile(`^\*/([0-9]+) \* \* \* \*$`)

// schedule continues with the experiment that a Schedule repeats.
func (e *experiment) schedule() {
	text, kind, outer := e.value("schedule"), e.value("type"), e.spec
	if every, ok := strings.CutPrefix(text, "@every "); ok {
		_, e.every, _ = draft.Duration(every, time.Second)
	} else if m := minutes.FindStringSubmatch(text); m != nil {
		_, e.every, _ = draft.Duration(m[1], time.Minute)
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

// unit returns the service that stands for the pods of a selector. It is empty if the scenario can't have these pods,
// which refuses the experiment.
func (e *experiment) unit(selector *syntax.Node) string {
	labels := e.d.Labels(draft.At(selector, "labelSelectors"))
	if len(labels) == 0 {
		labels = map[string]string{"app": "web"}
		e.lost = append(e.lost, "a selector without labels: say under target.kubernetes.services which pods these are")
	}
	pods := draft.Pod{Namespace: e.namespace, Labels: labels}
	if all := e.d.Texts(selector, "namespaces"); len(all) > 0 {
		if pods.Namespace = all[0]; len(all) > 1 {
			e.lost = append(e.lost, "the namespaces "+strings.Join(all[1:], ", ")+": a scenario has pods of one")
		}
	}
	if all := e.d.Texts(e.spec, "containerNames"); len(all) > 0 && selector == e.spec.Get("selector") {
		if pods.Container = all[0]; len(all) > 1 {
			e.lost = append(e.lost, "the containers "+strings.Join(all[1:], ", ")+": a fault hits one of each pod")
		}
	}
	if e.refused {
		return ""
	}
	name, lost := e.d.Pods(pods)
	if lost != "" {
		e.d.Lost(e.line, "%s %s: %s", e.kind, e.name, lost)
		e.d.Skip(e.spec)
		e.refused = true
	}
	return name
}

// pick sets how many of the units are hit, by the mode of a selector.
func (e *experiment) pick(s *draft.Node, of *syntax.Node) {
	mode, value := e.d.Text(of, "mode"), e.d.Text(of, "value")
	switch mode {
	case "one", "all":
		s.Set("pick", draft.Raw(mode))
	case "fixed":
		s.SetWhole("pick", value)
	case "fixed-percent", "random-max-percent":
		s.SetPercent("pick", value)
		if mode != "fixed-percent" {
			e.lost = append(e.lost, "random-max-percent: always "+value+" percent")
		}
	case "":
	default:
		e.lost = append(e.lost, "the mode "+mode)
	}
	if s.Get("pick") == nil && mode != "" {
		e.lost = append(e.lost, "the mode "+mode+" of "+value+": it is one")
		s.Set("pick", draft.Raw("one"))
	}
}

// subject returns settings that name the units of the experiment.
func (e *experiment) subject() *draft.Node {
	s := (&draft.Node{}).Set("service", draft.Plain(e.unit(e.spec.Get("selector"))))
	e.pick(s, e.spec)
	return s
}

// inject adds a fault of the experiment.
func (e *experiment) inject(kind string, s *draft.Node, oneShot bool) bool {
	if e.refused {
		return false
	}
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
		s := e.subject()
		grace, wait, ok := draft.Duration(e.value("gracePeriod"), time.Second)
		if !ok || wait%time.Second != 0 {
			grace = draft.Raw("1s")
			if text := e.value("gracePeriod"); text != "" {
				e.lost = append(e.lost, "gracePeriod "+draft.Harmless("", text)+": brunt gives a pod at least 1s")
			}
		}
		return e.inject("pod.delete", s.Set("grace", grace), true)
	case "container-kill":
		return e.inject("process.crash", e.subject(), true)
	case "pod-failure":
		return e.inject("pod.fail", e.subject(), false)
	}
	return false
}

// network converts faults on packets. One action netem may hold several faults, which act at once.
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
	var all []func()
	done := false
	for _, one := range []string{"delay", "loss", "duplicate", "corrupt", "bandwidth", "rate"} {
		if e.spec.Get(one) == nil {
			continue
		}
		all = append(all, func() {
			if kind, s := e.packets(one); kind != "" {
				e.ends(s, kind)
				done = e.inject(kind, s, false) || done
			}
		})
	}
	e.d.Together(all...)
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
	case "rate":
		kind, needs = "network.bandwidth", "rate"
		rate := e.value("rate", "rate")
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
	target := draft.At(e.spec, "target")
	var to []string
	if t := target.Get("selector"); t != nil {
		to = append(to, e.unit(t))
	}
	to = append(to, e.d.Texts(e.spec, "externalTargets")...)
	picks, all, whole := e.spec, target, "target" // brunt picks of the units at `from`
	switch {
	case len(to) == 0:
		s.Set("service", draft.Plain(unit))
	case e.value("direction") == "from":
		s.Set("from", draft.Plain(to[0])).Set("to", draft.Plain(unit))
		picks, all, whole = target, e.spec, "selector"
	default:
		s.Set("from", draft.Plain(unit)).Set("to", draft.Plain(to[0]))
	}
	if mode := strings.TrimSpace(e.d.Text(all, "mode") + " " + e.d.Text(all, "value")); mode != "" && mode != "all" {
		e.lost = append(e.lost, "the mode "+mode+" of its "+whole+": all of them")
	}
	if len(to) > 1 {
		e.lost = append(e.lost, "several targets: "+strings.Join(to[1:], ", ")+"; make a fault with `to` of each")
	}
	e.pick(s, picks)
	switch direction := e.value("direction"); {
	case direction == "both" && kind != "network.bandwidth" && len(to) > 0:
		s.Set("direction", draft.Raw("both"))
	case direction != "" && direction != "to" && (direction != "from" || len(to) == 0):
		e.lost = append(e.lost, "the direction "+direction)
	}
}

// stress converts stressors, which act at once.
func stress(e *experiment) bool {
	done := false
	cpu, memory := func() {}, func() {}
	if draft.At(e.spec, "stressors", "cpu") != nil {
		cpu = func() {
			done = e.inject("stress.cpu", e.subject().SetWhole("workers", e.value("stressors", "cpu", "workers")).
				SetPercent("load", e.value("stressors", "cpu", "load")), false)
		}
	}
	if draft.At(e.spec, "stressors", "memory") != nil {
		memory = func() { done = e.memory() || done }
	}
	e.d.Together(cpu, memory)
	return done
}

// memory converts a stressor of memory.
func (e *experiment) memory() bool {
	s := e.subject()
	size := e.value("stressors", "memory", "size")
	if strings.HasSuffix(size, "%") {
		s.SetPercent("percent", size)
	} else {
		s.SetSize(size)
	}
	if s.Get("percent") == nil && s.Get("bytes") == nil {
		e.d.Lost(e.line, "StressChaos %s: the size of memory %q", e.name, size)
		e.refused = true
		return false
	}
	if w := e.value("stressors", "memory", "workers"); w != "" && w != "1" {
		e.lost = append(e.lost, w+" workers: the size is taken once")
	}
	return e.inject("stress.memory", s, false)
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
	e.lost = append(e.lost, "the selector and the mode: it acts on requests of the load; `from` and `to` name another link")
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
