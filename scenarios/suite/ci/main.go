package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Exit codes in addition to those of the commands that ci runs.
const (
	codeFailed = 1
	codeUsage  = 2
	codeLate   = 124 // the time was up, as in timeout(1)
	codeEnded  = 130 // ended by a signal
)

// ended is an error with the exit code of ci.
type ended struct {
	code int
	text string // for stderr, or ""
}

func (e ended) Error() string { return e.text }

func usage(format string, args ...any) error { return ended{codeUsage, fmt.Sprintf(format, args...)} }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := command(ctx, os.Args[1:])
	if ctx.Err() != nil { // the signal ended the commands, so their errors say nothing about the tests
		err = ended{codeEnded, "ended by a signal"}
	}
	stop()
	if err == nil {
		return
	}
	code := codeFailed
	if e := (ended{}); errors.As(err, &e) {
		code = e.code
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(os.Stderr, text)
	}
	os.Exit(code)
}

// command runs one command of ci.
func command(ctx context.Context, args []string) error {
	name, rest := "", []string(nil)
	if len(args) > 0 {
		name, rest = args[0], args[1:]
	}
	switch name {
	case "":
		for _, s := range suites() {
			fmt.Printf("%-13s %s\n", s.name, s.about())
		}
		return nil
	case "outcome":
		return outcome(os.Stdin, os.Stdout, rest)
	case "slow":
		return slow(ctx, rest)
	case "labelled":
		return printLines(labelled(ctx))
	case "left":
		return leftBehind(ctx)
	case "skipped":
		return skipped(ctx, rest)
	case "reach":
		return reach(ctx, rest)
	case "raced":
		return raced(ctx, rest)
	case "vulnerable":
		return vulnerable(ctx, rest)
	}
	in := name
	takes := name == "plan" || name == "tests" || name == "packages" || name == "--inner"
	if takes {
		in = ""
		if len(rest) > 0 && !strings.HasPrefix(rest[0], "--") {
			in, rest = rest[0], rest[1:]
		}
		if in == "" && name != "plan" {
			return usage("usage: .ci/full %s SUITE", name)
		}
	}
	if name == "--inner" && len(rest) == 2 {
		rest = []string{"--part", rest[0] + "/" + rest[1]}
	}
	p, given, err := parsePart(rest)
	if err != nil {
		return err
	}
	chosen := suites()
	switch {
	case in == "all":
		chosen = slices.DeleteFunc(chosen, func(s suite) bool { return s.demand })
	case in != "":
		s, err := find(in)
		if err != nil {
			return err
		}
		chosen = []suite{s}
	}
	m, err := read(ctx)
	if err != nil {
		return err
	}
	switch name {
	case "plan":
		if !given {
			p = part{}
		}
		return plan(os.Stdout, m, chosen, p)
	case "tests":
		for _, t := range chosen[0].part(m, p) {
			fmt.Println(t.pkg, t.name)
		}
		return nil
	case "packages":
		return printLines(chosen[0].reaches(m), nil)
	case "--inner":
		return newRunner(m).part(ctx, chosen[0], p)
	}
	of := func(suite) part { return p }
	if in == "all" {
		number := turnOf(ctx)
		of = func(s suite) part { return s.inAll(p, number) }
	}
	return newRunner(m).full(ctx, chosen, of)
}

// A part is the k-th of n parts of a suite; the zero value is all of them.
type part struct{ k, n int }

func (p part) String() string { return fmt.Sprintf("%d/%d", p.k, p.n) }

// has reports whether the i-th item of a suite is in the part.
func (p part) has(i int) bool { return p.n == 0 || i%p.n == p.k-1 }

// first and last report whether the part is the first or the last one.
func (p part) first() bool { return p.n == 0 || p.k == 1 }
func (p part) last() bool  { return p.k == p.n }

// parsePart reads --part k/n or --part=k/n. Without arguments the part is 1/1.
func parsePart(args []string) (p part, given bool, err error) {
	if len(args) == 0 {
		return part{1, 1}, false, nil
	}
	text, one := strings.CutPrefix(args[0], "--part=")
	if args[0] == "--part" && len(args) == 2 {
		text = args[1]
	} else if !one || len(args) > 1 {
		return p, false, usage("%q: want --part k/n", strings.Join(args, " "))
	}
	first, second, _ := strings.Cut(text, "/")
	k, err1 := strconv.Atoi(first)
	n, err2 := strconv.Atoi(second)
	if err1 != nil || err2 != nil || k < 1 || k > n {
		return p, false, usage("--part %s: want k/n with k from 1 to n", text)
	}
	return part{k, n}, true, nil
}

func printLines(lines []string, err error) error {
	for _, l := range lines {
		fmt.Println(l)
	}
	return err
}
