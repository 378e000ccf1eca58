package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/drills"
	"brunt/scenarios/drills/play"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"

	"github.com/spf13/cobra"
)

func drillCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "drill",
		Short: "Run failure drills, each proved to fail where a defence is missing",
		Long: `Run failure drills. A drill is a failure and what must hold meanwhile; it is laid over a
scenario, which describes the system and its load. The parts of the system that play its
roles are bound by --role NAME=PART. Objectives of the scenario on errors and response
times replace those of the drill. Without a scenario a drill runs on the built-in system.

A drill that is part of brunt has a proof: it passes on the built-in system, and it fails
once a defence is taken away. A drill of your own is a YAML file, named with its path; see
` + "`brunt explain drill`.",
		Example: `  brunt drill list
  brunt drill run replica-crash
  brunt drill plan checkout.yaml
  brunt drill show replica-crash checkout.yaml --role replica=posts
  brunt drill run replica-crash checkout.yaml --role replica=posts
  brunt drill all checkout.yaml --role replica=posts
  brunt drill prove replica-crash --times 5`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(drillListCommand(), drillPlanCommand(), drillShowCommand(), drillRunCommand(), drillAllCommand(),
		drillProveCommand(), drillMatrixCommand())
	return c
}

func drillListCommand() *cobra.Command {
	var family string
	var names bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the drills by family, with what each needs",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			all, err := drills.Library()
			if err != nil {
				return err
			}
			sweeps, err := drills.Sweeps()
			if err != nil {
				return err
			}
			if !names {
				all = append(all, sweeps...)
			}
			var known []string
			for _, d := range all {
				known = append(known, d.Family)
			}
			if family != "" && !slices.Contains(known, family) {
				return usagef("there is no family %q; known are %s", family, strings.Join(slices.Compact(known), ", "))
			}
			proofs, err := drills.Proofs()
			if err != nil {
				return err
			}
			out, last := stdout(c), ""
			for _, d := range all {
				switch {
				case family != "" && d.Family != family:
					continue
				case names:
					fmt.Fprintln(out, d.Name)
					continue
				case d.Family != last:
					fmt.Fprintf(out, "%s\n", d.Family)
					last = d.Family
				}
				fmt.Fprintf(out, "  %-18s %s\n", d.Name, strings.Join(words.Wrap(d.About, 100), "\n"+strings.Repeat(" ", 21)))
				for _, need := range d.Needs() {
					fmt.Fprintf(out, "%21s%s\n", "", need)
				}
				if d.Family == drills.SweepFamily {
					continue
				}
				outdated, err := d.Outdated(proofs)
				if err != nil {
					return err
				}
				if len(outdated) > 0 {
					fmt.Fprintf(out, "%21snot proved yet as it is now: on %s\n", "", strings.Join(outdated, ", "))
				}
			}
			return nil
		},
	}
	c.Flags().StringVar(&family, "family", "", "list the drills of one family")
	c.Flags().BoolVar(&names, "names", false, "list the names alone, one a line")
	return c
}

func drillPlanCommand() *cobra.Command {
	var f drillFlags
	c := &cobra.Command{
		Use:   "plan [SCENARIO]",
		Short: "Tell which drills fit a scenario, what can play their roles, and which do not fit and why",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			subject, err := f.subject(args)
			if err != nil {
				return err
			}
			system, err := subject.System(c.Context())
			if err != nil {
				return err
			}
			all, err := drills.Library()
			if err != nil {
				return err
			}
			out := stdout(c)
			var unfit []string
			for _, d := range all {
				if err := d.Fits(*system); err != nil {
					unfit = append(unfit, fmt.Sprintf("  %-18s %v", d.Name, err))
					continue
				}
				fmt.Fprintf(out, "%-20s %s\n", d.Name, d.About)
				for _, r := range d.Roles {
					fmt.Fprintf(out, "  --role %s=…  %s: %s\n", r.Name, r.About, r.Offer(*system))
				}
			}
			if len(unfit) > 0 {
				fmt.Fprintf(out, "\nThese do not fit:\n%s\n", strings.Join(unfit, "\n"))
			}
			return nil
		},
	}
	f.registerBase(c)
	return c
}

func drillShowCommand() *cobra.Command {
	var f drillFlags
	c := &cobra.Command{
		Use:   "show NAME [SCENARIO]",
		Short: "Print the plain scenario that a drill runs, to keep or change it",
		Args:  cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			laid, err := f.lay(args)
			if err != nil {
				return err
			}
			_, wrong := f.compileSource(laid.Source)
			if _, err := fmt.Fprint(data(c), laid.Text); err != nil { // the mistakes name its lines
				return err
			}
			return wrong
		},
	}
	f.registerBase(c)
	f.registerRoles(c)
	return c
}

func drillRunCommand() *cobra.Command {
	var f drillFlags
	c := &cobra.Command{
		Use:   "run NAME [SCENARIO]",
		Short: "Run a drill to its verdict",
		Long: `Run a drill to its verdict, as ` + "`brunt run`" + ` runs a scenario: what ` + "`brunt drill show`" +
			` prints is
what runs. With --url no scenario is needed: brunt loads the URL, and --service names the
containers of the system. Where an objective fails, brunt says what the system lacks.

With --until-sure 95% the drill is repeated until brunt is 95 % sure that at least 95 % of
failovers meet each objective on a time after the fault, or that fewer do (exit code 3). Each
run starts the system again and counts once. The bound holds whenever the series ends: 68
runs in a row show 95 %, 33 show 90 %. After --at-most runs it is inconclusive (exit code 8).
Three runs in a row that answer no objective end it, as does a unit that nothing starts again.`,
		Example: `  brunt drill run replica-crash
  brunt drill run replica-crash checkout.yaml --role replica=posts
  brunt drill run replica-crash --until-sure 90%
  brunt drill run replica-crash --url http://127.0.0.1:8080/posts --service posts=compose:shop/posts --role replica=posts`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			laid, err := f.lay(args)
			if err != nil {
				return err
			}
			path := laid.Source.Path
			f.read, f.set = holding(path, laid.Text), assignments(laid.Source.Set)
			f.table.brief = f.sure.text != ""
			f.table.judged = func(res *result.Result) {
				if f.table.brief {
					return
				}
				for i, one := range laid.Missing(res) {
					if i == 0 {
						fmt.Fprintln(stdout(c), "\nWhat the system lacks")
					}
					fmt.Fprintf(stdout(c), "  %s\n    %s\n", one[0], strings.Join(words.Wrap(one[1], 96), "\n    "))
				}
			}
			return f.run(c, path)
		},
	}
	f.registerBase(c)
	f.registerRoles(c)
	c.Flags().StringVarP(&f.out, "output", "o", "", "folder for the report (default brunt-results/NAME-TIME)")
	c.Flags().BoolVar(&f.force, "force", false, "overwrite the report of another run")
	f.log.register(c)
	f.sure.register(c)
	f.repeat = 1
	return c
}

// completeDrills completes the name of a drill, and the scenario after it.
func completeDrills(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return drills.Names(), cobra.ShellCompDirectiveDefault
	}
	return completeScenario(c, args[1:], begun)
}

// drillFlags say over which system a drill is laid.
type drillFlags struct {
	runFlags
	roles    []string
	url      string
	rate     string
	services []string
}

func (f *drillFlags) registerBase(c *cobra.Command) {
	f.register(c)
	c.Flags().StringVar(&f.url, "url", "", "instead of a scenario: load this URL")
	c.Flags().StringVar(&f.rate, "rate", "",
		"with --url: requests a second, such as 50 or 3000/m (default "+play.DefaultRate+")")
	c.Flags().StringArrayVar(&f.services, "service", nil,
		"with --url: a service of the system, NAME=container:CONTAINER or NAME=compose:PROJECT/SERVICE; can be given "+
			"several times")
}

func (f *drillFlags) registerRoles(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.roles, "role", nil,
		"the part of the system that plays a role: NAME=PART; can be given several times")
	c.ValidArgsFunction = completeDrills
}

// subject is the system that the arguments and the flags name.
func (f *drillFlags) subject(args []string) (play.Subject, error) {
	switch {
	case len(args) > 0 && f.url != "":
		return play.Subject{}, usagef("a scenario and --url exclude each other")
	case f.url == "" && (f.rate != "" || len(f.services) > 0):
		return play.Subject{}, usagef("--rate and --service go with --url; a scenario says that itself")
	case len(args) > 0 && args[0] == "":
		return play.Subject{}, errNoName
	}
	set, err := f.params()
	if err != nil {
		return play.Subject{}, err
	}
	services, err := namedOnce("--service", f.services)
	if err != nil {
		return play.Subject{}, err
	}
	s := play.Subject{URL: f.url, Rate: f.rate, Services: services, Set: set, Compile: f.compileSource}
	if len(args) > 0 {
		s.File = args[0]
	}
	return s, nil
}

// lay lays the drill that the arguments name over its system.
func (f *drillFlags) lay(args []string) (*play.Laid, error) {
	subject, err := f.subject(args[1:])
	if err != nil {
		return nil, err
	}
	roles, err := namedOnce("--role", f.roles)
	if err != nil {
		return nil, err
	}
	return subject.Lay(args[0], roles)
}

// compileSource compiles a scenario with the policies and the metadata of the command line.
func (f *drillFlags) compileSource(s play.Source) (*plan.Plan, error) {
	source := f.sourceFlags
	source.set, source.trial = assignments(s.Set), s.Trial
	if s.Text != "" {
		source.read = holding(s.Path, s.Text)
	}
	return compile(s.Path, &source)
}

// again returns the words of a command that name the same system: a scenario, or --url with what goes with it, and
// --set. There are none for the built-in system.
func (f *drillFlags) again(args []string) []string {
	words := slices.Clone(args)
	add := func(flag string, values ...string) {
		for _, v := range values {
			words = append(words, flag, v)
		}
	}
	if f.url != "" {
		add("--url", f.url)
	}
	if f.rate != "" {
		add("--rate", f.rate)
	}
	add("--service", f.services...)
	add("--set", f.set...)
	return words
}

// namedOnce reads NAME=PART of a flag, each name once.
func namedOnce(flag string, given []string) (map[string]string, error) {
	out, err := pairsOf(flag, given)
	for i, one := range given {
		name, _, _ := strings.Cut(one, "=")
		for _, before := range given[:i] {
			if err == nil && strings.HasPrefix(before, name+"=") {
				return nil, usagef("%s names %s twice, %q and %q; leave one out", flag, name, before, one)
			}
		}
	}
	return out, err
}

// assignments writes values by name as flags have them, sorted.
func assignments(values map[string]string) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		out = append(out, name+"="+values[name])
	}
	return out
}
