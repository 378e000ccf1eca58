package run_test

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// registerServer keeps a value for each key: PUT /KEY writes its body, and GET /KEY reads. A test plants defects.
type registerServer struct {
	mu     sync.Mutex
	values map[string][]string // all values of each key, the last one is current
	n      int                 // number of the request
	write  func(s *registerServer, key, value string) (status int)
	read   func(s *registerServer, key string) (value string, found bool)
}

func (s *registerServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1000))
	key := r.URL.Path
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	if r.Method == http.MethodPut {
		w.WriteHeader(s.write(s, key, string(body)))
		return
	}
	value, found := s.read(s, key)
	if !found {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	fmt.Fprintf(w, `{"value":%q}`, value)
}

// put makes a value the current one.
func (s *registerServer) put(key, value string) int {
	s.values[key] = append(s.values[key], value)
	return http.StatusNoContent
}

// at returns the value of a key before the last back writes.
func (s *registerServer) at(key string, back int) (string, bool) {
	all := s.values[key]
	if len(all) <= back {
		return "", false
	}
	return all[len(all)-1-back], true
}

// registers runs a load that reads and writes five keys of a server with a defect, which is a change of the server.
func registers(t *testing.T, of, slo string, plant func(*registerServer)) *result.Result {
	t.Helper()
	s := &registerServer{
		values: map[string][]string{}, write: (*registerServer).put,
		read: func(s *registerServer, key string) (string, bool) { return s.at(key, 0) },
	}
	plant(s)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return runOnce(t, strings.NewReplacer("URL", server.URL, "OF", of, "SLO", slo).Replace(`
version: 1
name: registers
seed: 7
target: {url: "URL"}
data: {key: {range: 1..5, pick: random}}
load:
  main:
    executor: per-vu-iterations # so that each user makes some, and is a session, on a busy machine as well
    vus: 4
    iterations: 100
    mix:
      - {weight: 1, flow: [{put: "/${data.key.value}", name: set, body: "${consistency.value}", check: {status: 204}}]}
      - {weight: 2, flow: [{get: "/${data.key.value}", name: get, check: {status: [200, 404]}, extract: {v: "$.value"}}]}
consistency: {kv: {write: set, read: get, key: "${data.key.value}", found: "${var.v}"OF}}
slo: [SLO]
`), run.Options{})
}

// TestConsistency plants a defect in each server, and checks which kind of anomaly brunt names first.
func TestConsistency(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		of    string // more settings
		slo   string
		plant func(*registerServer)
		want  scenarios.Verdict
		kind  string // that is found; empty: none
	}{
		{name: "correct", slo: "anomalies = 0, staleness <= 0s", plant: func(*registerServer) {}, want: scenarios.Pass},
		{
			name: "stale", slo: "anomalies(kv) = 0", want: scenarios.Fail, kind: result.AnomalyStale,
			plant: func(s *registerServer) {
				s.read = func(s *registerServer, key string) (string, bool) { return s.at(key, s.n%2) }
			},
		},
		{
			name: "stale, and allowed", slo: "staleness < 1m", want: scenarios.Pass, kind: result.AnomalyStale,
			plant: func(s *registerServer) {
				s.read = func(s *registerServer, key string) (string, bool) { return s.at(key, s.n%2) }
			},
		},
		{
			name: "dirty", of: ", never: status 409", slo: "anomalies = 0", want: scenarios.Fail,
			kind: result.AnomalyDirty,
			plant: func(s *registerServer) {
				s.write = func(s *registerServer, key, value string) int {
					if s.put(key, value); s.n%3 == 0 {
						return http.StatusConflict
					}
					return http.StatusNoContent
				}
			},
		},
		{
			name: "refused without effect", of: ", never: status 409", slo: "anomalies = 0", want: scenarios.Pass,
			plant: func(s *registerServer) {
				s.write = func(s *registerServer, key, value string) int {
					if s.n%3 == 0 {
						return http.StatusConflict
					}
					return s.put(key, value)
				}
			},
		},
		{
			name: "unknown, some with an effect", slo: "anomalies = 0", want: scenarios.Pass,
			plant: func(s *registerServer) {
				s.write = func(s *registerServer, key, value string) int {
					if s.n%2 == 0 {
						s.put(key, value)
					}
					if s.n%3 == 0 {
						return http.StatusServiceUnavailable
					}
					if s.n%2 != 0 {
						s.put(key, value)
					}
					return http.StatusNoContent
				}
			},
		},
		{
			name: "lost", of: ", settle: 1us", slo: "anomalies = 0", want: scenarios.Fail, kind: result.AnomalyLost,
			plant: func(s *registerServer) {
				s.write = func(s *registerServer, key, value string) int {
					if len(s.values[key]) >= 5 {
						return http.StatusNoContent
					}
					return s.put(key, value)
				}
			},
		},
		{
			name: "a copy that gets no write any more", of: ", settle: 1ms", slo: "anomalies = 0", want: scenarios.Fail,
			kind: result.AnomalyDivergent,
			plant: func(s *registerServer) {
				s.read = func(s *registerServer, key string) (string, bool) {
					if all := s.values[key]; s.n%2 == 0 && len(all) > 2 {
						return all[1], true
					}
					return s.at(key, 0)
				}
			},
		},
		{
			name: "another writer", slo: "anomalies = 0", want: scenarios.Inconclusive,
			plant: func(s *registerServer) {
				s.read = func(s *registerServer, key string) (string, bool) {
					if s.n%20 == 0 {
						return fmt.Sprint("other ", s.n), true
					}
					return s.at(key, 0)
				}
			},
		},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			res := registers(t, c.of, c.slo, c.plant)
			if len(res.Consistency) != 1 {
				t.Fatalf("%d records", len(res.Consistency))
			}
			got := res.Consistency[0]
			if res.Verdict != c.want || (c.kind == "") != (got.Anomalies == 0) {
				t.Fatalf("%s: %s; want %s: %+v", res.Verdict, res.Reason, c.want, got)
			}
			if got.Registers != 5 || got.Sessions != 4 || got.Reads+got.Writes+got.Refused+got.Unknown != 400 {
				t.Errorf("%+v", got)
			}
			if c.kind == "" {
				return
			}
			if !slices.ContainsFunc(got.Kinds, func(k result.AnomalyKind) bool { return k.Kind == c.kind }) {
				t.Errorf("want %s: %+v", c.kind, got.Kinds)
			}
			for _, w := range got.Witnesses {
				if n := len(w.Operations); n < 2 || n > 5 || w.Register == "" {
					t.Errorf("witness %+v", w)
				}
			}
		})
	}
}

// TestConsistency_Swap: a server that compares before it sets is linearizable, and one that does not loses updates.
func TestConsistency_Swap(t *testing.T) {
	t.Parallel()
	for _, compares := range []bool{true, false} {
		var mu sync.Mutex
		values := map[string]string{}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(io.LimitReader(r.Body, 1000))
			mu.Lock()
			defer mu.Unlock()
			current := cmp.Or(values[r.URL.Path], "first")
			switch {
			case r.Method == http.MethodGet:
				fmt.Fprintf(w, `{"value":%q}`, current)
			case compares && r.Header.Get("If-Match") != current:
				w.WriteHeader(http.StatusConflict)
			default:
				values[r.URL.Path] = string(body)
			}
		}))
		t.Cleanup(server.Close)
		res := runOnce(t, strings.ReplaceAll(`
version: 1
name: registers
seed: 7
target: {url: "URL"}
data: {key: {range: 1..2, pick: random}}
load:
  main:
    executor: shared-iterations
    vus: 8
    iterations: 100
    flow:
      - {get: "/${data.key.value}", name: get, extract: {v: "$.value"}}
      - {put: "/${data.key.value}", name: set, headers: {If-Match: "${var.v}"}, body: "${consistency.value}"}
consistency:
  kv: {write: set, read: get, key: "${data.key.value}", found: "${var.v}", expects: "${var.v}", never: status 409}
slo: [anomalies = 0]
`, "URL", server.URL), run.Options{})
		got := res.Consistency[0]
		want := scenarios.Pass
		if !compares {
			want = scenarios.Fail
		}
		lost := slices.ContainsFunc(got.Kinds, func(k result.AnomalyKind) bool {
			return k.Kind == result.AnomalyOverwritten
		})
		if res.Verdict != want || lost == compares || got.Undecided > 0 {
			t.Errorf("compares: %v; %s: %s: %+v", compares, res.Verdict, res.Reason, got)
		}
	}
}
