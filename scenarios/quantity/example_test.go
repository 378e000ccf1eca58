package quantity_test

import (
	"fmt"

	"brunt/scenarios/quantity"
)

// Sizes, rates and spans are parsed with their units, and formatted as an author would write them.
func ExampleParseRate() {
	perSecond, _ := quantity.ParseRate("6000/m")
	fmt.Println(perSecond, quantity.Rate(perSecond))
	_, err := quantity.ParseRate("300")
	fmt.Println(err)
	// Output:
	// 100 100/s
	// a rate needs its unit, such as 300/s
}
