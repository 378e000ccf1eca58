package scenarios_test

import (
	"errors"
	"fmt"

	"brunt/scenarios"
)

func ExampleParseObjective() {
	o, err := scenarios.ParseObjective(`p99 < 500ms of "read post" in baseline`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(o.Metric.Text, o.Op, o.Metric.FormatValue(o.Value), "|", o.Step, "|", o.PhaseOrRun())
	fmt.Println("350 ms meet it:", o.Holds(0.350))

	_, err = scenarios.ParseObjective("p99 < 500")
	fmt.Println(err)
	// Output:
	// p99 < 500ms | read post | baseline
	// 350 ms meet it: true
	// p99: a duration needs its unit, such as 500s or 500ms
}

// A file's params are laid over by those of the command line.
func ExampleParse() {
	const file = `
version: 1
name: quick look
params: {rate: 300/s}
target: {url: http://127.0.0.1:8080}
load:
  reads:
    executor: constant-arrival-rate
    rate: "${rate}"
    duration: 10s
    flow:
      - get: /posts
slo:
  - p95 < 200ms
`
	sc, err := scenarios.Parse("quick.yaml", scenarios.Options{
		Set:  map[string]string{"rate": "50/s"},
		Read: func(string) ([]byte, error) { return []byte(file), nil },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	load := sc.Loads[0]
	fmt.Println(sc.Name, "|", load.Name, "|", load.Executor, "|", load.Shape.With.Get("rate").Value, "|", sc.SLO[0].Text)
	// Output: quick look | reads | constant-arrival-rate | 50/s | p95 < 200ms
}

// All that is wrong is told in one go, each with its place.
func ExampleMistakesError_Explain() {
	const file = `version: 1
target: {url: http://127.0.0.1:8080}
load:
  reads: {executor: spike, timeout: 10, flow: [{get: /}]}
slo:
  - p95 < 200ms
  - error < 1%
`
	_, err := scenarios.Parse("posts.yaml", scenarios.Options{
		Read: func(string) ([]byte, error) { return []byte(file), nil },
	})
	if mistakes, ok := errors.AsType[*scenarios.MistakesError](err); ok {
		fmt.Print(mistakes.Explain())
	}
	// Output:
	// posts.yaml:4:37: a duration needs its unit, such as 10s or 10ms
	//       3 | load:
	//  >    4 |   reads: {executor: spike, timeout: 10, flow: [{get: /}]}
	//         |                                     ^
	//       5 | slo:
	//
	// posts.yaml:7:5: unknown metric "error"; did you mean "errors"?
	//       6 |   - p95 < 200ms
	//  >    7 |   - error < 1%
	//         |     ^
}

// A type's tags say which settings it has; what is wrong is collected.
func ExampleDecode() {
	type latency struct {
		scenarios.Place
		To    string             `yaml:"to,required"`
		Delay scenarios.Duration `yaml:"delay,required,positive"`
		Share scenarios.Share    `yaml:"percent"`
	}
	kinds := map[string]func() *latency{"network.latency": func() *latency { return new(latency) }}
	settings := &scenarios.Node{Kind: scenarios.Map, Fields: []scenarios.Field{
		{Key: "delay", Value: &scenarios.Node{Kind: scenarios.String, Value: "0s"}},
		{Key: "precent", Value: &scenarios.Node{Kind: scenarios.String, Value: "20%"}},
	}}
	var m scenarios.Mistakes
	_, ok := scenarios.Resolve(scenarios.Block{Kind: "network.latency", With: settings}, kinds, &m)
	fmt.Println(ok)
	fmt.Println(m.Err())
	// Output:
	// false
	// scenario: `delay` must be more than zero, not "0s"
	// scenario: unknown key "precent"; did you mean "percent"?
	// scenario: "to" is missing
}

// Sizes, rates and spans are read with their units, and written as an author would.
func ExampleParseRate() {
	perSecond, _ := scenarios.ParseRate("6000/m")
	fmt.Println(perSecond, scenarios.Rate(perSecond))
	_, err := scenarios.ParseRate("300")
	fmt.Println(err)
	// Output:
	// 100 100/s
	// a rate needs its unit, such as 300/s
}

// What a scenario comes to is a scenario again; secrets stay the placeholders that
// name them.
func ExampleScenario_Explain() {
	const file = `
version: 1
params: {rate: 300/s}
target: {url: http://127.0.0.1:8080}
load:
  reads:
    executor: constant-arrival-rate
    rate: "${rate}"
    duration: 10s
    flow: [{get: /posts, headers: {Authorization: "Bearer ${env.TOKEN}"}}]
`
	sc, err := scenarios.Parse("quick.yaml", scenarios.Options{
		Env:  func(string) (string, bool) { return "s3cret", true },
		Read: func(string) ([]byte, error) { return []byte(file), nil },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(sc.Explain())
	// Output:
	// version: 1
	// target:
	//   url: http://127.0.0.1:8080
	// load:
	//   reads:
	//     executor: constant-arrival-rate
	//     rate: 300/s
	//     duration: 10s
	//     flow:
	//       - get: /posts
	//         headers:
	//           Authorization: Bearer ${env.TOKEN}
}

// A secret is masked in every form that it takes on its way.
func ExampleSecrets_Mask() {
	var secrets scenarios.Secrets
	secrets.Add(`to/ken"`)
	fmt.Println(secrets.Mask(`GET /?key=to%2Fken%22 with {"key": "to/ken\""}`))
	// Output: GET /?key=*** with {"key": "***"}
}

func ExampleDidYouMean() {
	kinds := []string{"process.crash", "network.latency", "http.error"}
	fmt.Println(scenarios.DidYouMean("process.crush", kinds))
	fmt.Println(scenarios.DidYouMean("latency", kinds))
	fmt.Println(scenarios.DidYouMean("nothing", kinds))
	// Output:
	// did you mean "process.crash"?
	// did you mean "network.latency"?
	// known are http.error, network.latency, process.crash
}

// Of two verdicts the one that says more about the run wins.
func ExampleWorse() {
	v := scenarios.Worse(scenarios.Fail, scenarios.Invalid)
	fmt.Println(v, v.ExitCode())
	// Output: invalid 5
}
