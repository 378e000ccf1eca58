package k6

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestApply checks the changed scenarios of a script.
func TestApply(t *testing.T) {
	const arrival = `{"scenarios":{"a":{"executor":"constant-arrival-rate","rate":5,"timeUnit":"1s","duration":"10s","preAllocatedVUs":7,` +
		`"maxVUs":9,"exec":"go","tags":{"x":"y"}}}}`
	for _, c := range []struct {
		name, options string
		change        Change
		want          string // expected scenarios
	}{
		{
			"nothing said", arrival,
			Change{},
			`{"a":{"executor":"constant-arrival-rate","rate":5,"timeUnit":"1s","duration":"10s",` +
				`"preAllocatedVUs":7,"maxVUs":9,"exec":"go","tags":{"x":"y"}}}`,
		},
		{
			"rate", arrival,
			Change{Rate: 50},
			`{"a":{"executor":"constant-arrival-rate","rate":50,"timeUnit":"1s","duration":"10000ms",` +
				`"preAllocatedVUs":7,"maxVUs":9,"exec":"go","tags":{"x":"y"}}}`,
		},
		{
			"slow rate", arrival,
			Change{Rate: .25, Duration: time.Minute},
			`{"a":{"executor":"constant-arrival-rate","rate":15,` +
				`"timeUnit":"1m","duration":"60000ms","preAllocatedVUs":7,"maxVUs":9,"exec":"go","tags":{"x":"y"}}}`,
		},
		{
			"rate and users", arrival,
			Change{Rate: 50, VUs: 20, MaxVUs: 30},
			`{"a":{"executor":"constant-arrival-rate","rate":50,` +
				`"timeUnit":"1s","duration":"10000ms","preAllocatedVUs":20,"maxVUs":30,"exec":"go","tags":{"x":"y"}}}`,
		},
		{
			"users instead", arrival,
			Change{VUs: 3},
			`{"a":{"executor":"constant-vus","vus":3,"duration":"10000ms","exec":"go","tags":{"x":"y"}}}`,
		},
		{
			"no scenario", `{}`,
			Change{Rate: 5, Duration: time.Second},
			`{"default":{"executor":"constant-arrival-rate","rate":5,` +
				`"timeUnit":"1s","duration":"1000ms","preAllocatedVUs":5,"maxVUs":1000}}`,
		},
		{
			"shortcuts", `{"vus":10,"duration":"1m"}`,
			Change{Duration: 5 * time.Second},
			`{"default":{"executor":"constant-vus","vus":10,"duration":"5000ms"}}`,
		},
		{
			"stages", `{"vus":2,"stages":[{"duration":"10s","target":10},{"duration":"30s","target":0}]}`,
			Change{Duration: 4 * time.Second},
			`{"default":{"executor":"ramping-vus","startVUs":2,"stages":[{"duration":"1000ms","target":10},{"duration":"3000ms","target":0}]}}`,
		},
		{
			"rate of stages", `{"stages":[{"duration":"10s","target":10},{"duration":"30s","target":0}]}`,
			Change{Rate: 2},
			`{"default":{"executor":"constant-arrival-rate","rate":2,"timeUnit":"1s","duration":"40000ms","preAllocatedVUs":2,"maxVUs":1000}}`,
		},
		{
			"iterations", `{"iterations":10,"vus":5}`,
			Change{Duration: time.Second},
			`{"default":{"executor":"shared-iterations",` +
				`"iterations":10,"vus":5,"maxDuration":"1000ms"}}`,
		},
		{
			"one of several",
			`{"scenarios":{"a":{"executor":"constant-vus","vus":1,"duration":"1s"},"b":{"executor":"constant-vus","vus":2,"duration":"2s"}}}`,
			Change{Only: "b", VUs: 4},
			`{"b":{"executor":"constant-vus","vus":4,"duration":"2000ms"}}`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := c.change.Apply([]byte(c.options))
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				Scenarios    any      `json:"scenarios"`
				SystemTags   []string `json:"systemTags"`
				SetupTimeout string   `json:"setupTimeout"`
			}
			var want any
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got.Scenarios, want) {
				t.Errorf("got %v\nwant %v", got.Scenarios, want)
			}
			if !strings.Contains(strings.Join(got.SystemTags, " "), " vu") || got.SetupTimeout != "3660000ms" {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestApply_Wrong(t *testing.T) {
	const two = `{"scenarios":{"a":{"executor":"constant-vus"},"b":{"executor":"constant-vus"}}}`
	for _, c := range []struct {
		name, options string
		change        Change
		want          string
	}{
		{"several", two, Change{Rate: 5}, "several scenarios (a, b)"},
		{"none of them", two, Change{Only: "c"}, `no scenario "c"; it has a, b`},
		{"without end", `{"iterations":5}`, Change{Rate: 5}, "does not say how long it lasts"},
		{"no object", `[]`, Change{}, "are not an object"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if out, err := c.change.Apply([]byte(c.options)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %s, %v", out, err)
			}
		})
	}
}

// TestApply_Tags checks that a script's own tags are kept.
func TestApply_Tags(t *testing.T) {
	out, err := Change{}.Apply([]byte(`{"systemTags":["proto"],"setupTimeout":1500}`))
	if err != nil ||
		!strings.Contains(string(out),
			`"systemTags":["check","error","error_code","group","method","name","proto","scenario","status","vu"]`) ||
		!strings.Contains(string(out), `"3601500ms"`) {
		t.Errorf("%s, %v", out, err)
	}
}

func TestParsePlan(t *testing.T) {
	p, err := parsePlan([]byte(`{"totalDuration":"1m30s","maxVUs":70,
		"thresholds":{"b":["p(95)<200",{"threshold":"max<1","abortOnFail":true,"delayAbortEval":"10s"}],"a{x:y}":["count>1"]},
		"scenarios":{
			"late":{"executor":"ramping-arrival-rate","startTime":"10s","startRate":60,"timeUnit":"1m",
				"stages":[{"duration":"10s","target":120},{"duration":"0s","target":600},{"duration":"20s","target":600}]},
			"early":{"executor":"constant-vus","vus":5,"duration":"1m"},
			"some":{"executor":"shared-iterations","vus":3,"iterations":10,"maxDuration":"20s"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Scenario{
		{Name: "early", Executor: "constant-vus", End: time.Minute, Pieces: []Piece{{time.Minute, 5, 5}}},
		{
			Name: "some", Executor: "shared-iterations", End: 20 * time.Second, Pieces: []Piece{{20 * time.Second, 3, 3}},
			Iterations: true,
		},
		{
			Name: "late", Executor: "ramping-arrival-rate", Start: 10 * time.Second, End: 40 * time.Second, Open: true,
			Pieces: []Piece{{10 * time.Second, 1, 2}, {20 * time.Second, 10, 10}},
		},
	}
	if !reflect.DeepEqual(p.Scenarios, want) || p.End != time.Minute || p.Over != 90*time.Second || p.Users != 70 {
		t.Errorf("%+v", p)
	}
	if len(p.Thresholds) != 3 || p.Thresholds[0].Metric != "a{x:y}" || p.Thresholds[1].Source != "max<1" ||
		p.Thresholds[2].What != "p(95)" {
		t.Errorf("%+v", p.Thresholds)
	}
	for _, bad := range []string{
		`{"scenarios":{"a":{"executor":"shared-iterations","options":{"browser":{"type":"chromium"}}}}}`, `k6 says hello`,
		`{"thresholds":{"a":["p95<1"]}}`, `{"thresholds":{"a":"count>1"}}`, `{"thresholds":{"a":[5]}}`,
	} {
		if _, err := parsePlan([]byte(bad)); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

func TestDurationOf(t *testing.T) {
	for _, c := range []struct {
		in   any
		want time.Duration
	}{
		{"1m30s", 90 * time.Second},
		{"1d", 24 * time.Hour},
		{"1d12h", 36 * time.Hour},
		{"1500", 1500 * time.Millisecond},
		{1500.0, 1500 * time.Millisecond},
		{nil, time.Second},
		{"soon", time.Second},
	} {
		if got := durationOf(c.in, time.Second); got != c.want {
			t.Errorf("%v: got %s, want %s", c.in, got, c.want)
		}
	}
}

func FuzzApply(f *testing.F) {
	f.Add([]byte(`{"scenarios":{"a":{"executor":"ramping-vus","stages":[{"duration":"1s","target":5}]}}}`), 5.0, 3,
		int64(time.Second))
	f.Fuzz(func(_ *testing.T, options []byte, rate float64, vus int, d int64) {
		_, _ = Change{Rate: rate, VUs: vus, Duration: time.Duration(d)}.Apply(options)
		_, _ = parsePlan(options)
		_ = setupTimeout(options)
	})
}
