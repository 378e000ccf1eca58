package main

import (
	_ "embed"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// The files that `brunt init` writes.
var (
	//go:embed init/demo.yaml
	demoScenario string
	//go:embed init/url.yaml
	urlScenario string
	//go:embed init/policy.yaml
	policyText string
)

func initCommand() *cobra.Command {
	var target string
	var force, policy bool
	c := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a commented scenario to start from",
		Long: `Write a commented scenario to start from: against the built-in system, or with --url
against your own. brunt.schema.json, which editors use, is written beside it. With --policy,
write a policy instead, which limits what scenarios may do.`,
		Example: `  brunt init
  brunt init checkout.yaml --url http://127.0.0.1:8080
  brunt init --policy`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file, text := "scenario.yaml", demoScenario
			if policy {
				file, text = "policy.yaml", policyText
			}
			if len(args) > 0 {
				file = args[0]
			}
			if policy && target != "" {
				return usagef("a policy has no URL; --url is for a scenario")
			}
			if target != "" {
				var err error
				if text, err = urlInit(target); err != nil {
					return err
				}
			}
			if err := writeNew(file, text, disk.Shared, force); err != nil {
				return err
			}
			if policy {
				fmt.Fprintf(stdout(c), "wrote %s\n  brunt doctor --policy %s\n  brunt run scenario.yaml --policy %s\n", file, file,
					file)
				return nil
			}
			schema, err := schemaBeside(file)
			if err != nil {
				return err
			}
			fmt.Fprintf(stdout(c), "wrote %s%s\n  brunt validate %s\n  brunt run %s\n", file, schema, file, file)
			return nil
		},
	}
	c.Flags().StringVar(&target, "url", "", "the system to load, such as http://127.0.0.1:8080")
	c.Flags().BoolVar(&policy, "policy", false, "write a policy, which limits scenarios")
	c.Flags().BoolVar(&force, "force", false, "overwrite a file that exists")
	return c
}

// schemaBeside writes the schema that the first line of a scenario refers to, unless the file exists. It returns the
// path of the file that it wrote, for the message.
func schemaBeside(file string) (string, error) {
	path := filepath.Join(filepath.Dir(file), "brunt.schema.json")
	if exists(path) {
		return "", nil
	}
	err := writeWhole(path, disk.Shared, func(w io.Writer) error {
		_, err := w.Write(schemas["scenario"])
		return err
	})
	return " and " + path + ", for completion and checks in editors", err
}

// urlInit fills in the scenario for the user's own system.
func urlInit(target string) (string, error) {
	u, err := syntax.ParseURL(target)
	if err != nil {
		return "", usagef("--url wants a URL such as http://127.0.0.1:8080: %v", err)
	}
	allow := ""
	if h := u.Hostname(); !scenarios.IsLoopback(h) {
		allow = "\nguard: {allow: {load: [\"" + h + "\"]}}   # the addresses beyond loopback that the load may reach\n"
	}
	r := strings.NewReplacer("{{url}}", u.Scheme+"://"+u.Host, "{{path}}", syntax.PathQuery(u), "{{guard}}", allow)
	return r.Replace(urlScenario), nil
}
