package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usagef returns an error for a mistake in the command line.
func usagef(format string, args ...any) error { return scenarios.Usagef(format, args...) }

// checkUsage rewords the usage errors of c and of all commands below it: missing arguments and
// flags, invalid values.
func checkUsage(c *cobra.Command) {
	for _, sub := range c.Commands() {
		checkUsage(sub)
	}
	args := c.Args
	c.Args = func(c *cobra.Command, given []string) error {
		if args != nil {
			if err := args(c, given); err != nil {
				return seeHelp(c, argumentError(c, given, err))
			}
		}
		return missingFlags(c)
	}
	c.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		none, ok := errors.AsType[*pflag.NotExistError](err)
		if ok && !c.HasParent() && slices.Contains([]string{"version", "v"}, none.GetSpecifiedName()) {
			return usagef("%w; see `%s version`", err, c.Name())
		}
		return seeHelp(c, flagError(err))
	})
}

// seeHelp adds a hint to the help of c, unless err already contains an answer.
func seeHelp(c *cobra.Command, err error) error {
	if strings.HasSuffix(err.Error(), "?") {
		return scenarios.Usage(err)
	}
	return usagef("%w; see `%s --help`", err, c.CommandPath())
}

// argumentError describes the arguments that a command takes, after err refused the given ones.
func argumentError(c *cobra.Command, given []string, err error) error {
	least := 0
	for _, word := range strings.Fields(c.Use)[1:] {
		if strings.IndexAny(word, "[-|") == 0 {
			break
		}
		least++
	}
	form, _, _ := strings.Cut(c.UseLine(), " [flags]")
	switch {
	case !c.HasParent():
		return err // a wrong subcommand
	case c.HasSubCommands():
		var known []string
		for _, sub := range c.Commands() {
			known = append(known, sub.Name())
		}
		return fmt.Errorf("unknown command %q; %s", given[0], syntax.DidYouMean(given[0], known))
	case len(given) < max(least, 1):
		return fmt.Errorf("an argument is missing: `%s`", form)
	case len(given) == 1 && len(c.ValidArgs) > 0:
		return fmt.Errorf("unknown %q; %s", given[0], syntax.DidYouMean(given[0], c.ValidArgs))
	}
	all := strings.Trim(fmt.Sprintf("%q", given), "[]")
	if name := detached(c); name != "" {
		return fmt.Errorf("too many arguments, %s: `%s`; the value of --%s needs an equals sign, such as --%[3]s=%s", all,
			form, name, given[len(given)-1])
	}
	return fmt.Errorf("too many arguments, %s: `%s`", all, form)
}

// detached returns the name of a given flag that has its default value and takes another one only after an equals sign,
// or an empty text.
func detached(c *cobra.Command) (name string) {
	c.Flags().Visit(func(f *pflag.Flag) {
		if f.NoOptDefVal != "" && f.Value.Type() != "bool" && f.Value.String() == f.NoOptDefVal {
			name = f.Name
		}
	})
	return name
}

// missingFlags returns an error if a required flag is missing. It shows an example of the command that has them all.
func missingFlags(c *cobra.Command) error {
	if c.ValidateRequiredFlags() == nil {
		return nil
	}
	var missing []string
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Changed && f.Annotations[cobra.BashCompOneRequiredFlag] != nil {
			missing = append(missing, "--"+f.Name)
		}
	})
	example := ""
	for line := range strings.Lines(c.Example) {
		if line = strings.TrimSpace(line); !slices.ContainsFunc(missing, func(flag string) bool {
			return !slices.Contains(strings.Fields(line), flag)
		}) {
			example = ", such as `" + line + "`"
			break
		}
	}
	return seeHelp(c, fmt.Errorf("%s is missing%s", strings.Join(missing, ", "), example))
}

// flagError rewords the error of a flag whose value is not a valid number or duration.
func flagError(err error) error {
	bad, ok := errors.AsType[*pflag.InvalidValueError](err)
	if !ok {
		return err
	}
	want := map[string]string{
		"int": "a whole number", "duration": "a duration such as 30s", "bool": "true or false",
	}[bad.GetFlag().Value.Type()]
	if want == "" {
		return err
	}
	return fmt.Errorf("--%s wants %s, not %q", bad.GetFlag().Name, want, bad.GetValue())
}
