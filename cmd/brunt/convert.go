package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/convert"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/disk"
	"brunt/scenarios/plan"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// maxForeign bounds a file to convert, in bytes.
const maxForeign = 256 << 20

func convertCommand() *cobra.Command {
	o := draft.Options{}
	var w written
	c := &cobra.Command{
		Use:   "convert FORMAT FILE",
		Short: "Write a scenario from the files of another tool: loads, faults or objectives",
		Long: `Write a scenario from an existing file, to the standard output or to -o FILE:

` + convertFormats() + `
` + convertUsage() + `

What can't be converted becomes a comment at its place in the scenario, and a line on
standard error with the file and line of the source, also if nothing is left to
convert. The exit code is 2 if the scenario is not whole: a file that it names is not
there. No secret is written: an
Authorization or Cookie header, and fields such as password, become ${env.NAME}, which
must be in the environment when brunt reads the scenario. Hosts beyond this machine are
listed under guard.allow.load, for you to confirm.`,
		Example: `  brunt convert har shop.har -o shop.yaml
  brunt convert jmeter plan.jmx -o plan.yaml && brunt validate plan.yaml
  brunt convert openapi api.yaml > api-load.yaml
  brunt convert postman shop.json --environment staging.json -o shop.yaml
  brunt convert grpc 127.0.0.1:50051 -o orders.yaml
  brunt convert toxiproxy toxiproxy.json -o toxics.yaml
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
			by, err := convert.Find(o.Kind)
			if err != nil {
				return scenarios.Usage(err)
			}
			for _, flag := range []struct{ name, format string }{
				{"environment", "postman"}, {"host", "har"}, {"static", "har"},
			} {
				if c.Flags().Changed(flag.name) && o.Kind != flag.format {
					return usagef("--%s is for %s, and %s has no use for it", flag.name, flag.format, o.Kind)
				}
			}
			source, err := foreign(c, by, args[1:], &o)
			if err != nil {
				return err
			}
			return w.convert(c, source, o)
		},
	}
	w.flags(c)
	c.Flags().StringVar(&o.Environment, "environment", "",
		"postman: the values of variables, as Postman exports an environment")
	c.Flags().BoolVar(&o.Static, "static", false, "har: include images, fonts, styles and scripts")
	c.Flags().StringSliceVar(&o.Hosts, "host", nil,
		"har: also include this host, besides the host of the first page; can be given several times")
	return c
}

// written says where a converted scenario is written.
type written struct {
	output string // empty: to the standard output
	force  bool   // over a file that exists
}

// flags adds the flags that say so.
func (w *written) flags(c *cobra.Command) {
	c.Flags().StringVarP(&w.output, "output", "o", "", "write the scenario to a file")
	c.Flags().BoolVar(&w.force, "force", false, "overwrite a file that exists")
}

// convert writes the scenario of a source.
func (w *written) convert(c *cobra.Command, source []byte, o draft.Options) error {
	o.To = "."
	if w.output != "" {
		o.To = filepath.Dir(w.output)
	}
	name := w.output
	if name == "" {
		name = "scenario.yaml"
	}
	var invalid error
	o.Validate = func(made *draft.Scenario) (out []syntax.Mistake) {
		var mistakes *syntax.MistakesError
		if invalid = validate(made, name); errors.As(invalid, &mistakes) {
			for _, m := range mistakes.List() {
				if m.Pos.File == name {
					out = append(out, m)
				}
			}
		}
		return out
	}
	made, err := convert.Convert(source, o)
	var refused *draft.RefusedError
	if errors.As(err, &refused) {
		for _, n := range refused.Notes {
			fmt.Fprintln(stderr(c), n)
		}
	}
	if err != nil {
		return scenarios.Usage(err)
	}
	for _, n := range made.Notes {
		fmt.Fprintln(stderr(c), n)
	}
	if w.output == "" {
		fmt.Fprint(stdout(c), made.Text)
	} else if err := writeNew(w.output, made.Text, disk.Private, w.force); err != nil {
		return err
	}
	var mistakes *syntax.MistakesError
	if !errors.As(invalid, &mistakes) {
		return invalid
	}
	for _, m := range mistakes.List() {
		fmt.Fprintf(stderr(c), "still to be mended: %v\n", m)
	}
	return scenarios.Usage(fmt.Errorf("the scenario is written, with %s to be mended",
		syntax.Amount(len(mistakes.List()), "mistake")))
}

// convertFormats returns a paragraph for each format.
func convertFormats() string {
	var out strings.Builder
	for _, f := range convert.Converters() {
		for i, line := range words.Wrap(f.Source+": "+f.Doc, 73) {
			name := f.Name
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(&out, "  %-12s %s\n", name, line)
		}
	}
	return out.String()
}

// convertUsage describes the possible values of FILE.
func convertUsage() string {
	var text strings.Builder
	text.WriteString("FILE may be -, the standard input.")
	for _, f := range convert.Converters() {
		if f.Usage != "" {
			text.WriteString(" " + f.Usage)
		}
	}
	return strings.Join(words.Wrap(text.String(), 88), "\n")
}

// foreign reads the input: a file, the standard input, or the words after --. A converter may define its own source.
func foreign(c *cobra.Command, by draft.Converter, args []string, o *draft.Options) ([]byte, error) {
	o.From = "."
	if c.ArgsLenAtDash() == 1 && len(args) > 0 && by.Words != nil {
		o.File = "command line"
		return usageOf(by.Words(args))
	}
	if len(args) != 1 {
		return nil, usagef("want one file to convert, not %d; see `%s --help`", len(args), c.CommandPath())
	}
	if args[0] == "-" {
		o.File = "standard input"
		return disk.Limited(c.InOrStdin(), maxForeign)
	}
	if by.Asked != nil {
		if at := by.Asked(args[0]); at != "" {
			o.File = at
			return usageOf(by.Ask(c.Context(), at))
		}
	}
	o.File, o.From = args[0], filepath.Dir(args[0])
	return usageOf(disk.ReadGiven(args[0], maxForeign)) // an error such as for a folder is a usage error
}

// usageOf turns the error of a source into a usage error.
func usageOf(source []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, scenarios.Usage(err)
	}
	return source, nil
}

// validate parses and compiles a scenario like a run would. Its mistakes include files that the source names but that
// do not exist.
func validate(made *draft.Scenario, name string) error {
	secrets := map[string]bool{}
	for _, s := range made.Secrets {
		secrets[s.Env] = true
	}
	sc, err := scenarios.Parse(name, scenarios.Options{
		Env: func(key string) (string, bool) {
			if v, ok := os.LookupEnv(key); ok || !secrets[key] {
				return v, ok
			}
			return "http://127.0.0.1", true // a URL may begin with the variable
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
	return err
}
