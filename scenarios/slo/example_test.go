package slo_test

import (
	"fmt"

	"brunt/scenarios/slo"
)

func ExampleParseObjective() {
	o, err := slo.ParseObjective(`p99 < 500ms of "read post" in baseline`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(o.Metric.Text, o.Op, o.Metric.FormatValue(o.Value), "|", o.Step, "|", o.PhaseOrRun())
	fmt.Println("350 ms meet it:", o.Holds(0.350))

	_, err = slo.ParseObjective("p99 < 500")
	fmt.Println(err)
	// Output:
	// p99 < 500ms | read post | baseline
	// 350 ms meet it: true
	// p99: a duration needs its unit, such as 500s or 500ms
}
