// Package openslo converts objectives of OpenSLO into scenarios.
package openslo

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Converter returns the converter for documents of OpenSLO.
func Converter() draft.Converter {
	return draft.Converter{
		Name: "openslo", Source: "OpenSLO documents", Convert: convert,
		Doc: "an objective for each target: a share of good requests as `availability`, a threshold on latency as a percentile",
	}
}

// convert reads documents, one or several. SLIs may stand in documents of their own.
func convert(d *draft.Builder, source []byte) error {
	docs, err := d.Documents(source)
	if err != nil {
		return err
	}
	indicators := map[string]*syntax.Node{}
	found := false
	for _, n := range docs {
		if !strings.HasPrefix(draft.Value(n, "apiVersion"), "openslo/") {
			return fmt.Errorf("%s:%d: want a document of OpenSLO, with apiVersion: openslo/v1", d.O.File, max(1, draft.Line(n)))
		}
		if draft.Value(n, "kind") == "SLI" {
			indicators[draft.Value(n, "metadata", "name")] = n
		}
	}
	for _, n := range docs {
		switch kind := draft.Value(n, "kind"); kind {
		case "SLO":
			found = true
			convertSLO(d, n, indicators)
		case "SLI", "Service":
		default:
			d.LoseAt(&d.Slo.Pending, draft.Line(n), "%s %s", kind, draft.Value(n, "metadata", "name"))
		}
	}
	if !found {
		return fmt.Errorf("%s: no SLO is in it", d.O.File)
	}
	return nil
}

// convertSLO converts the objectives of an SLO.
func convertSLO(d *draft.Builder, n *syntax.Node, indicators map[string]*syntax.Node) {
	indicator := draft.At(n, "spec", "indicator")
	if ref := draft.Value(n, "spec", "indicatorRef"); ref != "" {
		indicator = indicators[ref]
	}
	name := draft.Value(n, "metadata", "name")
	var list []*syntax.Node
	if o := draft.At(n, "spec", "objectives"); o != nil {
		list = o.Items
	}
	d.Slo.Pending = append(d.Slo.Pending, strings.TrimSpace(name+": "+strings.Join(strings.Fields(draft.Value(n, "spec", "description")), " ")))
	made := false
	for _, o := range list {
		text, lost := objective(indicator, o)
		if text == "" {
			d.LoseAt(&d.Slo.Pending, draft.Line(o), "%s: %s", name, lost)
			continue
		}
		made = true
		d.Requests = max(d.Requests, requests(o))
		d.Add(d.Slo, draft.Plain(text))
	}
	for _, key := range []string{"timeWindow", "alertPolicies"} {
		if at := draft.At(n, "spec", key); at != nil && made {
			d.LoseAt(&d.Slo.Pending, draft.Line(at), "%s of %s: the objective is judged over the run", key, name)
		}
	}
	if made {
		d.Tell(draft.Line(indicator), "the queries of %s are not asked: brunt measures at its own requests", name)
	}
}

// objective writes one in brunt's words, or says why it can't.
func objective(indicator, o *syntax.Node) (text, lost string) {
	target, ok := targetOf(o)
	if !ok {
		return "", "an objective without a target"
	}
	spec := draft.At(indicator, "spec")
	if spec == nil {
		spec = indicator
	}
	if target == 100 && draft.At(spec, "ratioMetric") != nil {
		return "errors = 0%", ""
	}
	share := strconv.FormatFloat(target, 'f', -1, 64)
	if draft.At(spec, "ratioMetric") != nil {
		return "availability >= " + share + "%", ""
	}
	threshold := draft.At(spec, "thresholdMetric")
	if threshold == nil {
		return "", "an indicator that is neither a ratio nor a threshold"
	}
	words := strings.ToLower(draft.Value(indicator, "metadata", "name") + " " + flat(threshold))
	if !isLatency.MatchString(words) {
		return "", "a threshold on something other than latency: take metric(NAME) under observe"
	}
	if target == 100 {
		return "", "a threshold for all requests: no percentile says that"
	}
	value, err := strconv.ParseFloat(draft.Value(o, "value"), 64)
	if op := draft.Value(o, "op"); err != nil || value <= 0 || op != "lt" && op != "lte" {
		return "", "a threshold without `op: lt` or `lte` and a value"
	}
	unit := time.Second
	if inMillis.MatchString(words) {
		unit = time.Millisecond
	}
	return fmt.Sprintf("p%s <= %s", share, quantity.FormatDuration(time.Duration(value*float64(unit)))), ""
}

var (
	isLatency = regexp.MustCompile(`latency|duration|response.?time|seconds|_ms\b`)
	inMillis  = regexp.MustCompile(`_ms\b|millis|\bms\b`)
)

// requests is how many an objective needs to be judged: ten beyond its percentile, which is enough for a share as well.
func requests(o *syntax.Node) int {
	target, _ := targetOf(o)
	if target == 100 {
		return 0
	}
	return int(min(10/(1-target/100), 1e6))
}

// targetOf returns a target in percent.
func targetOf(o *syntax.Node) (float64, bool) {
	for key, by := range map[string]float64{"target": 100, "targetPercent": 1} {
		if v, err := strconv.ParseFloat(draft.Value(o, key), 64); err == nil && v > 0 && v*by <= 100 {
			rounded, err := strconv.ParseFloat(strconv.FormatFloat(v*by, 'g', 10, 64), 64)
			return rounded, err == nil
		}
	}
	return 0, false
}

// flat has all texts of a value.
func flat(n *syntax.Node) string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(n.Value)
	for _, f := range n.Fields {
		b.WriteString(" " + flat(f.Value))
	}
	for _, item := range n.Items {
		b.WriteString(" " + flat(item))
	}
	return b.String()
}
