package scenarios_test

import (
	"reflect"
	"testing"

	"brunt/scenarios"
)

// TestParams lists the parameters of a scenario with the settings that each feeds alone. A text in which a parameter is
// only a part is not among them.
func TestParams(t *testing.T) {
	const text = `version: 1
name: shop
params: {rate: 100/s, copies: 2, token: abcdefghijk, unused: 1}
target: {processes: {shop: {command: [serve], replicas: "${copies}"}}}
load:
  main:
    executor: constant-arrival-rate
    rate: "${rate}"
    duration: 10s
    flow: [{get: "/x?copies=${copies}", headers: {X-Key: "${token}"}}]
slo: [errors < 1%]
`
	sc, err := scenarios.Parse("s.yaml", scenarios.Options{
		Read: func(string) ([]byte, error) { return []byte(text), nil }, Set: map[string]string{"copies": "1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []scenarios.Param{
		{Name: "rate", Value: "100/s", Feeds: []string{"load.main.rate"}},
		{Name: "copies", Value: "1", Given: true, Feeds: []string{"target.processes.shop.replicas"}},
		{Name: "token", Value: "***", Feeds: []string{"load.main.flow[0].headers.X-Key"}},
		{Name: "unused", Value: "1"},
	}
	if got := sc.Params(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
