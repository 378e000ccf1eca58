package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// options are those of the command line.
type options struct {
	seed     uint64
	n, k, of int
	list     bool
	patterns []string
	since    string
}

// command draws mutants, plays them, and prints their fates and the counts of each package.
func command(ctx context.Context, args []string, out, log io.Writer) error {
	var o options
	flags := flag.NewFlagSet("mutate", flag.ContinueOnError)
	flags.SetOutput(log)
	flags.Uint64Var(&o.seed, "seed", 1, "draws others")
	flags.IntVar(&o.n, "n", 100, "how many valid mutants are drawn, of all parts")
	part := flags.String("part", "1/1", "the part k/n of them")
	flags.StringVar(&o.since, "since", "", "only of packages that have changed since this commit")
	limit := flags.Duration("for", 0, "how long to play, about; 0 is no limit")
	if len(args) > 0 && args[0] == "list" {
		o.list, args = true, args[1:]
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if n, err := fmt.Sscanf(*part, "%d/%d", &o.k, &o.of); n != 2 || err != nil || o.k < 1 || o.k > o.of {
		return fmt.Errorf("--part %s: want k/n with k from 1 to n", *part)
	}
	if o.patterns = flags.Args(); o.list && len(o.patterns) != 1 {
		return errors.New("usage: .ci/mutate list [--n N] [--seed N] PACKAGE")
	}
	fates, err := play(ctx, o, *limit, log)
	report(out, fates, o.list)
	return err
}

// play draws mutants, one of each group in turn, and plays them until there are enough. With a limit, it begins none
// that would end too late if it took as long as the longest so far. With an error, it returns the fates so far.
func play(ctx context.Context, o options, limit time.Duration, log io.Writer) (map[mutant]fate, error) {
	drawn, err := draw(ctx, o)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	p := &player{dir: dir, log: log, usual: map[string]usual{}}
	began, longest := time.Now(), time.Duration(0)
	fates := map[mutant]fate{}
	want := (o.n + o.of - o.k) / o.of
	for turn := 0; len(fates) < want && len(drawn) > 0; turn++ {
		g := drawn[turn%len(drawn)]
		if len(g.mutants) == 0 {
			drawn = slices.DeleteFunc(drawn, func(other *group) bool { return other == g })
			continue
		}
		for len(g.mutants) > 0 { // until one compiles
			m := g.mutants[0]
			g.mutants = g.mutants[1:]
			if limit > 0 && time.Since(began)+longest > limit {
				fmt.Fprintf(log, "the time is up, after %d of %d mutants\n", len(fates), want)
				return fates, nil
			}
			each := time.Now()
			f, err := p.play(ctx, m, g.tests[m.pkg])
			if err != nil {
				return fates, err
			}
			longest = max(longest, time.Since(each))
			if f != invalid {
				fates[m] = f
				break
			}
		}
	}
	return fates, nil
}

// draw returns the groups with their mutants in the order of the seed. Packages that the caller names are one group.
func draw(ctx context.Context, o options) ([]*group, error) {
	var may func(string) bool
	if o.since != "" {
		var err error
		if may, err = changed(ctx, o.since); err != nil {
			return nil, err
		}
	}
	from := groups
	if len(o.patterns) > 0 {
		from = [][]string{o.patterns}
	}
	var out []*group
	for _, patterns := range from {
		g, err := readGroup(ctx, patterns, may)
		if err != nil {
			return nil, err
		}
		g.mutants = shuffle(g.mutants, o.seed, o.k, o.of)
		out = append(out, g)
	}
	return out, nil
}

// report prints a line for each mutant, in the order of the source, and the counts of each package. A list has no
// counts.
func report(w io.Writer, fates map[mutant]fate, list bool) {
	all := slices.SortedFunc(maps.Keys(fates), func(a, b mutant) int {
		if a.file != b.file {
			return strings.Compare(a.file, b.file)
		}
		return a.from - b.from
	})
	deaths, count := map[string]int{}, map[string]int{}
	for _, m := range all {
		count[m.pkg]++
		if fates[m] == killed {
			deaths[m.pkg]++
		}
		if list || fates[m] == survived {
			fmt.Fprintf(w, "%-8s %s\n", fates[m], m)
		}
	}
	if list {
		return
	}
	for _, pkg := range slices.Sorted(maps.Keys(count)) {
		fmt.Fprintf(w, "%s: %d of %d killed\n", pkg, deaths[pkg], count[pkg])
	}
}
