package ci

import (
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"

	"brunt/reporters"
	"brunt/reporters/evidence"
	"brunt/scenarios"
	"brunt/scenarios/result"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Vegeta writes every request of a run in one of vegeta's encodings, for `vegeta report` and
// `vegeta plot`. The timestamp of a request is its intended time, its latency is the response
// time. A request that was not sent has the code 0 and its cause as the error. Each load is an
// attack. Skipped steps and requests of the warm-up are left out.
type Vegeta struct{ Encoding string } // gob, csv or json

var _ reporters.Reporter = Vegeta{}

func (v Vegeta) Format() reporters.Format {
	return reporters.Format{
		Name:  "vegeta-" + v.Encoding,
		About: "Every single request in vegeta's encoding " + v.Encoding + ", for `vegeta report` and `vegeta plot`.",
	}
}

func (v Vegeta) Report(w io.Writer, r *result.Result) error {
	encode := vegeta.NewEncoder(w)
	switch v.Encoding {
	case "csv":
		encode = vegeta.NewCSVEncoder(w)
	case "json":
		encode = vegeta.NewJSONEncoder(w)
	}
	return evidence.Ordered(r, func(
		head *result.Requests, names scenarios.Causes, all iter.Seq2[*scenarios.Outcome, error],
	) error {
		seq := make([]uint64, len(head.Loads))
		for o, err := range all {
			if err != nil {
				return err
			}
			res := vegetaResult(head, names, o)
			res.Seq = seq[o.Load]
			seq[o.Load]++
			if err := encode(&res); err != nil {
				return err
			}
		}
		return nil
	})
}

// vegetaResult returns a request in vegeta's form.
func vegetaResult(head *result.Requests, names scenarios.Causes, o *scenarios.Outcome) vegeta.Result {
	step := head.Steps[o.Step]
	res := vegeta.Result{
		Attack: head.Loads[o.Load], Timestamp: head.T0.Add(o.Intended), Latency: o.Response(),
		BytesIn: uint64(max(0, o.Bytes)),
		Method:  step.Method, URL: step.URL, Code: uint16(o.Status),
	}
	switch {
	case o.Kind == scenarios.OK:
	case o.Answered && o.Cause < scenarios.FirstFamily && (o.Status < http.StatusOK || o.Status >= http.StatusBadRequest):
		res.Error = strings.TrimSpace(fmt.Sprintf("%d %s", o.Status, http.StatusText(int(o.Status))))
	default:
		res.Error = names.Name(o.Cause)
	}
	return res
}
