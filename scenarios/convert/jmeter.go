package convert

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios"
)

// jmeter reads a plan: its thread groups become loads, its HTTP samplers steps, with the
// defaults, headers, timers, assertions and extractors in whose scope they stand.
func jmeter(d *draft, source []byte) error {
	trees, err := readJMX(d.o.File, source)
	if err != nil {
		return err
	}
	p := &plan{d: d, turns: 1, vars: &variables{
		d: d, set: map[string]func() text{}, params: map[string]string{}, names: map[string]string{}, told: map[string]bool{},
	}}
	p.collect(trees, false)
	p.collect(trees, true)
	for _, t := range trees {
		if t.tag != "TestPlan" {
			continue
		}
		if t.is("TestPlan.serialize_threadgroups") {
			d.loseAt(&d.head, t.line, "thread groups one after the other; `start` is when a load begins")
		}
		p.groups(t.sub)
	}
	return nil
}

// plan is one of JMeter on its way to become a scenario.
type plan struct {
	d    *draft
	vars *variables

	turns    int           // that the steps being read are written down
	requests int           // of an iteration of the group that is read
	thinks   time.Duration // in an iteration, at least
	ramp     time.Duration // within which its threads begin, where the executor has no ramp
}

// scope is what holds for a sampler: the elements of the levels that it stands in, the
// innermost last.
type scope struct {
	defaults, headers, auth, timers, asserts, extracts []*tree
}

// ignored are elements that measure or show, which is brunt's own work, or change nothing.
var ignored = []string{
	"ResultCollector", "Summariser", "BackendListener", "DebugSampler", "DebugPostProcessor", "CookieManager", "TestFragmentController",
	"kg.apc.jmeter.vizualizers.CorrectedResultCollector", "Arguments", "CSVDataSet", "CounterConfig", "RandomVariableConfig",
}

// with gives the scope of a level: what stands in it holds for all of it.
func (p *plan) with(s scope, level []*tree, flow *node) scope {
	add := func(to *[]*tree, t *tree) { *to = append(slices.Clone(*to), t) }
	for _, t := range level {
		switch t.tag {
		case "ConfigTestElement":
			if strings.Contains(t.attr["guiclass"], "HttpDefaults") {
				add(&s.defaults, t)
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
		case "CacheManager":
			p.d.lose(flow, t.line, "the cache %q: every request is made", clip(t.name(), 60))
		default:
			if !isSampler(t.tag) && !isController(t.tag) && !slices.Contains(ignored, t.tag) {
				p.d.lose(flow, t.line, "%s %q", t.tag, clip(t.name(), 60))
			}
		}
	}
	return s
}

func isSampler(tag string) bool {
	return strings.HasPrefix(tag, "HTTPSampler") || tag == "TestAction" || strings.HasSuffix(tag, "Sampler") && tag != "DebugSampler"
}

func isController(tag string) bool {
	return strings.HasSuffix(tag, "Controller") && tag != "TestFragmentController" || tag == "InterleaveControl" || strings.HasSuffix(tag, "ThreadGroup")
}

// groups reads the thread groups of a plan.
func (p *plan) groups(level []*tree) {
	d := p.d
	for _, t := range level {
		if t.tag == "Arguments" || !strings.HasSuffix(t.tag, "ThreadGroup") {
			continue
		}
		flow := &node{block: true, items: []*node{}}
		s := p.with(scope{}, configs(level), flow)
		switch t.tag {
		case "SetupThreadGroup", "PostThreadGroup":
			p.walk(t.sub, s, flow, flow)
			to := d.setup
			if t.tag == "PostThreadGroup" {
				to = d.teardown
			}
			flow.items = slices.DeleteFunc(flow.items, func(n *node) bool { return n.get("think") != nil })
			to.items = append(to.items, flow.items...)
			to.pending = append(to.pending, flow.pending...)
			continue
		}
		p.group(t, s, flow)
	}
}

// configs are the elements of a level that are no thread groups.
func configs(level []*tree) []*tree {
	return slices.DeleteFunc(slices.Clone(level), func(t *tree) bool { return strings.HasSuffix(t.tag, "ThreadGroup") })
}

// group makes a load of a thread group.
func (p *plan) group(t *tree, s scope, flow *node) {
	d := p.d
	init := &node{block: true, items: []*node{}}
	mix := p.mix(t, s, flow, init)
	if mix == nil {
		p.walk(t.sub, s, flow, init)
	}
	requests := func(n *node) bool {
		return slices.ContainsFunc(n.items, func(step *node) bool { return step.get("think") == nil })
	}
	if mix == nil && !requests(flow) {
		d.loseAt(&d.load.pending, t.line, "the thread group %q, which makes no request over HTTP", clip(t.name(), 60))
		d.load.pending = append(d.load.pending, flow.pending...)
		return
	}
	p.requests, p.thinks, p.ramp = 1, 0, 0
	if mix == nil {
		p.requests = 0
		for _, step := range flow.items {
			if think := step.get("think"); think != nil {
				least, _, _ := strings.Cut(think.yaml, "..")
				long, _ := scenarios.ParseDuration(least)
				p.thinks += long
			} else {
				p.requests++
			}
		}
	}
	for i, load := range p.shapes(t) {
		name := slug(t.name(), "group")
		if i > 0 {
			name += "-" + strconv.Itoa(i+1)
		}
		load.block = true
		for _, key := range []string{"timeout", "connections"} {
			if v := flow.get(key); v != nil {
				load.set(key, v)
			}
		}
		if p.ramp > time.Second {
			wait := think(0, p.ramp)
			wait.say("the ramp-up of " + scenarios.FormatDuration(p.ramp) + ": each virtual user begins at some time within it")
			init.items = append([]*node{wait}, init.items...)
		}
		if len(init.items) > 0 {
			load.set("init", init)
		}
		if mix != nil {
			load.set("mix", mix)
		} else {
			load.set("flow", &node{block: true, items: flow.items, pending: flow.pending})
		}
		p.unset(t, load)
		d.load.set(unique(d.load, name), load)
	}
}

// ofVariable finds the variables that a step names.
var ofVariable = regexp.MustCompile(`\$\{var\.([^}]+)\}`)

// unset tells of variables that a load names and does not set: JMeter sends their names.
func (p *plan) unset(t *tree, load *node) {
	set, used := map[string]bool{}, map[string]bool{}
	var look func(n *node)
	look = func(n *node) {
		for _, m := range ofVariable.FindAllStringSubmatch(n.yaml, -1) {
			used[m[1]] = true
		}
		for _, f := range n.fields {
			if f.key == "extract" {
				for _, e := range f.value.fields {
					set[e.key] = true
				}
			}
			look(f.value)
		}
		for _, item := range n.items {
			look(item)
		}
	}
	look(p.d.setup)
	clear(used)
	look(load)
	for _, name := range sortedKeys(used) {
		if !set[name] {
			p.d.loseAt(&load.above, t.line, "%s, which %q names and no step of it sets", name, clip(t.name(), 60))
		}
	}
}

// mix makes flows with weights of a thread group whose iterations pick one of several
// ways; nil if it is not of that kind.
func (p *plan) mix(t *tree, s scope, flow, init *node) *node {
	var ways []*tree
	for _, c := range t.sub {
		if isSampler(c.tag) || isController(c.tag) {
			ways = append(ways, c)
		}
	}
	shares := len(ways) > 1 && !slices.ContainsFunc(ways, func(c *tree) bool {
		return c.tag != "ThroughputController" || strings.TrimSpace(c.prop("ThroughputController.style")) != "1"
	})
	pick := len(ways) == 1 && (ways[0].tag == "RandomController" || ways[0].tag == "InterleaveControl")
	if !shares && !pick {
		return nil
	}
	s = p.with(s, t.sub, flow)
	if pick {
		if ways[0].tag == "InterleaveControl" {
			p.d.lose(flow, ways[0].line, "one after the other by %q; one of them is picked each time", clip(ways[0].name(), 60))
		}
		s = p.with(s, ways[0].sub, flow)
		ways = slices.DeleteFunc(slices.Clone(ways[0].sub), func(c *tree) bool { return !isSampler(c.tag) && !isController(c.tag) })
	}
	out := &node{block: true, items: []*node{}}
	for _, way := range ways {
		one := &node{block: true, items: []*node{}}
		weight := number(1)
		if shares {
			if f, err := strconv.ParseFloat(way.float("ThroughputController.percentThroughput"), 64); err == nil && f > 0 && f <= 1e6 {
				weight = raw(strconv.FormatFloat(f, 'f', -1, 64))
			}
			p.walk(way.sub, s, one, init)
		} else {
			p.walk([]*tree{way}, s, one, init)
		}
		for _, key := range []string{"timeout", "connections"} {
			if v := one.get(key); v != nil {
				flow.set(key, v)
			}
		}
		if !slices.ContainsFunc(one.items, func(step *node) bool { return step.get("think") == nil }) {
			p.d.lose(out, way.line, "%q, which makes no request over HTTP", clip(way.name(), 60))
			continue
		}
		item := (&node{}).set("weight", weight).set("flow", &node{block: true, items: one.items, pending: one.pending})
		item.above = append(out.pending, "of "+clip(way.name(), 60))
		out.pending = nil
		out.items = append(out.items, item)
	}
	if len(out.items) == 0 {
		return nil
	}
	out.pending = append(out.pending, flow.pending...)
	return out
}

// Bounds on how often the steps of a loop are written down, and those of loops in loops.
const (
	mostUnrolled = 20
	mostTurns    = 100
)

// walk adds the steps of a level to a flow, and those that are done once to init.
func (p *plan) walk(level []*tree, s scope, flow, init *node) {
	s = p.with(s, level, flow)
	for _, t := range level {
		switch name := clip(t.name(), 60); {
		case strings.HasPrefix(t.tag, "HTTPSampler"):
			p.sampler(t, s, flow)
		case t.tag == "TestAction":
			p.action(t, flow)
		case isSampler(t.tag):
			p.d.lose(flow, t.line, "%s %q", t.tag, name)
		case t.tag == "OnceOnlyController":
			p.walk(t.sub, s, init, init)
		case t.tag == "LoopController":
			p.loop(t, s, flow, init)
		case t.tag == "TransactionController" || t.tag == "GenericController" || t.tag == "CriticalSectionController":
			first := len(flow.items)
			p.walk(t.sub, s, flow, init)
			if first < len(flow.items) && t.tag == "TransactionController" {
				flow.items[first].above = append([]string{"transaction: " + name}, flow.items[first].above...)
			}
		case isController(t.tag):
			p.d.lose(flow, t.line, "%s %q: its steps are done each time, one after the other", t.tag, name)
			p.walk(t.sub, s, flow, init)
		}
	}
}

func (p *plan) loop(t *tree, s scope, flow, init *node) {
	loops, known := p.value(t.element, "LoopController.loops", &flow.pending)
	n, err := strconv.Atoi(loops)
	if !known || err != nil || n < 0 || n > mostUnrolled || n > 1 && p.turns*n > mostTurns {
		p.d.lose(flow, t.line, "the loop %q of %s turns: its steps are done once", clip(t.name(), 60), clip(loops, 20))
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
func (p *plan) action(t *tree, flow *node) {
	ms, known := p.value(t.element, "ActionProcessor.duration", &flow.pending)
	n, err := strconv.ParseInt(ms, 10, 64)
	switch action := strings.TrimSpace(t.prop("ActionProcessor.action")); {
	case action != "1":
		p.d.lose(flow, t.line, "%q, which ends a thread or a turn", clip(t.name(), 60))
	case !known || err != nil || n < 0 || n > int64(24*time.Hour/time.Millisecond):
		p.d.lose(flow, t.line, "a pause of %q ms", clip(ms, 40))
	default:
		p.d.add(flow, think(time.Duration(n)*time.Millisecond, 0))
	}
}

// value gives a property with its variables at their values; false if one has none yet.
func (p *plan) value(e *element, name string, above *[]string) (string, bool) {
	v, ok := p.vars.known(p.vars.expand(e.prop(name), e.line, above))
	return strings.TrimSpace(v), ok
}

// text gives a property with its variables in the language.
func (p *plan) text(e *element, name string, above *[]string) text {
	return p.vars.expand(strings.TrimSpace(e.prop(name)), e.line, above)
}

// collect finds all that texts may name, wherever it stands in the plan: first all but
// the data, whose files may be named by the rest.
func (p *plan) collect(level []*tree, data bool) {
	for _, t := range level {
		p.collect(t.sub, data)
		if data {
			if t.tag == "CSVDataSet" {
				p.csv(t)
			}
			continue
		}
		switch t.tag {
		case "TestPlan":
			p.defined(t.arguments("TestPlan.user_defined_variables", "Arguments.arguments"))
		case "Arguments":
			p.defined(t.arguments("", "Arguments.arguments"))
		case "RandomVariableConfig":
			a, b := strings.TrimSpace(t.prop("minimumValue")), strings.TrimSpace(t.prop("maximumValue"))
			if wholeNumber.MatchString(a) && wholeNumber.MatchString(b) && ordered(a, b) {
				p.define(t.prop("variableName"), func() text { return ref("int(" + a + "," + b + ")") })
			}
		case "CounterConfig":
			p.counter(t)
		case "RegexExtractor":
			p.extracted(t.prop("RegexExtractor.refname"))
		case "BoundaryExtractor":
			p.extracted(t.prop("BoundaryExtractor.refname"))
		case "JSONPostProcessor":
			for name := range strings.SplitSeq(t.prop("JSONPostProcessor.referenceNames"), ";") {
				p.extracted(name)
			}
		}
	}
}

func (p *plan) define(name string, as func() text) {
	if name = strings.TrimSpace(name); name != "" {
		p.vars.set[name] = as
	}
}

// defined are variables of the user's: params, once a text names them.
func (p *plan) defined(all []*element) {
	for _, a := range all {
		name, value := a.prop("Argument.name"), a.prop("Argument.value")
		busy := false
		p.define(name, func() text {
			if busy { // it names itself
				return lit("${" + name + "}")
			}
			busy = true
			defer func() { busy = false }()
			t := p.vars.expand(value, a.line, &p.d.head)
			if t.size() > mostValue {
				p.vars.lost(&p.d.head, a.line, "the variable "+clip(name, 40)+", which is longer than a value gets")
				return lit("")
			}
			if s, static := t.static(); static {
				if isSecret(name) && s != "" {
					return p.d.hide(a.line, name, "the variable "+clip(name, 40), s)
				}
				return p.vars.param(name, s)
			}
			return t
		})
	}
}

func (p *plan) extracted(name string) {
	if name = strings.TrimSpace(name); name != "" {
		p.define(name, func() text { return ref("var." + variable(name)) })
	}
}

// variable makes a name of a variable of the language of one of JMeter.
func variable(name string) string {
	if scenarios.IsVariable(name) {
		return name
	}
	return strings.ReplaceAll(slug(name, "v"), "-", "_")
}

// counter counts up; a table of numbers does that.
func (p *plan) counter(t *tree) {
	start, err1 := strconv.ParseInt(cmpOr(strings.TrimSpace(t.prop("CounterConfig.start")), "0"), 10, 64)
	end, err2 := strconv.ParseInt(cmpOr(strings.TrimSpace(t.prop("CounterConfig.end")), "1000000"), 10, 64)
	step := cmpOr(strings.TrimSpace(t.prop("CounterConfig.incr")), "1")
	if err1 != nil || err2 != nil || end <= start || step != "1" || t.prop("CounterConfig.format") != "" {
		return // ${…} of it is then what nothing sets
	}
	end = min(end, start+999_999)
	var name string
	p.define(t.prop("CounterConfig.name"), func() text {
		if name == "" {
			name = unique(p.d.data, slug(t.prop("CounterConfig.name"), "counter"))
			p.d.data.set(name, (&node{}).set("range", raw(fmt.Sprintf("%d..%d", start, end))))
		}
		return ref("data." + name + ".value")
	})
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// mostHead is how much of a file of data is read for the names of its columns, in bytes.
const mostHead = 64 << 10

// csv makes a table of a CSV data set. Where the plan names the columns and the file has
// names of its own, those of the file hold.
func (p *plan) csv(t *tree) {
	d := p.d
	file, _ := p.vars.known(p.vars.expand(t.prop("filename"), t.line, &d.head))
	var names []string
	for n := range strings.SplitSeq(t.prop("variableNames"), ",") {
		if n = strings.TrimSpace(n); n != "" {
			names = append(names, n)
		}
	}
	separator := strings.ReplaceAll(cmpOr(t.prop("delimiter"), ","), `\t`, "\t")
	if file == "" || len([]rune(separator)) != 1 {
		d.loseAt(&d.head, t.line, "the data set %q: of a file %q, with the separator %q", clip(t.name(), 60), clip(file, 60), clip(separator, 10))
		return
	}
	if t.prop("recycle") == "false" {
		d.loseAt(&d.head, t.line, "the end with the rows of %q; here they begin again (`pick: unique` takes each once)", clip(file, 60))
	}
	skips := len(names) == 0 || t.is("ignoreFirstLine")
	columns := names
	if skips {
		if found := d.firstLine(file, separator); found != nil {
			columns = found
			if len(names) == 0 {
				names = found
			}
		}
	}
	name := unique(d.data, slug(strings.TrimSuffix(filepath.Base(filepath.FromSlash(file)), filepath.Ext(file)), "data"))
	used := false
	table := (&node{}).set("csv", plain(d.beside(file)))
	if !skips {
		all := list()
		for _, c := range columns {
			all.items = append(all.items, plain(c))
		}
		table.set("columns", all)
	}
	if separator != "," {
		table.set("separator", plain(separator))
	}
	for i, n := range names {
		if i >= len(columns) || strings.ContainsAny(columns[i], "{}") {
			continue
		}
		p.define(n, func() text {
			if !used {
				used = true
				d.data.set(name, table)
			}
			return ref("data." + name + "." + columns[i])
		})
	}
}

// firstLine gives the names in the first line of a file of data, or nothing.
func (d *draft) firstLine(file, separator string) []string {
	path := filepath.FromSlash(strings.ReplaceAll(file, `\`, "/"))
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.o.From, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	b := make([]byte, mostHead)
	n, _ := f.Read(b)
	line, _, _ := strings.Cut(strings.TrimPrefix(string(b[:n]), "\ufeff"), "\n")
	var out []string
	for c := range strings.SplitSeq(strings.TrimSpace(line), separator) {
		out = append(out, strings.Trim(strings.TrimSpace(c), `"`))
	}
	return out
}

// sampler makes a step of an HTTP sampler.
func (p *plan) sampler(t *tree, s scope, flow *node) {
	r := &request{line: t.line, name: t.name()}
	s = p.with(s, t.sub, flow)
	p.pause(t, s, flow)
	method, _ := p.value(t.element, "HTTPSampler.method", &r.above)
	r.method = cmpOr(method, "GET")
	r.stay = !t.is("HTTPSampler.follow_redirects") && !t.is("HTTPSampler.auto_redirects")
	if t.is("HTTPSampler.image_parser") {
		p.d.loseAt(&r.above, t.line, "what the page embeds (images, styles, scripts)")
	}
	query := p.arguments(t, r)
	p.aim(t, s, r)
	if !query.isZero() {
		r.url = join(r.url, lit(separatorOf(r.url)), query)
	}
	p.headers(s, r)
	p.asserts(s, r)
	p.extracts(s, r)
	if ms, known := p.value(t.element, "HTTPSampler.response_timeout", &r.above); known && ms != "" {
		if n, err := strconv.Atoi(ms); err == nil && n > 0 && n < 86_400_000 {
			flow.set("timeout", raw(scenarios.FormatDuration(time.Duration(n)*time.Millisecond)))
		}
	}
	if t.prop("HTTPSampler.proxyHost") != "" {
		p.d.loseAt(&r.above, t.line, "the proxy %s; `connections.proxy` of the load takes one", clip(t.prop("HTTPSampler.proxyHost"), 60))
	}
	p.d.add(flow, p.d.step(r, flow))
}

func separatorOf(u text) string {
	for _, piece := range u {
		if strings.Contains(piece.lit, "?") {
			return "&"
		}
	}
	return "?"
}

// aim gives the step its URL: its own parts before those of the defaults.
func (p *plan) aim(t *tree, s scope, r *request) {
	part := func(name string) text {
		if v := p.text(t.element, name, &r.above); !v.isZero() {
			return v
		}
		for _, def := range slices.Backward(s.defaults) {
			if v := p.text(def.element, name, &r.above); !v.isZero() {
				return v
			}
		}
		return lit("")
	}
	scheme, host, port, path := part("HTTPSampler.protocol"), part("HTTPSampler.domain"), part("HTTPSampler.port"), part("HTTPSampler.path").mapped(urlText)
	if whole := path[0].lit; strings.HasPrefix(whole, "http://") || strings.HasPrefix(whole, "https://") {
		begin, rest := whole, ""
		if i := strings.IndexAny(whole[len("https://"):], "/?"); i >= 0 {
			begin, rest = whole[:len("https://")+i], whole[len("https://")+i:]
		}
		if u, err := url.Parse(begin); err == nil && isWeb(u) && (rest != "" || len(path) == 1) {
			p.d.credentials(r, u)
			origin, _ := p.d.place(u).static()
			if !strings.HasPrefix(rest, "/") {
				rest = "/" + rest
			}
			r.url = join(lit(strings.TrimSuffix(origin, "/")+rest), path[1:])
			return
		}
	}
	if first := path[0]; first.ref == "" && !strings.HasPrefix(first.lit, "/") || first.ref != "" {
		path = join(lit("/"), path)
	}
	r.url = path
	if host.isZero() {
		return
	}
	if scheme.isZero() {
		scheme = lit("http")
	}
	origin := join(scheme, lit("://"), host)
	if v, known := p.vars.known(port); !known || v != "" && !(v == "80" && scheme.String() == "http") && !(v == "443" && scheme.String() == "https") {
		origin = join(origin, lit(":"), port)
	}
	d := p.d
	now, known := p.vars.known(origin)
	u, err := url.Parse(strings.ToLower(now))
	if !known || err != nil || !isWeb(u) || u.User != nil || u.Path != "" {
		d.loseAt(&r.above, t.line, "the host %s", clip(origin.String(), 80))
		return
	}
	if origin = origin.mapped(strings.ToLower); d.base.isZero() {
		d.base, d.origin = origin, origin.String()
	}
	d.reachAs(u, p.guarded(host, port, u))
	if origin.String() != d.origin {
		r.url = join(origin, path)
	}
}

// guarded is how the guard names a host: with the params that the plan writes it by.
func (p *plan) guarded(host, port text, u *url.URL) text {
	if u.Port() == "" {
		return host.mapped(strings.ToLower)
	}
	return join(host.mapped(strings.ToLower), lit(":"), port)
}

// arguments reads what a sampler sends. It gives what belongs into the URL.
func (p *plan) arguments(t *tree, r *request) (query text) {
	var parts []part
	for _, a := range t.arguments("HTTPsampler.Arguments", "Arguments.arguments") {
		parts = append(parts, part{
			name: strings.TrimSpace(a.prop("Argument.name")), text: p.vars.expand(a.prop("Argument.value"), a.line, &r.above),
			file: map[bool]string{true: "encoded"}[a.is("HTTPArgument.always_encode")],
		})
	}
	var files []part
	for _, f := range t.arguments("HTTPsampler.Files", "HTTPFileArgs.files") {
		path, known := p.value(f, "File.path", &r.above)
		if !known {
			p.d.loseAt(&r.above, t.line, "a file whose name is known only as it is sent")
			continue
		}
		if path != "" {
			files = append(files, part{name: strings.TrimSpace(f.prop("File.paramname")), file: path, kind: strings.TrimSpace(f.prop("File.mimetype"))})
		}
	}
	sends := r.method != "GET" && r.method != "DELETE" && r.method != "HEAD" && r.method != "OPTIONS"
	switch {
	case t.is("HTTPSampler.postBodyRaw"):
		for _, a := range parts {
			r.body.text = join(r.body.text, a.text)
		}
		r.body.sent = !r.body.text.isZero()
	case len(files) == 1 && files[0].name == "" && len(parts) == 0:
		r.body = body{file: files[0].file, sent: true}
		if files[0].kind != "" {
			r.headers = append(r.headers, header{"Content-Type", lit(files[0].kind)})
		}
	case t.is("HTTPSampler.DO_MULTIPART_POST") || len(files) > 0:
		for _, a := range parts {
			a.file = ""
			r.body.parts = append(r.body.parts, a)
		}
		r.body.parts = append(r.body.parts, files...)
		r.body.sent = len(r.body.parts) > 0
	case sends && len(parts) > 0:
		p.form(parts, r)
	case !sends:
		for _, a := range parts {
			if query != nil {
				query = join(query, lit("&"))
			}
			escape := urlText
			if a.file != "" {
				escape = url.QueryEscape
			}
			query = join(query, lit(urlText(a.name)+"="), a.text.mapped(escape))
		}
	}
	return query
}

// form sends parameters; what the plan names is filled in by the language, which escapes
// it.
func (p *plan) form(parts []part, r *request) {
	r.body.sent = true
	form := new(node)
	for _, a := range parts {
		value := a.text
		if s, static := value.static(); static {
			if a.file == "" { // it is encoded already
				s = unescaped(s)
			}
			value = p.d.field(r, a.name, s)
		}
		if !isKey(a.name) || form.get(a.name) != nil {
			p.d.loseAt(&r.above, r.line, "the parameter %q, which comes twice or has no name", clip(a.name, 40))
			continue
		}
		form.set(a.name, str(value))
	}
	r.body.form = form
}

// headers are those of all managers in scope, the innermost last.
func (p *plan) headers(s scope, r *request) {
	for _, m := range s.headers {
		for _, h := range m.arguments("", "HeaderManager.headers") {
			name, value := strings.TrimSpace(h.prop("Header.name")), p.text(h, "Header.value", &r.above)
			r.headers = slices.DeleteFunc(r.headers, func(old header) bool { return strings.EqualFold(old.name, name) })
			if name != "" {
				r.headers = append(r.headers, header{name, value})
			}
		}
	}
	for _, m := range s.auth {
		for _, a := range m.arguments("", "AuthManager.auth_list") {
			user, password := p.text(a, "Authorization.username", &r.above), p.text(a, "Authorization.password", &r.above)
			if kind := strings.TrimSpace(a.prop("Authorization.mechanism")); kind != "" && kind != "BASIC" && kind != "BASIC_DIGEST" {
				p.d.loseAt(&r.above, a.line, "authentication by %s", clip(kind, 40))
				continue
			}
			if secret, static := password.static(); static {
				password = p.d.hide(a.line, "password", "the password of "+clip(user.String(), 40), secret)
			}
			r.user, r.password = user, password
		}
	}
}

// pause adds the timers in whose scope a sampler stands: their sum.
func (p *plan) pause(t *tree, s scope, flow *node) {
	var from, to float64
	for _, timer := range s.timers {
		delay, ok1 := p.value(timer.element, "ConstantTimer.delay", &flow.pending)
		spread, ok2 := p.value(timer.element, "RandomTimer.range", &flow.pending)
		a, err1 := strconv.ParseFloat(cmpOr(delay, "0"), 64)
		b, err2 := strconv.ParseFloat(cmpOr(spread, "0"), 64)
		if !ok1 || !ok2 || err1 != nil || err2 != nil || a < 0 || b < 0 || a+b > 86_400_000 {
			p.d.lose(flow, timer.line, "the timer %q", clip(timer.name(), 60))
			continue
		}
		switch timer.tag {
		case "GaussianRandomTimer":
			p.tellOnce(flow, timer, "the normal distribution of %q; times are drawn evenly within twice its deviation", clip(timer.name(), 60))
			from, to = from+max(0, a-2*b), to+a+2*b
		case "PoissonRandomTimer":
			p.tellOnce(flow, timer, "the distribution of %q; its mean is kept", clip(timer.name(), 60))
			from, to = from+a+b, to+a+b
		default:
			from, to = from+a, to+a+b
		}
	}
	if to >= 1 {
		p.d.add(flow, think(ms(from), ms(to)))
	}
}

func ms(f float64) time.Duration { return time.Duration(f) * time.Millisecond }

func (p *plan) tellOnce(flow *node, t *tree, format string, args ...any) {
	p.vars.lost(&flow.pending, t.line, fmt.Sprintf(format, args...))
}
