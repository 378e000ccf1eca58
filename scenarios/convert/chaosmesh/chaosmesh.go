// Package chaosmesh converts manifests of Chaos Mesh into scenarios.
package chaosmesh

import (
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
		if !strings.HasPrefix(draft.Value(m, "apiVersion"), "chaos-mesh.org/") {
			d.Lost(draft.Line(m), "a manifest that is not Chaos Mesh's: %s", draft.Value(m, "kind"))
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
	e := &experiment{d: d, name: draft.Value(m, "metadata", "name"), kind: draft.Value(m, "kind"), line: draft.Line(m), spec: m.Get("spec")}
	if e.kind == "Schedule" {
		e.schedule()
	}
	convertKind, ok := kinds[e.kind]
	if !ok || e.spec == nil {
		d.Lost(e.line, "%s %s", e.kind, e.name)
		return
	}
	if convertKind(e) {
		return
	}
	d.Lost(e.line, "%s %s: the action %q", e.kind, e.name, e.value("action"))
}

// kinds converts each kind of manifest; false if its action has no counterpart.
var kinds = map[string]func(*experiment) bool{
	"PodChaos": pod, "NetworkChaos": network, "StressChaos": stress, "TimeChaos": clock, "DNSChaos": dns, "HTTPChaos": http,
}

// An experiment is a manifest under conversion.
type experiment struct {
	d          *draft.Builder
	name, kind string
	line       int
	spec       *syntax.Node
	every      time.Duration
	lost       []string
}

func (e *experiment) value(keys ...string) string { return draft.Value(e.spec, keys...) }

// schedule goes on with what a Schedule repeats.
func (e *experiment) schedule() {
	text, kind := e.value("schedule"), e.value("type")
	if every, ok := strings.CutPrefix(text, "@every "); ok {
		_, e.every, _ = draft.Duration(every, time.Second)
	}
	if e.every == 0 {
		e.lost = append(e.lost, "the schedule "+text+": it is injected once")
	} else {
		e.lost = append(e.lost, "the schedule "+text+" has no end; here it is three times")
	}
	e.kind = kind
	e.spec = e.spec.Get(strings.ToLower(kind[:min(1, len(kind))]) + kind[min(1, len(kind)):])
}

// unit names the containers of a selector.
func (e *experiment) unit(selector *syntax.Node) string {
	labels := draft.Labels(draft.At(selector, "labelSelectors"))
	if len(labels) == 0 {
		labels = map[string]string{"app": "web"}
		e.lost = append(e.lost, "a selector without labels: say under target.units which containers these are")
	}
	if draft.At(selector, "expressionSelectors") != nil {
		e.lost = append(e.lost, "expressionSelectors")
	}
	for _, key := range []string{"fieldSelectors", "annotationSelectors", "podPhaseSelectors", "nodeSelectors", "nodes", "pods"} {
		if draft.At(selector, key) != nil {
			e.lost = append(e.lost, key)
		}
	}
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
		if _, f.For, ok = draft.Duration(e.value("duration"), time.Second); !ok {
			f.For, f.Guessed = draft.GuessedFor, true
		}
	}
	if e.every > 0 {
		f.Every, f.Repeat = e.every, 3
	}
	n := e.d.Inject(f)
	for _, l := range e.lost {
		e.d.LoseAt(&n.Above, e.line, "%s", l)
	}
	e.lost = nil
	return true
}

func pod(e *experiment) bool {
	switch e.value("action") {
	case "pod-kill":
		e.lost = append(e.lost, "the pod is not replaced by another: its container crashes, and its restart policy brings it back")
		return e.inject("process.crash", e.subject(), true)
	case "container-kill":
		if e.spec.Get("containerNames") != nil {
			e.lost = append(e.lost, "containerNames: the labels select the containers")
		}
		return e.inject("process.crash", e.subject(), true)
	case "pod-failure":
		return e.inject("container.stop", e.subject(), false)
	}
	return false
}

func network(e *experiment) bool {
	s := new(draft.Node)
	kind := ""
	correlation := func(of string) {
		if v := e.value(of, "correlation"); v != "" && v != "0" {
			e.lost = append(e.lost, "the correlation "+v+" of "+of)
		}
	}
	switch action := e.value("action"); action {
	case "delay":
		kind = "network.latency"
		s.SetDuration("delay", e.value("delay", "latency"), time.Millisecond).SetDuration("jitter", e.value("delay", "jitter"), time.Millisecond)
		if v := e.value("delay", "correlation"); s.Get("jitter") != nil && v != "" && v != "0" {
			s.SetPercent("correlation", v)
		}
		if draft.At(e.spec, "delay", "reorder") != nil {
			e.lost = append(e.lost, "reorder: take network.reorder")
		}
	case "loss", "duplicate", "corrupt":
		kind = "network." + action
		s.SetPercent("percent", e.value(action, action))
		correlation(action)
	case "bandwidth":
		kind = "network.bandwidth"
		s.SetRate(e.value("bandwidth", "rate"))
	case "partition":
		kind = "network.partition"
	default:
		return false
	}
	want := map[string]string{"network.latency": "delay", "network.bandwidth": "rate", "network.partition": ""}
	if key, listed := want[kind]; listed && key != "" && s.Get(key) == nil || !listed && s.Get("percent") == nil {
		return false
	}
	e.ends(s, kind)
	return e.inject(kind, s, false)
}

// ends sets whose packets are hit.
func (e *experiment) ends(s *draft.Node, kind string) {
	unit := e.unit(e.spec.Get("selector"))
	var to []string
	if t := draft.At(e.spec, "target", "selector"); t != nil {
		to = append(to, e.unit(t))
	}
	if list := e.spec.Get("externalTargets"); list != nil {
		for _, item := range list.Items {
			to = append(to, item.Value)
		}
	}
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
	if e.value("direction") == "both" && kind != "network.bandwidth" {
		s.Set("direction", draft.Raw("both"))
	}
}

func stress(e *experiment) bool {
	done := false
	if draft.At(e.spec, "stressors", "cpu") != nil {
		s := e.subject().SetWhole("workers", e.value("stressors", "cpu", "workers")).SetPercent("load", e.value("stressors", "cpu", "load"))
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
	if list := e.spec.Get("patterns"); list != nil {
		for _, item := range list.Items {
			names.Items = append(names.Items, draft.Plain(item.Value))
		}
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
	if v := e.value("path"); v != "" && v != "*" {
		s.Set("path", draft.Plain(v))
	}
	if v := e.value("method"); v != "" {
		s.Set("method", draft.Plain(v))
	}
	if code, err := strconv.Atoi(e.value("replace", "code")); err == nil && e.value("target") == "Response" && code >= 200 && code < 600 {
		return e.inject("http.error", s.Set("status", draft.Number(code)), false)
	}
	if s.SetDuration("delay", e.value("delay"), time.Second); s.Get("delay") != nil {
		return e.inject("http.delay", s, false)
	}
	if e.value("abort") == "true" {
		e.lost = append(e.lost, "abort: it answers 503, and does not close the connection")
		return e.inject("http.error", s, false)
	}
	return false
}
