// Command helper is brunt's helper alone, for tests of what brunt has it do in an engine:
// a static program that is built faster than brunt is.
//
//	helper helper           breaks the network that it is in, as standard input asks for
package main

import (
	"context"
	"fmt"
	"os"

	"brunt/chaos"
)

func main() {
	if err := chaos.Help(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
