package ci_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"brunt/reporters/ci"
	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
)

// TestK6 reads the output as k6's dashboards do: each metric is named before its points.
func TestK6(t *testing.T) {
	m := reporterstest.SomeRequests(1000)
	r := &result.Result{Requests: reporterstest.EncodedRequests(m.Bytes(t))}
	known, points := map[string]string{}, map[string]int{}
	var failed, longest float64
	parts, whole := 0., 0.
	statuses, causes := map[string]int{}, map[string]int{}
	for line := range strings.Lines(reporterstest.Render(t, ci.K6{}, r)) {
		var in struct {
			Metric, Type string
			Data         struct {
				Name, Type, Contains string
				Time                 time.Time
				Value                float64
				Tags                 map[string]string
			}
		}
		if err := json.Unmarshal([]byte(line), &in); err != nil {
			t.Fatal(err)
		}
		if in.Type == "Metric" {
			known[in.Data.Name] = in.Data.Type
			continue
		}
		if in.Type != "Point" || known[in.Metric] == "" {
			t.Fatalf("%s", line)
		}
		points[in.Metric]++
		switch in.Metric {
		case "http_reqs":
			statuses[in.Data.Tags["status"]]++
			causes[in.Data.Tags["error"]]++
			if wrong := in.Data.Tags["expected_response"] == "true"; wrong != (in.Data.Tags["error"] == "") ||
				in.Data.Tags["scenario"] == "" || in.Data.Tags["name"] == "" {
				t.Fatalf("%s", line)
			}
		case "http_req_failed":
			failed += in.Data.Value
		case "http_req_duration":
			longest = max(longest, in.Data.Value)
			whole += in.Data.Value
			if in.Data.Time.Before(m.Head.T0) {
				t.Fatalf("%s", line)
			}
		case "data_received":
		default:
			parts += in.Data.Value
		}
	}
	for name, n := range points {
		if n != 1000 {
			t.Errorf("%s has %d points", name, n)
		}
	}
	if len(points) != 10 || known["http_req_failed"] != "rate" || known["http_req_duration"] != "trend" {
		t.Errorf("points %v of %v", points, known)
	}
	if failed != 60 || statuses["503"] != 20 || statuses["0"] != 20 || causes["timeout"] != 20 || causes[""] != 940 {
		t.Errorf("%v failed, %v, %v", failed, statuses, causes)
	}
	if longest < 900 || longest > 1000 || math.Abs(parts-whole) > 1 {
		t.Errorf("at most %v ms; the parts take %v ms, and the requests %v ms", longest, parts, whole)
	}
}
