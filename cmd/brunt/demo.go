package main

import (
	"fmt"
	"os"
	"strings"

	"brunt/scenarios/run"
	"brunt/scenarios/syntax"
	"brunt/targets/demo"

	"github.com/spf13/cobra"
)

func demoCommand() *cobra.Command {
	var with []string
	var source sourceFlags
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run SocialConnect, the built-in system, until Ctrl-C",
		Long: `Run SocialConnect, the built-in system under test, on loopback until Ctrl-C: a gateway,
users, posts, notifications and a store. Each is a separate process, which is restarted
when it crashes. Each defence and each weakness has a switch:
` + strings.Join(syntax.Keys(demo.Config{}), ", ") + ".\n`brunt explain target.with` says what each does.",
		Example: `  brunt demo
  brunt demo --with breaker=off --with posts.replicas=3`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			policies, err := source.policies()
			if err != nil {
				return err
			}
			if err := recoverOthers(c); err != nil {
				return err
			}
			ctx, stop := interruptible(new(screen), "", "")
			defer stop()
			return run.Demo(ctx, run.DemoOptions{
				With: with, Policies: policies, Self: self(), State: state(), Watchdog: watchdog(),
				Up: func(units []run.DemoUnit) {
					out := stdout(c)
					for _, u := range units {
						fmt.Fprintf(out, "%-18s http://%s  pid %d\n", u.Name, u.Addr, u.PID)
						if u.Entry {
							fmt.Fprintf(out, "%-18s curl http://%s/posts?page=1\n", "", u.Addr)
						}
					}
					fmt.Fprintln(out, "Ctrl-C ends it.")
				},
			})
		},
	}
	c.Flags().StringArrayVar(&with, "with", nil, "a switch: name=value, such as breaker=off; can be given several times")
	policyFlag(c, &source.policy)
	return c
}

// serviceCommand is one service of SocialConnect; its group starts it.
func serviceCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "demo-service NAME",
		Short:  "One service of SocialConnect",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			ctx, stop := interruptible(new(screen), "", "")
			defer stop()
			return demo.Serve(ctx, args[0], os.Getenv, c.OutOrStdout())
		},
	}
}
