// Command agentprogram is a small static stand-in for brunt in agent containers of tests; it builds faster.
//
//	agentprogram agent            breaks the network that it is in, or processes of the machine, as standard input asks
//	agentprogram stress           does the job that standard input gives
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
	case "agent":
		err = agent.Serve(context.Background(), agent.Options{Find: catalog.Find, Operations: catalog.AllOperations()},
			os.Stdin, os.Stdout)
	case "stress":
		err = stress.Run(os.Stdin, os.Stdout)
	default:
		err = fmt.Errorf("there is no command %s", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
