package convert

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// openSLOConverter returns the converter for OpenSLO documents.
func openSLOConverter() draft.Converter {
	return draft.Converter{
		Name: "openslo", Source: "OpenSLO documents", Convert: opensloConvert, Makes: "objective",
		Doc: "an objective for each target: a share of good requests as `availability`, a threshold on latency as a " +
			"percentile",
	}
}

// opensloConvert reads one or several documents. SLIs may be in documents of their own.
func opensloConvert(d *draft.Builder, source []byte) error {
	docs, err := d.Documents(source)
	if err != nil {
		return err
	}
	var all []*syntax.Node
	for _, n := range docs {
		all = append(all, n.OneOrMore()...) // a document may be a list of objects
	}
	indicators := map[string]*syntax.Node{}
	found := false
	for _, n := range all {
		if version := d.Text(n, "apiVersion"); !strings.HasPrefix(version, "openslo/") &&
			!strings.HasPrefix(version, "openslo.com/") {
			return fmt.Errorf("%s:%d: want a document of OpenSLO, with apiVersion: openslo/v1", d.O.File, max(1, draft.Line(n)))
		}
		if d.Text(n, "kind") == "SLI" {
			indicators[d.Text(n, "metadata", "name")] = n
		}
	}
	for _, n := range all {
		switch kind := d.Text(n, "kind"); kind {
		case "SLO":
			found = true
			convertSLO(d, n, indicators)
		case "SLI", "Service", "DataSource":
		default:
			d.LoseAt(&d.Slo.Pending, draft.Line(n), "%s %s", kind, d.Text(n, "metadata", "name"))
		}
	}
	if !found {
		return fmt.Errorf("%s: no SLO is in it", d.O.File)
	}
	return nil
}

// convertSLO converts the objectives of an SLO.
func convertSLO(d *draft.Builder, n *syntax.Node, indicators map[string]*syntax.Node) {
	spec, name := n.Get("spec"), d.Text(n, "metadata", "name")
	of := indicatorOf(d, spec, nil, indicators)
	var list []*syntax.Node
	if o := spec.Get("objectives"); o != nil {
		list = o.Items
	}
	d.Slo.Pending = append(d.Slo.Pending, strings.TrimSpace(name+": "+
		strings.Join(strings.Fields(d.Text(spec, "description")), " ")))
	made := false
	for _, o := range list {
		d.Text(o, "displayName")
		text, lost := objective(d, indicatorOf(d, o, of, indicators), o)
		if text == "" {
			d.LoseAt(&d.Slo.Pending, draft.Line(o), "%s: %s", name, lost)
			continue
		}
		made = true
		d.Requests = max(d.Requests, requests(d, o))
		d.Add(d.Slo, draft.Plain(text))
		for _, rest := range d.Rest(o) {
			d.LoseAt(&d.Slo.Pending, draft.Line(o), "%s: %s", name, rest)
		}
	}
	if len(list) == 0 {
		d.LoseAt(&d.Slo.Pending, draft.Line(n), "%s: it has no objectives", name)
	}
	for _, key := range []string{"timeWindow", "timeWindows", "alertPolicies"} {
		if at := spec.Get(key); at != nil && made {
			d.LoseAt(&d.Slo.Pending, draft.Line(at), "%s of %s: the objective is judged over the run", key, name)
		}
		d.Skip(spec, key)
	}
	if method := d.Text(spec, "budgetingMethod"); method != "" && method != "Occurrences" && made {
		d.LoseAt(&d.Slo.Pending, draft.Line(n), "budgetingMethod %s of %s: requests are counted, as in Occurrences", method,
			name)
	}
	for _, key := range []string{"service", "indicator", "sli", "objectives"} {
		d.Skip(spec, key)
	}
	for _, rest := range d.Rest(spec) {
		d.LoseAt(&d.Slo.Pending, draft.Line(n), "%s of %s", rest, name)
	}
	if !made && len(list) > 0 {
		d.LoseAt(&d.Slo.Pending, draft.Line(n), "the SLO %s, as none of its objectives can be made", name)
	}
	if made {
		d.Tell(cmp.Or(draft.Line(of), draft.Line(n)), "the queries of %s are not asked: brunt measures at its own requests", name)
	}
}

// indicatorOf returns the indicator that an SLO or an objective has or names, and else otherwise.
func indicatorOf(d *draft.Builder, n, otherwise *syntax.Node, indicators map[string]*syntax.Node) *syntax.Node {
	for _, key := range []string{"indicator", "sli"} { // sli: version 2
		if own := n.Get(key); own != nil {
			d.Skip(own)
			return own
		}
		if named := indicators[d.Text(n, key+"Ref")]; named != nil {
			return named
		}
	}
	if metrics := n.Get("ratioMetrics"); metrics != nil { // v1alpha: it belongs to the objective itself
		d.Skip(metrics)
		return &syntax.Node{Kind: syntax.Map, Pos: metrics.Pos, Fields: []syntax.Field{{Key: "ratioMetric", Value: metrics}}}
	}
	return otherwise
}

// objective writes an objective in brunt's language, or says why it can't.
func objective(d *draft.Builder, indicator, o *syntax.Node) (text, lost string) {
	target, ok := targetOf(d, o)
	if !ok {
		return "", "an objective without a target above 0 and up to 100 %"
	}
	spec := indicator.Get("spec")
	if spec == nil {
		spec = indicator
	}
	share := strconv.FormatFloat(target, 'f', -1, 64)
	words := strings.ToLower(d.Text(indicator, "metadata", "name") + " " + flat(spec))
	if ratio := spec.Get("ratioMetric"); ratio != nil {
		if m := bucket.FindStringSubmatch(flat(ratio.Get("good"))); m != nil && isLatency.MatchString(words) {
			return percentile(target, share, m[1], unitOf(words))
		}
		if target == 100 {
			return "errors = 0%", ""
		}
		return "availability >= " + share + "%", ""
	}
	if spec.Get("thresholdMetric") == nil {
		return "", "an indicator that is neither a ratio nor a threshold, or is not in the file"
	}
	if !isLatency.MatchString(words) {
		return "", "a threshold on something other than latency: take metric(NAME) under observe"
	}
	if op := d.Text(o, "op"); op != "lt" && op != "lte" {
		return "", "a threshold on latency without `op: lt` or `lte`"
	}
	return percentile(target, share, d.Text(o, "value"), unitOf(words))
}

// percentile writes that a share of requests takes at most a time.
func percentile(target float64, share, value string, unit time.Duration) (text, lost string) {
	if target == 100 {
		return "", "a threshold for all requests: no percentile says that"
	}
	if target < 1 || target > 99.999 {
		return "", "the percentile " + share + ": brunt takes p1 to p99.999"
	}
	v, err := strconv.ParseFloat(value, 64)
	took := time.Duration(v * float64(unit))
	if err != nil || !(v > 0 && v < 1e6) || took < time.Microsecond {
		return "", "a threshold without a value above 0"
	}
	return fmt.Sprintf("p%s <= %s", share, quantity.FormatDuration(took)), ""
}

func unitOf(words string) time.Duration {
	if inMillis.MatchString(words) {
		return time.Millisecond
	}
	return time.Second
}

var (
	isLatency = regexp.MustCompile(`latency|duration|response.?time|seconds|_ms\b|msec`)
	inMillis  = regexp.MustCompile(`_ms\b|millis|\bms\b|msec`)
	// bucket matches a bucket of a Prometheus histogram: requests up to that time are good.
	bucket = regexp.MustCompile(`\ble="([0-9.]+)"`)
)

// requests returns how many requests an objective needs to be judged: ten beyond its percentile, which is enough for
// a share too.
func requests(d *draft.Builder, o *syntax.Node) int {
	target, _ := targetOf(d, o)
	if target == 100 {
		return 0
	}
	return int(min(10/(1-target/100), 1e6))
}

// targetOf returns a target in percent, from target, which is a fraction, or from targetPercent.
func targetOf(d *draft.Builder, o *syntax.Node) (float64, bool) {
	by, text := 100.0, d.Text(o, "target")
	if text == "" {
		by, text = 1, d.Text(o, "targetPercent")
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v > 0 && v*by <= 100) {
		return 0, false
	}
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v*by, 'f', 6, 64), 64)
	return rounded, err == nil && rounded > 0
}

// flat returns all texts in a value, joined.
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
