package main

import (
	"brunt/scenarios/edit/mcp"
	"brunt/scenarios/machine"
	"brunt/scenarios/run"

	"github.com/spf13/cobra"
)

func mcpCommand() *cobra.Command {
	var f sourceFlags
	var folder string
	var commands bool
	c := &cobra.Command{
		Use:   "mcp --policy FILE",
		Short: "Let an assistant check, plan and run scenarios, within a policy",
		Long: `Serve the Model Context Protocol on the standard input and output: an assistant starts this
command and gets the tools validate, explain, schema, plan (the dry run), run and report.

The assistant can do no more than the policy. It names scenarios below one folder alone,
and reports go to brunt-results there. The policy must say which files a scenario may read
(files), and which addresses load and faults may reach (allow.load, allow.chaos); it must
forbid commands, unless --commands is given: with it, an assistant that can write a
scenario can start any program. One run is made at a time. If the policy file changes,
the tools refuse to work until the server is started again. If the assistant cancels a run
or goes away, the faults are taken back.`,
		Example: `  brunt mcp --policy policy.yaml                        # as an assistant starts it
  brunt mcp --policy policy.yaml --folder scenarios`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := f.policies()
			if err != nil {
				return err
			}
			server, err := mcp.New(mcp.Options{
				Self: self(), Version: machine.Version(), Folder: folder, Policies: all, Commands: commands, NewID: run.NewID,
			})
			if err != nil {
				return err
			}
			ctx, stop := terminable(c)
			defer stop()
			return server.Serve(ctx, c.InOrStdin(), data(c))
		},
	}
	policyFlag(c, &f.policy)
	c.Flags().StringVar(&folder, "folder", ".", "the folder with the scenarios")
	c.Flags().BoolVar(&commands, "commands", false,
		"let scenarios start the commands, processes and images that the policy does not forbid")
	return c
}
