package probe

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Asking is a question to a system, to one of its units, or to its monitoring, in exactly one way: by a command,
// a path or a URL, a page of metrics, a query, or a step. It only reads.
//
// Every part of a scenario that asks has this syntax: leader, ready, watch, metrics, detect, verify and gone. Each has
// a [Use], which says what it asks, and what it does with the answer.
type Asking struct {
	syntax.Place
	// a text for sh -c, or a list: a program with its arguments; yes is exit code 0. If a unit is asked, the
	// environment has BRUNT_UNIT, BRUNT_ADDR, BRUNT_HOST and BRUNT_PORT, and ${self.addr}, ${self.port} have values
	Command Command `yaml:"command"`
	Exec    Command `yaml:"exec"` // like command, but run in the unit's container; not in a pod
	// a path to GET from the unit; yes is an answer that passes check
	Path Address `yaml:"path"`
	// the URL to GET, or for a unit also a path; yes is an answer that passes check
	Get     Address                    `yaml:"get"`
	Headers map[string]template.Header `yaml:"headers"` // headers of the request, by name
	// the check of the answer to path or get; nil is a status under 400
	Check *check.Response `yaml:"check"`
	// a page in Prometheus's text format, such as http://127.0.0.1:8080/metrics, or for a unit also a path
	Scrape Address `yaml:"scrape"`
	// name of a metric on the page: a counter, gauge or untyped one; of a histogram or summary NAME_count or NAME_sum.
	// {get: URL, name: NAME, above: N} is an older spelling of scrape, metric and above
	Metric     *Metric           `yaml:"metric"`
	Labels     map[string]string `yaml:"labels"`     // of the page: labels that a series must have; nil is any
	Above      *float64          `yaml:"above"`      // of the page: yes is a series with a larger value
	Below      *float64          `yaml:"below"`      // of the page: yes is a series with a smaller value
	Prometheus Address           `yaml:"prometheus"` // a Prometheus server, such as http://127.0.0.1:9090
	// a query in PromQL to the server; yes is a result that is not empty. {url: URL, promql: QUERY} is an older
	// spelling of prometheus and query
	Query *Query `yaml:"query"`
	// a step as in a flow, such as {get: /role, check: {"$.role": leader}}; yes is a step that passes. The value is the
	// one that it extracts as `value`
	Ask *syntax.Node `yaml:"ask"`
}

// Use says who is asked, and for which kind of answer.
type Use struct {
	Unit  bool // a unit is asked; otherwise the system as a whole, or its monitoring
	Value bool // the answer is a value; otherwise yes or no
}

// kinds lists the ways in which the question is asked.
func (a *Asking) kinds() []string {
	var out []string
	for _, k := range []struct {
		key string
		has bool
	}{
		{"command", len(a.Command.Args) > 0},
		{"exec", len(a.Exec.Args) > 0},
		{"path", !a.Path.IsZero()},
		{"get", !a.Get.IsZero()},
		{"scrape", !a.Scrape.IsZero() || a.Metric != nil && !a.Metric.Get.IsZero()},
		{"prometheus", !a.Prometheus.IsZero() || a.Query != nil && !a.Query.URL.IsZero()},
		{"ask", a.Ask != nil},
	} {
		if k.has {
			out = append(out, k.key)
		}
	}
	return out
}

// Kind returns the way in which the question is asked: command, exec, get, scrape, prometheus or ask. It is empty
// if there is none, or several.
func (a *Asking) Kind() string {
	kinds := a.kinds()
	switch {
	case len(kinds) != 1:
		return ""
	case kinds[0] == "path":
		return "get"
	}
	return kinds[0]
}

// asksWith lists, for each way to ask, the settings that go only with it.
var asksWith = map[string][]string{
	"headers": {"get", "scrape", "prometheus"}, "check": {"get"}, "labels": {"scrape"}, "above": {"scrape"},
	"below":  {"scrape"},
	"metric": {"scrape"}, "query": {"prometheus"},
}

// Validate notes every mistake in a question to the system whose answer is yes or no.
func (a *Asking) Validate(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	a.ValidateFor(Use{}, at, sc, m)
}

// ValidateFor notes every mistake in the question for a use.
func (a *Asking) ValidateFor(use Use, at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	kind := a.Kind()
	switch {
	case kind == "" && use.Unit:
		m.AddHint(at, `such as path: /role, command: "redis-cli -p ${self.port} role | grep -q master", or ask: {get: /role}`,
			"want exactly one of path, command, exec, scrape, ask, which says how a unit is asked")
		return
	case kind == "":
		m.AddHint(at, `such as {get: "http://127.0.0.1:9093/api/v2/alerts", check: {"$": not empty}}`,
			"want exactly one of command, get, scrape, prometheus, ask, which says how it is asked")
		return
	}
	for _, key := range slices.Sorted(maps.Keys(asksWith)) {
		if with := asksWith[key]; a.Has(key) && !slices.Contains(with, kind) {
			m.AddHint(a.Of(key), "it goes with "+strings.Join(with, ", "), "%s does not go with %s", key, a.kinds()[0])
		}
	}
	for _, c := range []*Command{&a.Command, &a.Exec} {
		for i := range c.Args {
			checkPlaceholders(&c.Args[i].Template, use, m)
		}
	}
	checkHeaders(a.Headers, use, m)
	switch {
	case kind == "exec" && !use.Unit:
		m.AddHint(a.Of("exec"), "`command` is run on this machine",
			"exec is run in the container of a unit, and no unit is asked here")
	case kind == "exec" && sc.Cluster != nil:
		m.AddHint(a.Of("exec"), "`command` is run on this machine, where ${self.port} leads to the pod",
			"exec is run by an engine of containers, and brunt runs no command in a pod")
	case kind == "get":
		a.checkGet(use, sc, m)
	case kind == "scrape":
		a.metric().validate(use, sc, m)
	case kind == "prometheus":
		a.query().validate(sc, m)
	}
	if a.Check != nil {
		for _, k := range a.Check.Conditions() {
			checkRefs(k.Refs(), a.Of("check"), use, m)
		}
	}
	if k := a.Check; k != nil && (len(k.Shed) > 0 || k.Within > 0 || k.MaxBody > 0 || k.Valid != nil) {
		m.Add(a.Of("check"), "shed, within, max_body and schema are for the load; a question has `timeout`")
	}
}

// checkGet checks the path or the URL of a question.
func (a *Asking) checkGet(use Use, sc chaos.Scope, m *syntax.Mistakes) {
	where := a.where()
	switch text := where.Text(); {
	case !a.Path.IsZero() && !use.Unit:
		m.AddHint(a.Of("path"), "such as get: \"http://127.0.0.1:8080/role\"",
			"a path is asked of a unit, and no unit is asked here: write the whole URL")
	case !a.Path.IsZero() && !strings.HasPrefix(text, "/"):
		m.Add(a.Of("path"), "a path of each unit begins with /, and %q does not", text)
	default:
		where.check(use, sc, m)
	}
}

// where returns the URL or path to GET.
func (a *Asking) where() *Address {
	if a.Path.IsZero() {
		return &a.Get
	}
	return &a.Path
}

// metric returns the condition on a page of metrics, in either spelling.
func (a *Asking) metric() *Metric {
	k := &Metric{Place: a.Place}
	if a.Metric != nil {
		*k = *a.Metric
	}
	if !a.Scrape.IsZero() {
		k.Get = a.Scrape
	}
	if a.Labels != nil {
		k.Labels = a.Labels
	}
	if a.Above != nil {
		k.Above = a.Above
	}
	if a.Below != nil {
		k.Below = a.Below
	}
	return k
}

// query returns the query, in either spelling.
func (a *Asking) query() *Query {
	k := &Query{Place: a.Place}
	if a.Query != nil {
		*k = *a.Query
	}
	if !a.Prometheus.IsZero() {
		k.URL = a.Prometheus
	}
	return k
}

// Runs reports whether the question is a command.
func (a *Asking) Runs() bool { return len(a.Command.Args)+len(a.Exec.Args) > 0 }

// String describes the question.
func (a *Asking) String() string {
	switch a.Kind() {
	case "get":
		return "GET " + a.where().Text()
	case "scrape":
		return a.metric().String()
	case "prometheus":
		return a.query().String()
	case "ask":
		return DescribeStep(a.Ask)
	case "exec":
		return a.Exec.String()
	}
	return a.Command.String()
}

// DescribeStep describes a step of the load's language by its kind and its destination.
func DescribeStep(n *syntax.Node) string {
	if n.Kind == syntax.Map && len(n.Fields) > 0 {
		switch f := n.Fields[0]; f.Value.Kind {
		case syntax.String:
			return fmt.Sprintf("step %s %s", f.Key, f.Value.Shown())
		case syntax.List:
			return fmt.Sprintf("step %s %s", f.Key, f.Value.Flow())
		default:
			return "step " + f.Key
		}
	}
	return "a step"
}
