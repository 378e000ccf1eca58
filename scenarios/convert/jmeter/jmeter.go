// Package jmeter converts plans of JMeter into scenarios.
package jmeter

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/quantity"
)

// Converter returns the converter for JMeter plans.
func Converter() draft.Converter {
	return draft.Converter{
		Name: "jmeter", Source: "a JMeter plan", Convert: convert,
		Doc: "its thread groups as loads, its HTTP samplers as steps; defaults, headers, timers, assertions and extractors " +
			"in their scope, variables and CSV data sets as `params` and `data`",
	}
}

// convert reads a plan. Thread groups become loads, and HTTP samplers become steps with the defaults, headers,
// timers, assertions and extractors that are in scope.
func convert(d *draft.Builder, source []byte) error {
	trees, disabled, err := readJMX(d.O.File, source)
	if err != nil {
		return err
	}
	p := &plan{d: d, turns: 1, vars: &variables{
		d: d, set: map[string]func() draft.Text{}, params: map[string]string{}, names: map[string]string{},
		noted: map[string]bool{},
	}}
	p.collect(trees, false)
	p.collect(trees, true)
	for _, t := range trees {
		if t.tag != "TestPlan" {
			continue
		}
		if t.is("TestPlan.serialize_threadgroups") {
			d.LoseAt(&d.Head, t.line, "thread groups one after the other; `start` is when a load begins")
		}
		p.groups(t.sub)
	}
	for _, e := range disabled {
		if !slices.Contains(ignored, e.tag) {
			d.Lost(e.line, "%s %q, which is disabled", e.tag, draft.Clip(e.name(), 60))
		}
	}
	p.rest(trees)
	if !p.managed && len(d.Load.Fields) > 0 {
		d.LoseAt(&d.Head, 0, "that no cookie is kept, as the plan has no cookie manager: brunt keeps those of answers")
	}
	if !p.shows && len(d.Load.Fields) > 0 {
		d.Slo.Items = append(d.Slo.Items, draft.Plain("errors = 0%"))
	}
	return nil
}

// rest reports the properties of elements that nothing has read. An element of which nothing at all was read is
// reported as a whole.
func (p *plan) rest(level []*tree) {
	for _, t := range level {
		if t.known() {
			for _, e := range t.element.rest() {
				name := draft.Clip(cmp.Or(e.attr["name"], e.tag), 60)
				p.d.Lost(e.line, "%s of %q", strings.TrimSpace(name+" "+draft.Harmless(name, strings.TrimSpace(e.text))),
					draft.Clip(t.name(), 60))
			}
		}
		p.rest(t.sub)
	}
}

// A plan is a JMeter plan under conversion.
type plan struct {
	d    *draft.Builder
	vars *variables

	turns    int           // number of times that the current steps are repeated
	requests int           // requests in an iteration of the current group
	thinks   time.Duration // minimum think time in an iteration
	ramp     time.Duration // ramp of the threads, if the executor has none
	link     link          // of the current group
	managed  bool          // some cookie manager keeps cookies
	jar      *tree         // the cookie manager of the current group; nil: none
	shows    bool          // some load makes enough requests to show an error rate below 1 %
}

// A scope holds the elements that apply to a sampler, from all enclosing levels, the innermost last.
type scope struct {
	defaults, headers, auth, timers, asserts, extracts []*tree
}

// ignored are elements that measure or display, or that change nothing.
var ignored = []string{
	"ResultCollector", "Summariser", "BackendListener", "DebugSampler", "DebugPostProcessor",
	"TestFragmentController",
	"kg.apc.jmeter.vizualizers.CorrectedResultCollector", "Arguments", "CSVDataSet", "CounterConfig",
	"RandomVariableConfig",
}

// with returns the scope of a level, in which the elements of the level apply to everything.
func (p *plan) with(s scope, level []*tree, flow *draft.Node) scope {
	add := func(to *[]*tree, t *tree) { *to = append(slices.Clone(*to), t) }
	for _, t := range level {
		switch t.tag {
		case "ConfigTestElement":
			if strings.Contains(t.attr["guiclass"], "HttpDefaults") {
				add(&s.defaults, t)
			} else {
				p.d.Lose(flow, t.line, "%s %q", t.tag, draft.Clip(t.name(), 60))
			}
		case "HeaderManager":
			add(&s.headers, t)
		case "AuthManager":
			add(&s.auth, t)
		case "ConstantTimer", "UniformRandomTimer", "GaussianRandomTimer", "PoissonRandomTimer":
			add(&s.timers, t)
		case "ResponseAssertion", "DurationAssertion", "JSONPathAssertion":
			add(&s.asserts, t)
		case "RegexExtractor", "JSONPostProcessor", "BoundaryExtractor":
			add(&s.extracts, t)
		case "CookieManager":
			p.cookies(t, flow)
		case "CacheManager":
			p.d.Lose(flow, t.line, "the cache %q: every request is made", draft.Clip(t.name(), 60))
		default:
			if !isSampler(t.tag) && !isController(t.tag) && !slices.Contains(ignored, t.tag) {
				p.d.Lose(flow, t.line, "%s %q", t.tag, draft.Clip(t.name(), 60))
			}
		}
	}
	return s
}

// cookies takes a cookie manager, and reports what brunt can't keep of it: its own cookies.
func (p *plan) cookies(t *tree, flow *draft.Node) {
	p.managed, p.jar = true, t
	for _, c := range t.arguments("", "CookieManager.cookies") {
		c.skip()
		p.tellOnce(flow, t, "the cookie %s that %q sets; the header Cookie sends one", draft.Clip(c.attr["name"], 40),
			draft.Clip(t.name(), 60))
	}
}

func isSampler(tag string) bool {
	return strings.HasPrefix(tag, "HTTPSampler") || tag == "TestAction" ||
		strings.HasSuffix(tag, "Sampler") && tag != "DebugSampler"
}

func isController(tag string) bool {
	return strings.HasSuffix(tag, "Controller") && tag != "TestFragmentController" || tag == "InterleaveControl" ||
		strings.HasSuffix(tag, "ThreadGroup")
}

// groups reads the thread groups of a plan.
func (p *plan) groups(level []*tree) {
	d := p.d
	for _, t := range level {
		if t.tag == "Arguments" || !strings.HasSuffix(t.tag, "ThreadGroup") {
			continue
		}
		flow := &draft.Node{Block: true, Items: []*draft.Node{}}
		p.link, p.jar = link{}, nil
		s := p.with(scope{}, configs(level), flow)
		switch t.tag {
		case "SetupThreadGroup", "PostThreadGroup":
			p.walk(t.sub, s, flow, flow)
			to := d.Setup
			if t.tag == "PostThreadGroup" {
				to = d.Teardown
			}
			p.once(t, flow)
			to.Items = append(to.Items, flow.Items...)
			to.Pending = append(to.Pending, flow.Pending...)
			continue
		}
		p.group(t, s, flow)
	}
}

// once reports what a setup or a teardown can't keep of a thread group: its steps run once, without pauses.
func (p *plan) once(t *tree, flow *draft.Node) {
	name := draft.Clip(t.name(), 60)
	p.onError(t, &flow.Pending)
	defer t.skip() // the rest says when threads begin and end
	_, threads := p.amount(t.element, "ThreadGroup.num_threads", 1, &flow.Pending)
	if _, turns := p.loops(t, &flow.Pending); threads > 1 || turns > 1 {
		p.d.Lose(flow, t.line, "the threads and loops of %q: its steps run once", name)
	}
	if p.link.timeout != nil || p.link.closing > 0 {
		p.d.Lose(flow, t.line, "the timeouts and connections of %q: its steps have %s each", name,
			quantity.FormatDuration(scenarios.DefaultTimeout))
	}
	steps := len(flow.Items)
	flow.Items = slices.DeleteFunc(flow.Items, func(n *draft.Node) bool { return n.Get("think") != nil })
	if len(flow.Items) < steps {
		p.d.Lose(flow, t.line, "the pauses of %q", name)
	}
}

// configs returns the elements of a level that are not thread groups.
func configs(level []*tree) []*tree {
	return slices.DeleteFunc(slices.Clone(level), func(t *tree) bool { return strings.HasSuffix(t.tag, "ThreadGroup") })
}

// group makes a load of a thread group.
func (p *plan) group(t *tree, s scope, flow *draft.Node) {
	d := p.d
	init := &draft.Node{Block: true, Items: []*draft.Node{}}
	mix := p.mix(t, s, flow, init)
	if mix == nil {
		p.walk(t.sub, s, flow, init)
	}
	requests := func(n *draft.Node) bool {
		return slices.ContainsFunc(n.Items, func(step *draft.Node) bool { return step.Get("think") == nil })
	}
	if mix == nil && !requests(flow) {
		d.LoseAt(&d.Load.Pending, t.line, "the thread group %q, which makes no request over HTTP", draft.Clip(t.name(), 60))
		d.Load.Pending = append(d.Load.Pending, flow.Pending...)
		return
	}
	p.requests, p.thinks, p.ramp = 1, 0, 0
	if mix == nil {
		p.requests = 0
		for _, step := range flow.Items {
			if think := step.Get("think"); think != nil {
				least, _, _ := strings.Cut(think.YAML, "..")
				long, _ := quantity.ParseDuration(least)
				p.thinks += long
			} else {
				p.requests++
			}
		}
	}
	for i, load := range p.shapes(t) {
		name := draft.Slug(t.name(), "group")
		if i > 0 {
			name += "-" + strconv.Itoa(i+1)
		}
		load.Block = true
		p.link.set(p, t, load)
		p.keep(t, load)
		if p.ramp > time.Second {
			wait := draft.Think(0, p.ramp)
			wait.Say("the ramp-up of " + quantity.FormatDuration(p.ramp) + ": each virtual user begins at some time within it")
			init.Items = append([]*draft.Node{wait}, init.Items...)
		}
		if len(init.Items) > 0 {
			load.Set("init", init)
		}
		if mix != nil {
			load.Set("mix", mix)
		} else {
			load.Set("flow", &draft.Node{Block: true, Items: flow.Items, Pending: flow.Pending})
		}
		p.unset(t, load)
		d.Load.Set(draft.Unique(d.Load, name), load)
	}
}

// keep says how long the users of a group keep their cookies, if that is not brunt's default.
func (p *plan) keep(t *tree, load *draft.Node) {
	if p.jar == nil {
		return
	}
	clears := p.jar.is("CookieManager.clearEachIteration")
	if p.jar.is("CookieManager.controlledByThreadGroup") {
		clears = t.prop("ThreadGroup.same_user_on_next_iteration") == "false"
	}
	switch open := strings.Contains(load.Get("executor").YAML, "arrival"); {
	case clears && !open:
		load.Set("cookies", draft.Raw("iteration"))
	case !clears && open:
		load.Set("cookies", draft.Raw("user"))
	}
}

// ofVariable matches the variables that a step names.
var ofVariable = regexp.MustCompile(`\$\{var\.([^}]+)\}`)

// unset reports variables that a load uses but does not set. JMeter sends the name of such a variable.
func (p *plan) unset(t *tree, load *draft.Node) {
	set, used := map[string]bool{}, map[string]bool{}
	var visit func(n *draft.Node)
	visit = func(n *draft.Node) {
		for _, m := range ofVariable.FindAllStringSubmatch(n.YAML, -1) {
			used[m[1]] = true
		}
		for _, f := range n.Fields {
			if f.Key == "extract" {
				for _, e := range f.Value.Fields {
					set[e.Key] = true
				}
			}
			visit(f.Value)
		}
		for _, item := range n.Items {
			visit(item)
		}
	}
	visit(p.d.Setup)
	clear(used)
	visit(load)
	for _, name := range draft.SortedKeys(used) {
		if !set[name] {
			p.d.LoseAt(&load.Above, t.line, "%s, which %q names and no step of it sets", name, draft.Clip(t.name(), 60))
		}
	}
}

// mix makes weighted flows of a thread group whose iterations pick one of several branches. It is nil if the group
// has another form.
func (p *plan) mix(t *tree, s scope, flow, init *draft.Node) *draft.Node {
	var branches []*tree
	for _, c := range t.sub {
		if isSampler(c.tag) || isController(c.tag) {
			branches = append(branches, c)
		}
	}
	shares := len(branches) > 1 && !slices.ContainsFunc(branches, func(c *tree) bool {
		return c.tag != "ThroughputController" || strings.TrimSpace(c.prop("ThroughputController.style")) != "1"
	})
	pick := len(branches) == 1 && (branches[0].tag == "RandomController" || branches[0].tag == "InterleaveControl")
	if !shares && !pick {
		return nil
	}
	s = p.with(s, t.sub, flow)
	if pick {
		if branches[0].tag == "InterleaveControl" {
			p.d.Lose(flow, branches[0].line, "one after the other by %q; one of them is picked each time",
				draft.Clip(branches[0].name(), 60))
		}
		s = p.with(s, branches[0].sub, flow)
		branches = slices.DeleteFunc(slices.Clone(branches[0].sub),
			func(c *tree) bool { return !isSampler(c.tag) && !isController(c.tag) })
	}
	out := &draft.Node{Block: true, Items: []*draft.Node{}}
	for _, branch := range branches {
		one := &draft.Node{Block: true, Items: []*draft.Node{}}
		weight := draft.Number(1)
		if shares {
			if f, err := strconv.ParseFloat(branch.float("ThroughputController.percentThroughput"), 64); err == nil && f > 0 &&
				f <= 1e6 {
				weight = draft.Raw(strconv.FormatFloat(f, 'f', -1, 64))
			}
			p.walk(branch.sub, s, one, init)
		} else {
			p.walk([]*tree{branch}, s, one, init)
		}
		if !slices.ContainsFunc(one.Items, func(step *draft.Node) bool { return step.Get("think") == nil }) {
			p.d.Lose(out, branch.line, "%q, which makes no request over HTTP", draft.Clip(branch.name(), 60))
			continue
		}
		item := (&draft.Node{}).Set("weight", weight).Set("flow",
			&draft.Node{Block: true, Items: one.Items, Pending: one.Pending})
		item.Above = append(out.Pending, "of "+draft.Clip(branch.name(), 60))
		out.Pending = nil
		out.Items = append(out.Items, item)
	}
	if len(out.Items) == 0 {
		return nil
	}
	out.Pending = append(out.Pending, flow.Pending...)
	return out
}

// Limits on how far loops, and nested loops, are unrolled.
const (
	mostUnrolled = 20
	mostTurns    = 100
)

// walk adds the steps of a level to a flow, and steps that run once to init.
func (p *plan) walk(level []*tree, s scope, flow, init *draft.Node) {
	s = p.with(s, level, flow)
	for _, t := range level {
		switch name := draft.Clip(t.name(), 60); {
		case strings.HasPrefix(t.tag, "HTTPSampler"):
			p.sampler(t, s, flow)
		case t.tag == "TestAction":
			p.action(t, flow)
		case isSampler(t.tag):
			p.d.Lose(flow, t.line, "%s %q", t.tag, name)
		case t.tag == "OnceOnlyController":
			p.walk(t.sub, s, init, init)
		case t.tag == "LoopController":
			p.loop(t, s, flow, init)
		case t.tag == "TransactionController" || t.tag == "GenericController" || t.tag == "CriticalSectionController":
			first := len(flow.Items)
			if t.tag == "CriticalSectionController" {
				p.tellOnce(flow, t, "that one thread at a time is in %q", name)
			}
			p.walk(t.sub, s, flow, init)
			if t.is("TransactionController.parent") {
				p.tellOnce(flow, t, "the transaction %q as one sample: each of its requests is one", name)
			}
			if first < len(flow.Items) && t.tag == "TransactionController" {
				flow.Items[first].Above = append([]string{"transaction: " + name}, flow.Items[first].Above...)
			}
		case t.tag == "IncludeController" || t.tag == "ModuleController":
			p.d.Lose(flow, t.line, "%s %q: the steps that it takes from elsewhere", t.tag, name)
		case isController(t.tag):
			p.d.Lose(flow, t.line, "%s %q: its steps are done each time, one after the other", t.tag, name)
			p.walk(t.sub, s, flow, init)
		}
	}
}

func (p *plan) loop(t *tree, s scope, flow, init *draft.Node) {
	loops, known := p.value(t.element, "LoopController.loops", &flow.Pending)
	n, err := strconv.Atoi(loops)
	if !known || err != nil || n < 0 || n > mostUnrolled || n > 1 && p.turns*n > mostTurns {
		p.d.Lose(flow, t.line, "the loop %q of %s turns: its steps are done once", draft.Clip(t.name(), 60),
			draft.Clip(loops, 20))
		n = 1
	}
	outer := p.turns
	p.turns *= max(1, n)
	for range n {
		p.walk(t.sub, s, flow, init)
	}
	p.turns = outer
}

// action reads a pause.
func (p *plan) action(t *tree, flow *draft.Node) {
	ms, known := p.value(t.element, "ActionProcessor.duration", &flow.Pending)
	n, err := strconv.ParseInt(ms, 10, 64)
	switch action := strings.TrimSpace(t.prop("ActionProcessor.action")); {
	case action != "1":
		p.d.Lose(flow, t.line, "%q, which ends a thread or a turn", draft.Clip(t.name(), 60))
	case !known || err != nil || n < 0 || n > int64(24*time.Hour/time.Millisecond):
		p.d.Lose(flow, t.line, "a pause of %q ms", draft.Clip(ms, 40))
	default:
		p.d.Add(flow, draft.Think(time.Duration(n)*time.Millisecond, 0))
	}
}

// value returns a property with its variables replaced by their values. It reports false if a value is not known
// during conversion.
func (p *plan) value(e *element, name string, above *[]string) (string, bool) {
	v, ok := p.vars.known(p.vars.expand(e.prop(name), e.line, above))
	return strings.TrimSpace(v), ok
}

// text returns a property with its variables as placeholders.
func (p *plan) text(e *element, name string, above *[]string) draft.Text {
	return p.vars.expand(strings.TrimSpace(e.prop(name)), e.line, above)
}

// mostHead is the maximum length of the header line that is read from a data file, in bytes.
const mostHead = 64 << 10

func (p *plan) tellOnce(flow *draft.Node, t *tree, format string, args ...any) {
	p.vars.lost(&flow.Pending, t.line, fmt.Sprintf(format, args...))
}
