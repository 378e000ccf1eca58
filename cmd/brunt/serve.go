package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brunt/reporters/html"
	"brunt/reporters/site"
	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

func serveCommand() *cobra.Command {
	var listen, title string
	var flags planFlags
	c := &cobra.Command{
		Use:   "serve DIR...",
		Short: "Serve the results of folders as a site: list, pages, comparisons",
		Long: `Serve the results below folders as a site: a list to filter by text, scenario, verdict, label
and day, the page of each run with links to the runs before and after it, each objective over
the runs of its scenario, and two runs beside each other, which you pick in the list or on the
page of a run. Another page says what was last proved, what is overdue by the cadence of
--policy, and what failed and what closed it. New runs appear when a page is loaded again.

It reads only, and listens on loopback unless --listen names another HOST: then everyone who
reaches this machine sees the results, without a password or encryption. Ctrl-C ends it.
` + "`brunt report DIR... --site -o FOLDER`" + ` writes the same as files, for a host of static pages.`,
		Example: `  brunt serve brunt-results
  brunt serve nightly releases --listen :9000`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := folders(args); err != nil {
				return err
			}
			of, err := flags.plan()
			if err != nil {
				return err
			}
			l, names, err := listenAt("--listen", listen)
			if err != nil {
				return err
			}
			ctx, stop := interruptible(stderr(c), "", "")
			defer stop()
			s := site.NewServer(site.Options{
				Title: titleOf(title, args), Roots: args, Compare: besideOne, Plan: of, Hosts: names,
			})
			fmt.Fprintf(stdout(c), "serving %s at http://%s/; Ctrl-C ends it\n", strings.Join(args, ", "), l.Addr())
			if !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
				fmt.Fprintf(stderr(c),
					"brunt: warning: --listen %s is open to everyone who can reach this machine by network, without a password or "+
						"encryption\n", listen)
			}
			ended := make(chan error, 1)
			go func() { ended <- s.Serve(l) }()
			select {
			case err := <-ended:
				return err
			case <-ctx.Done():
				_ = s.Close()
				return <-ended
			}
		},
	}
	c.Flags().StringVar(&listen, "listen", ":7070",
		"[HOST]:PORT of the site, such as :7070, which is 127.0.0.1:7070; port 0 is a free one")
	flags.register(c)
	c.Flags().StringVar(&title, "title", "", "title of the list (default the name of the folder)")
	return c
}

// folders returns an error if a path is not a folder.
func folders(list []string) error {
	for _, dir := range list {
		if info, err := os.Stat(dir); err != nil {
			return scenarios.Usage(err)
		} else if !info.IsDir() {
			return usagef("%s is no folder", dir)
		}
	}
	return nil
}

// titleOf returns the title of a list of runs: the names of the folders, or their paths if two have the same name.
func titleOf(title string, list []string) string {
	if title != "" {
		return title
	}
	var names []string
	for _, dir := range list {
		if abs, err := filepath.Abs(dir); err == nil {
			dir = abs
		}
		name := filepath.Base(dir)
		if slices.Contains(names, name) {
			names = list
			break
		}
		names = append(names, name)
	}
	return "Results in " + strings.Join(names, ", ")
}

// besideOne compares a run with one earlier run.
func besideOne(base string, earlier, run *result.Result) (*result.Comparison, error) {
	return comparison([]compare.Run{{Name: base, Result: earlier}}, run)
}

// writeSite writes the site of folders as files.
func writeSite(c *cobra.Command, out string, roots []string, flags *planFlags) error {
	if out == "" {
		return usagef("--site wants -o FOLDER")
	}
	if err := folders(roots); err != nil {
		return err
	}
	of, err := flags.plan()
	if err != nil {
		return err
	}
	runs, problems, err := site.Write(out, site.Options{
		Title: titleOf("", roots), Roots: roots, Compare: besideOne, Plan: of,
	})
	for _, p := range problems {
		fmt.Fprintln(stderr(c), "brunt: "+p)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout(c), "wrote %s with %s\n", filepath.Join(out, html.Index), syntax.Amount(runs, "run"))
	return nil
}
