package probe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/syntax"

	"github.com/prometheus/common/model"
)

// Query is a query to a Prometheus server: it holds when its result is not empty.
type Query struct {
	syntax.Place
	URL    Address `yaml:"url,required"`    // URL of the server, such as http://127.0.0.1:9090
	PromQL string  `yaml:"promql,required"` // such as ALERTS{alertname="DatabaseDown", alertstate="firing"}
}

// DecodeNode implements [syntax.NodeDecoder]: a text alone is a query to the server of prometheus.
func (k *Query) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	type plain Query
	decodeShort(n, m, (*plain)(k), &k.Place, &k.PromQL)
}

func (*Query) SchemaWith(doc syntax.Describer) syntax.Schema {
	return shortSchema[Query](doc)
}

// decodeShort decodes a map into whole; any other node is decoded as the text alone.
func decodeShort(n *syntax.Node, m *syntax.Mistakes, whole any, place *syntax.Place, text *string) {
	if n.Kind == syntax.Map {
		syntax.Decode(n, whole, m)
		return
	}
	if alone, ok := n.Text(m); ok {
		*place, *text = syntax.Place{At: n.Pos}, alone
	}
}

// shortSchema is the schema of a T that [decodeShort] decodes.
func shortSchema[T any](doc syntax.Describer) syntax.Schema {
	return syntax.Schema{
		"anyOf": []any{syntax.Schema{"type": "string", "minLength": 1}, syntax.StructSchema(reflect.TypeFor[T](), doc)},
	}
}

func (k *Query) validate(sc chaos.Scope, m *syntax.Mistakes) {
	if k.URL.IsZero() {
		m.AddHint(k.At, `such as prometheus: "http://127.0.0.1:9090"`,
			"query wants prometheus, which says where the server is")
	} else {
		k.URL.check(Use{}, sc, m)
	}
	if strings.TrimSpace(k.PromQL) == "" {
		m.AddHint(k.Of("promql"), "such as query: \"up == 0\"", "prometheus wants query, and it is empty")
	}
}

// String describes the query.
func (k *Query) String() string { return k.PromQL + " at " + k.URL.Text() }

// Question returns the question as a call to the server's API for instant queries.
func (k *Query) Question(s *ResolvedCall) Question {
	s.below(promQuery(k.PromQL))
	return queryQuestion{s}
}

// promQuery is the path of an instant query of Prometheus, below the URL of the server.
func promQuery(promQL string) string { return "/api/v1/query?query=" + url.QueryEscape(promQL) }

type queryQuestion struct{ call *ResolvedCall }

func (q queryQuestion) Ask(ctx context.Context) (_ bool, _ string, err error) {
	defer scenarios.Recover(&err)
	a, err := q.call.Ask(ctx)
	if err != nil {
		return false, "", err
	}
	n, said, err := Result(a.body)
	if err != nil {
		return false, "", fmt.Errorf("%s: %w: %s", q.call, err, a.says())
	}
	return n > 0, said, nil
}

// Value implements [Question]: the value of the first series.
func (q queryQuestion) Value(ctx context.Context, _ *Finder) (_ string, err error) {
	defer scenarios.Recover(&err)
	a, err := q.call.Ask(ctx)
	if err != nil {
		return "", err
	}
	values, err := vector(a.body)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: %w: %s", q.call, err, a.says())
	case len(values) == 0:
		return "", errors.New("the result of the query is empty")
	}
	return plain(values[0].V), nil
}

var errNoResult = errors.New("it is not an answer to a query")

// parseAnswer parses the answer of a Prometheus server to an instant query: a [model.Scalar], [model.String],
// [model.Vector] or [model.Matrix].
func parseAnswer(body []byte) (model.Value, error) {
	var r struct {
		Status string `json:"status"`
		Error  string `json:"error"`
		Data   struct {
			Type   model.ValueType `json:"resultType"`
			Result json.RawMessage `json:"result"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &r); err != nil || r.Status != "success" {
		if r.Error != "" {
			return nil, fmt.Errorf("%w: %s", errNoResult, r.Error)
		}
		return nil, errNoResult
	}
	var v model.Value
	switch r.Data.Type {
	case model.ValScalar:
		v = new(model.Scalar)
	case model.ValString:
		v = new(model.String)
	case model.ValVector:
		v = new(model.Vector)
	case model.ValMatrix:
		v = new(model.Matrix)
	default:
		return nil, errNoResult
	}
	if json.Unmarshal(r.Data.Result, v) != nil {
		return nil, errNoResult
	}
	if samples, ok := v.(*model.Vector); ok {
		for _, s := range *samples {
			if s == nil || s.Timestamp == 0 { // a value or a histogram has a time, and no query is of 1970
				return nil, fmt.Errorf("%w: it has a series without a value", errNoResult)
			}
		}
	}
	return v, nil
}

// Result parses the answer to an instant query: the number of series, and a description of the first.
// A scalar other than 0 counts as one series.
func Result(body []byte) (n int, said string, err error) {
	answer, err := parseAnswer(body)
	if err != nil {
		return 0, "", err
	}
	var first model.Metric
	switch answer := answer.(type) {
	case *model.Scalar:
		if answer.Value != 0 {
			return 1, "it is " + plain(float64(answer.Value)), nil
		}
		return 0, "it is 0", nil
	case *model.String:
		if text := answer.Value; text != "0" && text != "" {
			return 1, "it is " + text, nil
		}
		return 0, "it is 0", nil
	case *model.Vector:
		if n = len(*answer); n > 0 {
			first = (*answer)[0].Metric
		}
	case *model.Matrix:
		if n = len(*answer); n > 0 && (*answer)[0] != nil {
			first = (*answer)[0].Metric
		}
	}
	if n == 0 {
		return 0, "its result is empty", nil
	}
	labels, _ := json.Marshal(first)
	return n, fmt.Sprintf("%d series, %s", n, cut(string(labels))), nil
}
