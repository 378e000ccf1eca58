package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/syntax"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Metric is a condition on the series of a metric: it holds when one of them is within the bounds.
type Metric struct {
	syntax.Place
	Get Address `yaml:"get,required"` // the URL of a page in Prometheus's text format
	// name of the metric: a counter, gauge or untyped one; of a histogram or summary NAME_count or NAME_sum
	Name   string            `yaml:"name,required"`
	Labels map[string]string `yaml:"labels"` // labels that a series must have; nil is any
	Above  *float64          `yaml:"above"`  // it holds when a series has a larger value
	Below  *float64          `yaml:"below"`  // it holds when a series has a smaller value
}

// DecodeNode implements [syntax.NodeDecoder]: a name alone is a metric on the page of scrape.
func (k *Metric) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	type plain Metric
	decodeShort(n, m, (*plain)(k), &k.Place, &k.Name)
}

func (*Metric) SchemaWith(doc syntax.Describer) syntax.Schema {
	return shortSchema[Metric](doc)
}

func (k *Metric) validate(use Use, sc chaos.Scope, m *syntax.Mistakes) {
	if k.Get.IsZero() {
		m.AddHint(k.At, `such as scrape: "http://127.0.0.1:8080/metrics"`,
			"metric wants scrape, which says where the page is")
	} else {
		k.Get.check(use, sc, m)
	}
	if strings.TrimSpace(k.Name) == "" {
		m.AddHint(k.At, "such as metric: queue_depth", "scrape wants metric, which says what to read there")
	}
	if bounds := k.Above != nil || k.Below != nil; use.Value && bounds {
		m.Add(k.At, "above and below make a yes or no of a metric, and here its value is read")
	} else if !use.Value && !bounds {
		m.AddHint(k.At, "such as above: 0", "a metric wants above, below or both")
	}
	if k.Above != nil && k.Below != nil && *k.Above >= *k.Below {
		m.Add(k.Of("above"), "nothing is above %s and below %s", plain(*k.Above), plain(*k.Below))
	}
}

// String describes the condition.
func (k *Metric) String() string {
	s := k.Name
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(k.Labels)) {
		labels = append(labels, name+"="+strconv.Quote(k.Labels[name]))
	}
	if len(labels) > 0 {
		s += "{" + strings.Join(labels, ", ") + "}"
	}
	if k.Above != nil {
		s += " > " + plain(*k.Above)
	}
	if k.Below != nil {
		s += " < " + plain(*k.Below)
	}
	return s + " at " + k.Get.Text()
}

func plain(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }

type metricQuestion struct {
	*Metric
	call *ResolvedCall
}

// series reads the values of the metric.
func (q metricQuestion) series(ctx context.Context) (_ []float64, err error) {
	defer scenarios.Recover(&err)
	a, err := q.call.Ask(ctx)
	if err != nil {
		return nil, err
	}
	if !a.has(nil) {
		return nil, fmt.Errorf("%s: %s", q.call, a.says())
	}
	values, err := Series(a.body, q.Name, q.Labels)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", q.call, err)
	}
	return values, nil
}

// Value implements [Question]: the value of the only series.
func (q metricQuestion) Value(ctx context.Context, _ *Finder) (string, error) {
	values, err := q.series(ctx)
	if err != nil {
		return "", err
	}
	switch len(values) {
	case 0:
		return "", errors.New(q.Name + " has no such series")
	case 1:
	default:
		return "", fmt.Errorf("%s has %d such series; labels that only one of them has say which is meant", q.Name,
			len(values))
	}
	return plain(values[0]), nil
}

// Ask implements [Question]. If the page lacks the series, the condition does not hold.
func (q metricQuestion) Ask(ctx context.Context) (bool, string, error) {
	values, err := q.series(ctx)
	if err != nil {
		return false, "", err
	}
	if len(values) == 0 {
		return false, q.Name + " has no such series", nil
	}
	for _, v := range values {
		if (q.Above == nil || v > *q.Above) && (q.Below == nil || v < *q.Below) {
			return true, fmt.Sprintf("%s is %s", q.Name, plain(v)), nil
		}
	}
	return false, fmt.Sprintf("%s is %s", q.Name, plain(values[0])), nil
}

// Series returns the values of a metric on a page in Prometheus's text format.
func Series(page []byte, name string, labels map[string]string) ([]float64, error) {
	values, err := labelled(page, name, labels)
	if err != nil {
		return nil, err
	}
	var out []float64
	for _, v := range values {
		out = append(out, v.V)
	}
	return out, nil
}

// labelled returns the series of a metric with all their labels.
func labelled(page []byte, name string, labels map[string]string) ([]Value, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(page))
	if err != nil {
		return nil, err
	}
	var out []Value
	for _, family := range []string{name, strings.TrimSuffix(name, "_count"), strings.TrimSuffix(name, "_sum")} {
		f := families[family]
		if f == nil {
			continue
		}
		for _, m := range f.GetMetric() {
			if v, ok := valueOf(m, strings.TrimPrefix(name, family)); ok && hasLabels(m, labels) {
				have := map[string]string{}
				for _, l := range m.GetLabel() {
					have[l.GetName()] = l.GetValue()
				}
				out = append(out, Value{have, v})
			}
		}
		break
	}
	return out, nil
}

// valueOf returns the value of a series. suffix selects the value of a histogram or summary.
func valueOf(m *dto.Metric, suffix string) (float64, bool) {
	counted := func(count uint64, sum float64) (float64, bool) {
		if suffix == "_sum" {
			return sum, true
		}
		return float64(count), suffix == "_count"
	}
	switch {
	case m.Histogram != nil:
		return counted(m.Histogram.GetSampleCount(), m.Histogram.GetSampleSum())
	case m.Summary != nil:
		return counted(m.Summary.GetSampleCount(), m.Summary.GetSampleSum())
	case suffix != "":
		return 0, false
	case m.Gauge != nil:
		return m.Gauge.GetValue(), true
	case m.Counter != nil:
		return m.Counter.GetValue(), true
	case m.Untyped != nil:
		return m.Untyped.GetValue(), true
	}
	return 0, false
}

func hasLabels(m *dto.Metric, want map[string]string) bool {
	have := map[string]string{}
	for _, l := range m.GetLabel() {
		have[l.GetName()] = l.GetValue()
	}
	for name, value := range want {
		if have[name] != value {
			return false
		}
	}
	return true
}
