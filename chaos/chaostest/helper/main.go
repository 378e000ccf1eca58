// Command helper is what brunt has an engine start, alone, for tests of what is done by it: a
// static program that is built faster than brunt is.
//
//	helper helper           breaks the network that it is in, as standard input asks for
//	helper hand             breaks processes of the machine, as standard input asks for
//	helper burn             does the job that standard input gives
package main

import (
	"context"
	"fmt"
	"os"

	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/stress"
)

func main() {
	var err error
	switch os.Args[1] {
	case "hand":
		err = agent.Serve(context.Background(), catalog.Find, catalog.AllOperations(), os.Stdin, os.Stdout)
	case "burn":
		err = stress.Run(os.Stdin, os.Stdout)
	default:
		err = agent.ServeNetwork(context.Background(), os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
