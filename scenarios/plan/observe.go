package plan

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/probe"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/observe"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// observeCompiler resolves the data that is read while the load runs: metrics, alerts, and queries to the team's
// monitoring.
type observeCompiler struct {
	plan          *Plan
	m             *syntax.Mistakes
	steps         *stepCompiler
	targetUnknown bool // see [compiler]

	wrong []string // names of metrics, alerts and watches that have mistakes
}

// decode decodes an entry of a section, and reports whether it has no mistake.
func (c *observeCompiler) decode(w scenarios.Watched, into any) bool {
	if decoded(w.With, into, c.m) {
		return true
	}
	c.wrong = append(c.wrong, w.Name)
	return false
}

// compile resolves the metrics and alerts of the scenario.
func (c *observeCompiler) compile() {
	for _, w := range c.plan.Scenario.Metrics {
		g := new(probe.Gauge)
		if c.decode(w, g) {
			g.Check(c.plan.questions(), c.m)
			noteReadOnce(c.plan, w)
		}
		c.steps.asked(g.Ask)
		if !c.targetUnknown {
			noteMissingURL(c.plan, c.m, c.plan.Asked[g.Ask]...)
		}
		c.plan.Gauges = append(c.plan.Gauges, observe.Metric{Name: w.Name, Gauge: g})
	}
	for _, w := range c.plan.Scenario.Watches {
		c.watch(w)
	}
	for _, w := range c.plan.Scenario.Alerts {
		a := new(probe.Alert)
		if c.decode(w, a) {
			a.Check(c.plan.questions(), c.m)
		}
		c.plan.Alerts = append(c.plan.Alerts, observe.Alert{Name: w.Name, Alert: a})
	}
}

// unitIn finds the services of placeholders such as ${unit.posts.addr}.
var unitIn = regexp.MustCompile(`\$\{unit\.([^.\[}]+)\.`)

// noteReadOnce notes a metric that is read from one of several replicas.
func noteReadOnce(p *Plan, w scenarios.Watched) {
	for _, m := range unitIn.FindAllStringSubmatch(w.With.Flow(), -1) {
		if n := p.Scope.Services[m[1]]; n > 1 {
			p.Notes = append(p.Notes,
				fmt.Sprintf("metric %s is read from %s alone, one of %d: `watch: {%s: {of: %s, scrape: …}}` reads each of them",
					w.Name, syntax.UnitName(m[1], 0), n, w.Name, m[1]))
		}
	}
}

// watch resolves a question to the units.
func (c *observeCompiler) watch(of scenarios.Watched) {
	w := new(probe.Watch)
	c.plan.Watches = append(c.plan.Watches, observe.Watch{Name: of.Name, Watch: w})
	sound := c.decode(of, w)
	c.steps.asked(w.Ask)
	c.plan.askUnits()
	if !c.targetUnknown {
		w.CheckUnits(c.plan.Scope, of.Pos, c.m)
	}
	if !sound {
		return
	}
	w.Check(c.plan.questions(), c.m)
	metrics := c.plan.Scenario.Metrics
	i := slices.IndexFunc(metrics, func(m scenarios.Watched) bool { return m.Name == of.Name })
	if i >= 0 && w.Numeric() {
		c.m.Add(of.Pos, "%q names a metric already, at %s", of.Name, metrics[i].Pos)
	}
}

// checkObservable refuses an objective on an unknown series or alert.
func (c *observeCompiler) checkObservable(o slo.Objective) {
	switch m := o.Metric; {
	case m.OfAlert():
		i := slices.IndexFunc(c.plan.Alerts, func(a observe.Alert) bool { return a.Name == m.Source })
		if i < 0 {
			if c.plan.Scenario.Declares("alerts", m.Source) {
				return
			}
			noteAbsent(c.m, o, m.Source, "alert", "such as alerts: {"+m.Source+`: {prometheus: "http://127.0.0.1:9090"}}`,
				namesOf(c.plan.Alerts, func(a observe.Alert) string { return a.Name }))
		} else if every := c.plan.Alerts[i].EveryOr(); result.Num(o.Value).D() < every &&
			!slices.Contains(c.wrong, m.Source) {
			c.m.Add(o.Pos, "`%s` can't be judged: the alert is asked for every %s", o.Text, quantity.FormatDuration(every))
		}
	case m.OfLink():
		c.checkLink(o)
	case !m.OfSeries() && !m.Reaches():
	case m.Resource == "":
		read := slices.Clone(c.plan.Gauges)
		for _, w := range c.plan.Watches {
			if w.Numeric() {
				read = append(read, observe.Metric{Name: w.Name, Gauge: w.Gauge()})
			}
		}
		for _, name := range []string{m.Source, m.By} {
			wrong := slices.Contains(c.wrong, name) || !slices.ContainsFunc(read,
				func(g observe.Metric) bool { return g.Name == name }) &&
				(c.plan.Scenario.Declares("metrics", name) || c.plan.Scenario.Declares("watch", name))
			if name != "" && !wrong {
				checkRead(c.m, o, name, read)
			}
		}
	default:
		c.checkUnit(o)
	}
}

// checkLink refuses an objective on the calls of a link that does not exist, or that brunt does not read.
func (c *observeCompiler) checkLink(o slo.Objective) {
	from, to := o.Metric.Link()
	links := c.plan.Scope.Calls()
	switch {
	case c.targetUnknown:
	case from == chaos.LoadName:
		c.m.AddHint(o.Pos, "attempts counts how often the load sends a request, such as attempts < 1.2 in FAULT",
			"`%s`: the link is from the load, whose requests are not calls of a service", o.Text)
	case c.plan.Scope.Cluster != nil:
		c.m.AddHint(o.Pos, "`metrics:` reads a counter of the service that is called, for per_request(calls)",
			"`%s`: brunt counts calls between processes and containers that it starts; between pods it counts none, because "+
				"its agent would have to stay in the network of each calling pod for the whole run", o.Text)
	case c.plan.Scope.Containers:
		c.checkContainers(o)
	case len(links) == 0:
		c.m.AddHint(o.Pos, "target.processes names them in `links`; per_request(calls) uses a counter of `metrics:`",
			"`%s`: the target has no links between services that brunt could read", o.Text)
	case !slices.ContainsFunc(links, func(l chaos.EdgeName) bool { return o.Metric.OnLink(l.From, l.To) }):
		var names []string
		for _, l := range links {
			name := slo.ServiceOf(l.From) + " " + chaos.LinkArrow + " " + slo.ServiceOf(l.To)
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		c.m.Add(o.Pos, "`%s`: there is no link %s %s %s; the links are %s", o.Text, from, chaos.LinkArrow, to,
			strings.Join(names, ", "))
	}
}

// checkContainers refuses an objective on the calls of a link that is not between two containers of the run.
func (c *observeCompiler) checkContainers(o slo.Objective) {
	from, to := o.Metric.Link()
	services := slices.Sorted(maps.Keys(c.plan.Scope.Services))
	for _, end := range []string{from, to} {
		if !slices.Contains(services, end) && !slices.Contains(c.plan.Scope.Units(), end) {
			c.m.AddHint(o.Pos, syntax.DidYouMean(end, services), "`%s`: there is no service or unit %q; the services are %s",
				o.Text, end, strings.Join(services, ", "))
			return
		}
	}
	callees := c.plan.Scope.UnitsOf(to)
	if !slices.ContainsFunc(c.plan.Scope.UnitsOf(from), func(unit string) bool {
		return slices.ContainsFunc(callees, func(of string) bool { return of != unit })
	}) {
		c.m.Add(o.Pos, "`%s`: a unit has no link to itself", o.Text)
	}
}

// readEvery returns the time between two readings of a series or a link: of the slower of two metrics, and zero for a
// name that is not known.
func (p *Plan) readEvery(m slo.Metric) (every time.Duration) {
	switch {
	case m.OfLink():
		return observe.CountEvery(p.End())
	case m.Resource != "": // the units are sampled once a second
		return time.Second
	}
	for _, g := range p.Gauges {
		if g.Name == m.Source || g.Name == m.By {
			every = max(every, g.EveryOr())
		}
	}
	for _, w := range p.Watches {
		if w.Name == m.Source || w.Name == m.By {
			every = max(every, w.EveryOr())
		}
	}
	return every
}

// checkRead checks that the series that an objective names is read, in a form that the objective can use.
func checkRead(m *syntax.Mistakes, o slo.Objective, name string, read []observe.Metric) {
	i := slices.IndexFunc(read, func(g observe.Metric) bool { return g.Name == name })
	if i < 0 {
		noteAbsent(m, o, name, "metric", "such as metrics: {"+name+`: {scrape: "http://127.0.0.1:8080/metrics", metric: `+
			strings.ReplaceAll(name, "-", "_")+"}}",
			namesOf(read, func(g observe.Metric) string { return g.Name }))
		return
	}
	g := read[i].Gauge
	if o.Metric.Counts() && g.Rate {
		m.AddHint(o.Pos, "remove `rate: true`, and ask for the rate by mean(…) of a second metric if that is wanted too",
			"`%s`: metric %s is a rate already, and %s wants the counter itself", o.Text, name, o.Metric.Fold)
	}
	metric := o.Metric
	if metric.Reaches() {
		metric.Unit = metric.Until.Unit
	}
	if why := unitClash(g, metric); why != "" && !o.Metric.Divided() {
		m.Add(o.Pos, "`%s`: %s", o.Text, why)
	}
}

// noteAbsent reports that an objective names a source that is not among the names.
func noteAbsent(m *syntax.Mistakes, o slo.Objective, name, noun, such string, names []string) {
	hint := syntax.DidYouMean(name, names)
	if len(names) == 0 {
		hint = such
	}
	m.AddHint(o.Pos, hint, "`%ss` names no %s %q", noun, noun, name)
}

// namesOf lists names.
func namesOf[T any](list []T, name func(T) string) (out []string) {
	for _, one := range list {
		out = append(out, name(one))
	}
	return out
}

// unitClash describes a mismatch between the unit of a value and the unit of the metric; empty if there is none.
func unitClash(g *probe.Gauge, m slo.Metric) string {
	has, known := map[string]slo.Unit{
		result.UnitBytes: slo.Bytes, result.UnitSeconds: slo.Seconds, result.UnitShare: slo.ShareOf,
	}[g.Unit]
	written := map[slo.Unit]string{
		slo.Bytes: "bytes", slo.Seconds: "a time", slo.ShareOf: "a share", slo.PerSecond: "a rate",
	}[m.Unit]
	switch {
	case written == "", g.Unit == "" && !g.Rate, known && has == m.Unit, g.Unit == "" && m.Unit == slo.PerSecond:
		return ""
	}
	return fmt.Sprintf("the value is %s, and metric %s is in %s", written, m.Source, cmp.Or(g.UnitOf(), "plain numbers"))
}

// checkUnit refuses an unknown unit.
func (c *observeCompiler) checkUnit(o slo.Objective) {
	if c.targetUnknown {
		return
	}
	service, index, one := strings.Cut(strings.TrimSuffix(o.Metric.Source, "]"), "[")
	n, known := c.plan.Scope.Services[service]
	switch f := o.Metric.Figure(); {
	case c.plan.Scope.Cluster == nil && f.OfPods:
		c.m.AddHint(o.Pos, "such as target: {url: …, kubernetes: {context: staging, namespace: shop}}",
			"`%s`: %s is known of the pods of a service on Kubernetes, and the target names no cluster", o.Text, f.Name)
	case c.plan.Scope.Cluster != nil && f.NotOfPods:
		c.m.AddHint(o.Pos, "of pods there are cpu, memory, restarts and ooms, and of a service ready, replicas and pending",
			"`%s`: %s is not known of pods", o.Text, f.Name)
	case f.Whole && one:
		c.m.AddHint(o.Pos, syntax.Suggestion(service+"."+f.Name),
			"`%s`: %s is of a service as a whole, not of one of its units", o.Text, f.Name)
	case o.Metric.Scaled() && known && c.plan.Stack.OnPods() && !MayScale(c.plan.Parts(), service):
		c.m.AddHint(o.Pos, "workload.scale does, and a HorizontalPodAutoscaler that kube.apply makes",
			"`%s`: nothing makes more pods of %s, as no fault does and the run makes the stack without an autoscaler", o.Text,
			service)
	case o.Metric.Scaled() && known && c.plan.Stack.OnPods() && o.Metric.Until.Value <= float64(n):
		c.m.Add(o.Pos, "`%s`: %s has %d pods from the begin on", o.Text, service, n)
	// each workload is a service, by its own name
	case c.plan.Scope.Cluster != nil && len(c.plan.Scenario.Target.Kubernetes.Services) == 0:
	case len(c.plan.Scope.Services) == 0:
		c.m.AddHint(o.Pos, "containers that run already are named by target: {url: …, units: {"+service+
			": {container: NAME}}}",
			"`%s`: the target has no units that brunt could look at", o.Text)
	case !known:
		c.m.AddHint(o.Pos, syntax.DidYouMean(service, slices.Collect(maps.Keys(c.plan.Scope.Services))),
			"`%s`: there is no service %q", o.Text, service)
	case f.OfContainers && c.plan.Stack != nil && c.plan.Stack.Platform == "":
		c.m.AddHint(o.Pos, "a kill ends the process: restarts counts it",
			"`%s`: what the kernel kills because memory ran out is known of "+
				"containers alone, and %s is of processes", o.Text, service)
	case one && !c.plan.Scope.Later(service):
		var i int
		if _, err := fmt.Sscan(index, &i); err == nil && i >= n {
			c.m.Add(o.Pos, "`%s`: %s has %s, from %s[0] to %s[%d]", o.Text, service, syntax.Amount(n, "replica"), service,
				service, n-1)
		}
	}
}

// checkDetectable refuses an objective on detection if the monitoring is not polled, or too seldom to show the limit.
func checkDetectable(p *Plan, m *syntax.Mistakes, o slo.Objective) {
	if o.Metric.Row().Needs != slo.NeedsDetect {
		return
	}
	every := time.Duration(math.MaxInt64) // shortest interval of the scenario's alerts, which are polled in any case
	for _, a := range p.Alerts {
		every = min(every, a.EveryOr())
	}
	i := slices.IndexFunc(p.Faults, func(e *timeline.Entry) bool { return e.Name == o.After.Fault })
	switch {
	case i < 0: // already reported
	case p.Faults[i].Detect == nil && len(p.Alerts) == 0:
		m.AddHint(o.Pos,
			`such as alerts: {HighErrorRate: {prometheus: "http://127.0.0.1:9090"}}, or in the fault detect: {get: `+
				`"http://127.0.0.1:9093/api/v2/alerts", check: {"$": not empty}}`,
			"`%s`: fault %q has no `detect`, which says how the team's monitoring is asked, and the scenario no `alerts`",
			o.Text, p.Faults[i].Name)
	case p.Faults[i].Detect == nil && result.Num(o.Value).D() < every:
		m.Add(o.Pos, "`%s` can't be judged: the alerts are asked for every %s", o.Text, quantity.FormatDuration(every))
	case p.Faults[i].Detect == nil:
	case result.Num(o.Value).D() < p.Faults[i].Detect.EveryOr():
		m.Add(o.Pos, "`%s` can't be judged: the monitoring is asked every %s", o.Text,
			quantity.FormatDuration(p.Faults[i].Detect.EveryOr()))
	}
}
