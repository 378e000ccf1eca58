package brunttest

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/journal"
	proxies "brunt/chaos/proxy/child"
	"brunt/chaos/stress"
	"brunt/scenarios"
	"brunt/scenarios/run/guard"
	"brunt/targets/demo"
)

// children are the parts that the test's program plays for a run, by the name that is its first argument.
var children = map[string]func(ctx context.Context, args []string) error{
	"watchdog": func(_ context.Context, args []string) error {
		err := journal.RunWatchdog(guard.Operations(), os.Stdin, args[0])
		if err == nil {
			return nil
		}
		if f, ferr := journal.WatchdogLog(args[0]); ferr == nil {
			fmt.Fprintf(f, "%s watchdog: %v\n", time.Now().UTC().Format(time.RFC3339), err)
			_ = f.Close()
		}
		return scenarios.Exit(scenarios.ExitNotReverted)
	},
	"stress":  func(context.Context, []string) error { return stress.Run(os.Stdin, os.Stdout) },
	"proxies": func(ctx context.Context, _ []string) error { return proxies.Serve(ctx, os.Stdin, os.Stdout) },
	"agent": func(ctx context.Context, _ []string) error {
		ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM)
		defer stop()
		return agent.Serve(ctx, agent.Options{Find: catalog.Find, Operations: catalog.AllOperations()}, os.Stdin, os.Stdout)
	},
	"demo-service": func(ctx context.Context, args []string) error {
		ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		defer stop()
		return demo.Serve(ctx, args[0], os.Getenv, os.Stdout)
	},
}

// takesPath are the children that need an argument.
var takesPath = map[string]bool{"watchdog": true, "demo-service": true}

// hooked says that this process began with Main.
var hooked atomic.Bool

// Main is the whole of a TestMain: m is its [testing.M]. It plays the part of a child of a run if the program was
// started as one, and runs the tests otherwise. It exits.
func Main(m interface{ Run() int }) {
	if len(os.Args) > 1 {
		if play, ok := children[os.Args[1]]; ok && (!takesPath[os.Args[1]] || len(os.Args) == 3) {
			os.Exit(played(play(context.Background(), os.Args[2:])))
		}
	}
	hooked.Store(true)
	os.Exit(m.Run())
}

// played returns the exit code of a child.
func played(err error) int {
	if err == nil {
		return scenarios.ExitPass
	}
	if code, ok := err.(scenarios.Exit); ok { //nolint:errorlint // it is the outermost error
		return int(code)
	}
	fmt.Fprintln(os.Stderr, "brunt: "+err.Error())
	return scenarios.ExitError
}

// child returns the command line of a child.
func child(name string) []string {
	exe, err := os.Executable()
	if err != nil {
		exe = os.Args[0]
	}
	return []string{exe, name}
}
