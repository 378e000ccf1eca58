package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/convert"
	"brunt/scenarios/convert/curl"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/disk"
	"brunt/scenarios/plan"
	"brunt/scenarios/syntax"
	"brunt/targets/grpc"

	"github.com/spf13/cobra"
)

// maxForeign bounds a file to convert, in bytes.
const maxForeign = 256 << 20

func convertCommand() *cobra.Command {
	o := draft.Options{}
	var output string
	var force bool
	c := &cobra.Command{
		Use:   "convert FORMAT FILE",
		Short: "Write a scenario from " + convertSources(),
		Long: `Write a scenario from an existing file, to the standard output or to -o FILE:

` + convertFormats() + `
FILE may be -, the standard input. Of curl, what stands after -- is the command itself. Of grpc,
HOST:PORT is a server, and grpcs://HOST:PORT is one with TLS.

What can't be converted becomes a comment at its place in the scenario, and a line on
standard error with the file and line of the source. No secret is written: an
Authorization or Cookie header, and fields such as password, become ${env.NAME}, which
must be in the environment when brunt reads the scenario. Hosts beyond this machine are
listed under guard.allow.load, for you to confirm.`,
		Example: `  brunt convert har shop.har -o shop.yaml
  brunt convert jmeter plan.jmx -o plan.yaml && brunt validate plan.yaml
  brunt convert openapi api.yaml > api-load.yaml
  brunt convert grpc 127.0.0.1:50051 -o orders.yaml
  brunt convert curl - < copied-from-the-browser.sh
  brunt convert curl -- curl -X POST http://127.0.0.1:8080/posts --json '{"text":"hi"}'`,
		Args: cobra.MinimumNArgs(1),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveDefault
			}
			return convert.Kinds(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.Kind = args[0]
			if !slices.Contains(convert.Kinds(), o.Kind) {
				return usagef("unknown format %q; %s", o.Kind, syntax.DidYouMean(o.Kind, convert.Kinds()))
			}
			source, err := foreign(c, args[1:], &o)
			if err != nil {
				return err
			}
			o.To = "."
			if output != "" {
				o.To = filepath.Dir(output)
			}
			made, err := convert.Convert(source, o)
			if err != nil {
				return usage{err}
			}
			for _, n := range made.Notes {
				fmt.Fprintln(stderr(c), n)
			}
			if output == "" {
				fmt.Fprint(stdout(c), made.Text)
			} else if err := writeNew(output, made.Text, disk.Private, force); err != nil {
				return err
			}
			return check(c, made, output)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "write the scenario to a file")
	c.Flags().BoolVar(&force, "force", false, "overwrite a file that exists")
	c.Flags().BoolVar(&o.Static, "static", false, "har: include images, fonts, styles and scripts")
	c.Flags().StringSliceVar(&o.Hosts, "host", nil, "har: also include this host, besides that of the first page; can be given several times")
	return c
}

// convertSources lists what can be converted, in a phrase.
func convertSources() string {
	var out []string
	for _, f := range convert.Converters() {
		out = append(out, f.Source)
	}
	return words.Either(out)
}

// convertFormats has a paragraph for each format.
func convertFormats() string {
	var out strings.Builder
	for _, f := range convert.Converters() {
		for i, line := range words.Wrap(f.Source+": "+f.Doc, 76) {
			name := f.Name
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(&out, "  %-9s %s\n", name, line)
		}
	}
	return out.String()
}

// foreign reads the input: a file, the standard input, or a curl command after --.
func foreign(c *cobra.Command, args []string, o *draft.Options) ([]byte, error) {
	if dash := c.ArgsLenAtDash(); o.Kind == "curl" && dash == 1 && len(args) > 0 {
		if first := strings.TrimSuffix(filepath.Base(args[0]), ".exe"); first != "curl" && !strings.HasPrefix(first, "-") && !strings.Contains(args[0], "://") {
			return nil, usagef("want a command of curl after --, such as curl http://127.0.0.1:8080/, not %q", args[0])
		}
		o.File, o.From = "command line", "."
		return curl.CurlWords(args), nil
	}
	if len(args) != 1 {
		return nil, usagef("want one file to convert, not %d; see `%s --help`", len(args), c.CommandPath())
	}
	if args[0] == "-" {
		o.File, o.From = "standard input", "."
		return disk.Limited(c.InOrStdin(), maxForeign)
	}
	if at, yes := serverOf(args[0]); o.Kind == "grpc" && yes {
		o.File, o.From = at, "."
		source, err := grpc.Describe(c.Context(), at)
		if err != nil {
			return nil, usage{err}
		}
		return source, nil
	}
	o.File, o.From = args[0], filepath.Dir(args[0])
	source, err := disk.Read(args[0], maxForeign)
	if err != nil { // such as for a folder
		return nil, usage{err}
	}
	return source, nil
}

// serverOf returns the URL of a server of gRPC, which may lack its scheme; a file is none.
func serverOf(arg string) (at string, yes bool) {
	if strings.HasPrefix(arg, "grpc://") || strings.HasPrefix(arg, "grpcs://") {
		return arg, true
	}
	host, port, err := net.SplitHostPort(arg)
	if err != nil || host == "" || syntax.CheckPort(port) != nil {
		return "", false
	}
	return "grpc://" + arg, true
}

// check parses the output as a run would, and reports what is still missing: a file that the
// source names and that does not exist.
func check(c *cobra.Command, made *draft.Scenario, output string) error {
	name := output
	if name == "" {
		name = "scenario.yaml"
	}
	secrets := map[string]bool{}
	for _, s := range made.Secrets {
		secrets[s.Env] = true
	}
	sc, err := scenarios.Parse(name, scenarios.Options{
		Env: func(key string) (string, bool) {
			if v, ok := os.LookupEnv(key); ok || !secrets[key] {
				return v, ok
			}
			return "http://127.0.0.1", true // a URL may begin with it
		},
		Read: func(path string) ([]byte, error) {
			if path == name {
				return []byte(made.Text), nil
			}
			return disk.Read(path, maxForeign)
		},
	})
	if err == nil {
		_, err = plan.Compile(sc, plan.CompileOptions{Self: self()})
	}
	var mistakes *syntax.MistakesError
	if errors.As(err, &mistakes) {
		for _, m := range mistakes.List() {
			fmt.Fprintf(stderr(c), "still to be mended: %v\n", m)
		}
		return nil
	}
	return err
}
