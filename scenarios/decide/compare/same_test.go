package compare_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/decide/compare"
	"brunt/scenarios/result"
)

const shop = `version: 1
name: shop
hypothesis: It is as fast as it was.
meta: {commit: abc}
target: {url: "http://127.0.0.1:8080/base", endpoints: {cache: "redis://127.0.0.1:6379"}}
guard: {allow: {load: ["127.0.0.1:8080"]}}
load: {read: {executor: constant-arrival-rate, rate: 100/s, duration: 10s, flow: [{get: /}, {get: "http://127.0.0.1:8080/other"}]}}
`

// TestRecord_Same changes one setting after another: only what says where the target runs, or what people say of the
// run, is no part of the key.
func TestRecord_Same(t *testing.T) {
	for _, tt := range []struct {
		name, from, to string
		same           bool
	}{
		{"nothing", "", "", true},
		{"the target's URL", "127.0.0.1:8080", "staging.example:9000", true},
		{"the path of the URL alone", "8080/base", "8080/v2", true},
		{"an endpoint", "127.0.0.1:6379", "10.0.0.7:6380", true},
		{"meta", "abc", "def", true},
		{"the hypothesis", "as fast", "as slow", true},
		{"the rate", "100/s", "150/s", false},
		{"a step", "get: /}", "get: /x}", false},
		{"the name", "name: shop", "name: shops", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := compare.NewRecord(&result.Result{Scenario: shop}, compare.Machine{})
			b := compare.NewRecord(&result.Result{Scenario: strings.ReplaceAll(shop, tt.from, tt.to)}, compare.Machine{})
			if tt.from == "" {
				b = compare.NewRecord(&result.Result{Scenario: shop}, compare.Machine{})
			}
			if a.Same(b) != tt.same || b.Same(a) != tt.same {
				t.Errorf("same is %t, want %t\n%v\n%v", a.Same(b), tt.same, a.Scenario, b.Scenario)
			}
		})
	}
	faults := compare.NewRecord(&result.Result{Scenario: shop, Chaos: true}, compare.Machine{})
	if faults.Same(compare.NewRecord(&result.Result{Scenario: shop}, compare.Machine{})) {
		t.Error("a run with faults is the same as one without")
	}
}

// TestHistory_Comparable says which records are left out, and why.
func TestHistory_Comparable(t *testing.T) {
	local := compare.Machine{OS: "linux", Arch: "amd64", CPUs: 2, Score: 1000}
	big := compare.Machine{OS: "linux", Arch: "amd64", CPUs: 8, Score: 1000}
	record := func(text, name string, m compare.Machine) *compare.Record {
		return compare.NewRecord(&result.Result{Run: "r", Name: name, Scenario: text, Started: time.Unix(1e9, 0)}, m)
	}
	moved := strings.ReplaceAll(shop, "127.0.0.1:8080", "staging:9000")
	slower := strings.ReplaceAll(shop, "100/s", "50/s")
	other := strings.NewReplacer("100/s", "50/s", "10s", "20s", "get: /}", "get: /x}", "constant-arrival-rate",
		"spike").Replace(shop)
	for _, tt := range []struct {
		name    string
		records []*compare.Record
		want    int
		left    []string
	}{
		{"moved", []*compare.Record{record(moved, "shop", local), record(moved, "shop", local)}, 2, nil},
		{"another rate", []*compare.Record{record(slower, "shop", local), record(slower, "shop", local)}, 0, []string{
			"none of the 2 records is of this scenario: rate differs (load.read.rate: 50/s then, 100/s now)",
		}},
		{"some of another rate", []*compare.Record{record(shop, "shop", local), record(slower, "shop", local)}, 1, []string{
			"1 of 2 records is not of this scenario: rate differs (load.read.rate: 50/s then, 100/s now)",
		}},
		{"more than a rate", []*compare.Record{record(other, "shop", local)}, 0, []string{
			"the only record is not of this scenario: duration, executor, get differ (load.read.duration: 20s then, 10s now; " +
				"load.read.executor: spike then, constant-arrival-rate now; load.read.flow[0].get: /x then, / now; and 1 " +
				"setting more)",
		}},
		{"another machine", []*compare.Record{record(shop, "shop", big)}, 0, []string{
			"1 record was made on another kind of machine: linux/amd64, 8 processors, 1000 MB/s of SHA-256, and this is " +
				"linux/amd64, 2 processors, 1000 MB/s of SHA-256",
		}},
		{"no scenario", []*compare.Record{record(shop, "shop", local), record("{", "shop", local)}, 1, []string{
			"1 of 2 records is not of this scenario: it does not say what differs, as one of the two scenarios can't be read",
		}},
		{"another scenario", []*compare.Record{record(shop, "cart", local), record(shop, "shop", local)}, 2, nil},
		{
			"another name",
			[]*compare.Record{record(strings.ReplaceAll(shop, "name: shop", "name: cart"), "cart", local)},
			0,
			[]string{
				`the only record is not of this scenario: its name is "cart"`,
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			h, err := compare.OpenHistory(dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range tt.records {
				if err := h.Add(r); err != nil {
					t.Fatal(err)
				}
			}
			if h, err = compare.OpenHistory(dir); err != nil {
				t.Fatal(err)
			}
			got, left := record(shop, "shop", local).Comparable(h.Records())
			if len(got) != tt.want || fmt.Sprintf("%q", left) != fmt.Sprintf("%q", tt.left) {
				t.Errorf("%d records, %q; want %d and %q", len(got), left, tt.want, tt.left)
			}
		})
	}
}
