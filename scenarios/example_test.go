package scenarios_test

import (
	"errors"
	"fmt"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Params of the command line override those of the file.
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

// Explain prints a scenario again; secrets stay the placeholders that name them.
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

// Of two verdicts, the one that says more about the run wins.
func ExampleWorse() {
	v := scenarios.Worse(scenarios.Fail, scenarios.Invalid)
	fmt.Println(v, v.ExitCode())
	// Output: fail 3
}

// All mistakes are reported at once, each with its place.
func Example_mistakes() {
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
	if mistakes, ok := errors.AsType[*syntax.MistakesError](err); ok {
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

// The tags of a type define its settings; mistakes are collected.
func Example_settings() {
	type latency struct {
		syntax.Place
		To    string            `yaml:"to,required"`
		Delay quantity.Duration `yaml:"delay,required,positive"`
		Share quantity.Share    `yaml:"percent"`
	}
	kinds := map[string]func() *latency{"network.latency": func() *latency { return new(latency) }}
	settings := &syntax.Node{Kind: syntax.Map, Fields: []syntax.Field{
		{Key: "delay", Value: &syntax.Node{Kind: syntax.String, Value: "0s"}},
		{Key: "precent", Value: &syntax.Node{Kind: syntax.String, Value: "20%"}},
	}}
	var m syntax.Mistakes
	_, ok := syntax.Resolve(syntax.Block{Kind: "network.latency", With: settings}, kinds, &m)
	fmt.Println(ok)
	fmt.Println(m.Err())
	// Output:
	// false
	// scenario: `delay` must be more than zero, not "0s"
	// scenario: unknown key "precent"; did you mean "percent"?
	// scenario: "to" is missing
}
