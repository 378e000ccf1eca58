//go:build unix

package plugin_test

import (
	"fmt"
	"os"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/plugin"
	"brunt/targets/targetstest"
)

func TestMain(m *testing.M) {
	switch how := os.Getenv(targetstest.PluginVar); how {
	case "":
		os.Exit(m.Run())
	case "say":
		if err := targetstest.ServePlugin(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case "echo":
		echo()
	default:
		hostile(how)
	}
}

func network(o *targets.Options) (targets.Network, error) { return dial.NewNetwork(o) }

// descriptor is the protocol with an endpoint whose plug-in is this test binary.
func descriptor(how string) *targets.Descriptor {
	d := plugin.Descriptor()
	compile := d.Compile
	d.Compile = func(step syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
		c, ok := compile(step, in, m)
		if ok {
			plugin.SetEndpoint(c, []string{os.Args[0]}, []string{targetstest.PluginVar + "=" + how})
		}
		return c, ok
	}
	return d
}

func say(verb string) string { return "{plugin: say, with: {verb: " + verb + "}}" }

func TestPlugin_Suite(t *testing.T) {
	targetstest.Run(t, targetstest.Suite{
		Protocol: descriptor("say"), Start: func(t testing.TB) targetstest.Server { return targetstest.StartPlugin(t) },
		Steps: targetstest.Steps{
			Answer: say("answer"), Slow: say("slow"), Hold: say("hold"), Fail: say("fail"), Cut: say("cut"),
			Marked: `{plugin: say, with: {verb: hold, mark: "${var.mark}"}}`,
		},
		Failed: plugin.Causes.Cause(404), Shared: true, Starts: true, Network: network,
	})
}
