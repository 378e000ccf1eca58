// Command helper is what brunt has an engine start, alone, for tests of what is done by it: a
// static program that is built faster than brunt is.
//
//	helper network-agent    breaks the network that it is in, as standard input asks for
//	helper process-agent    breaks processes of the machine, as standard input asks for
//	helper stress           does the job that standard input gives
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
	case "process-agent":
		err = agent.Serve(context.Background(), catalog.Find, catalog.AllOperations(), os.Stdin, os.Stdout)
	case "stress":
		err = stress.Run(os.Stdin, os.Stdout)
	default:
		err = agent.ServeNetwork(context.Background(), os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
