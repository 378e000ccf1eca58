package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/cluster/agents"

	"github.com/spf13/cobra"
)

// agentCommand runs an agent. brunt has a container engine start it for operations that brunt itself may not perform:
// in the network of a container, or on processes of the machine.
func agentCommand() *cobra.Command {
	var s agents.Served
	var undo string
	kept := false
	c := &cobra.Command{
		Use:    "agent",
		Short:  "Inject faults into the network of this process or into processes of this machine, as standard input says",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := terminable(c)
			defer stop()
			o := agent.Options{Find: catalog.Find, Operations: catalog.AllOperations()}
			switch {
			case undo != "":
				var all []chaos.Undo
				if err := json.Unmarshal([]byte(undo), &all); err != nil {
					return fmt.Errorf("--undo: %w", err)
				}
				_, err := o.Operations.Revert(context.WithoutCancel(ctx), all) // whoever deletes its pod lets the agent end
				return err
			case s.State != "" && !kept:
				run := exec.Command(self()[0])
				run.Stdout, run.Stderr = os.Stdout, os.Stderr // the agent itself makes untrusted text safe
				v := agents.Supervisor{State: s.State, Operations: o.Operations, Command: append(self(), c.Name(),
					"--listen", s.Listen, "--run", s.Run, "--key", s.Key, "--state", s.State, "--kept")}
				return v.Run(ctx, run)
			case s.Listen != "":
				return s.Serve(ctx, o)
			}
			return agent.Serve(ctx, o, c.InOrStdin(), c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&s.Listen, "listen", "", "address that the run connects to; empty: the run is at standard input")
	c.Flags().StringVar(&s.Run, "run", "", "id of the run")
	c.Flags().StringVar(&s.Key, "key", "", "public half of the run's key, in hexadecimal")
	c.Flags().StringVar(&s.State, "state", "",
		"directory of the agent's own journal: another process takes back what an agent that is killed has left")
	c.Flags().BoolVar(&kept, "kept", false, "this is the agent that such a process has started")
	c.Flags().StringVar(&undo, "undo", "", "take back what another agent did, as these entries of a journal say, and end")
	return c
}

// terminable returns a context that ends when the engine asks the agent to terminate.
func terminable(c *cobra.Command) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(c.Context(), syscall.SIGTERM)
}
