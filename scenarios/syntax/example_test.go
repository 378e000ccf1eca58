package syntax_test

import (
	"fmt"

	"brunt/scenarios/syntax"
)

func ExampleDidYouMean() {
	kinds := []string{"process.crash", "network.latency", "http.error"}
	fmt.Println(syntax.DidYouMean("process.crush", kinds))
	fmt.Println(syntax.DidYouMean("latency", kinds))
	fmt.Println(syntax.DidYouMean("nothing", kinds))
	// Output:
	// did you mean "process.crash"?
	// did you mean "network.latency"?
	// known are http.error, network.latency, process.crash
}
