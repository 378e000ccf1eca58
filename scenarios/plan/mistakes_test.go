package plan_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/syntax"
)

// TestCompile_AllMistakes: one pass names all mistakes of a scenario, each once, and none that is only the consequence
// of another.
func TestCompile_AllMistakes(t *testing.T) {
	const later = "Whether the load is enough to judge the objectives is checked once these are mended."
	for _, c := range []struct {
		name, text string
		want       []string // all mistakes, without their hints, and what is checked later
	}{
		{
			"a fault with an unknown setting", "chaos: {x: {at: 10s, process.freeze: {service: postz, foo: 1}}}",
			[]string{
				`fault "x" does not say how long it stays`, `there is no service "postz"`, `unknown key "foo"`,
			},
		},
		{
			"a fault with a wrong value", "chaos: {x: {at: 10s, for: 9s, network.latency: {from: postz, to: store, delay: 5}}}",
			[]string{`there is no service "postz"`, "a duration needs its unit, such as 5s or 5ms"},
		},
		{
			"a fault with an unknown setting, beyond the guard",
			"guard: {max_units: 1, max_each: 5s}\n" +
				"chaos: {x: {at: 10s, for: 9s, process.freeze: {service: posts, pick: all, foo: 1}}}",
			[]string{
				"it stays for 9s, and guard.max_each is 5s", "it hits 2 units, and guard.max_units is 1", `unknown key "foo"`,
			},
		},
		{
			"a one-shot with an unknown setting", "chaos: {x: {at: 10s, for: 1s, process.crash: {service: posts, foo: 1}}}",
			[]string{
				"process.crash is over once it is done; it takes no `for`. `within` says by when its unit is healthy again",
				`unknown key "foo"`,
			},
		},
		{
			"a misspelt service", "chaos: {x: {at: 10s, process.crash: {servce: posts, pick: 3}}}",
			[]string{`unknown key "servce"`},
		},
		{
			"a misspelt zone",
			"guard: {max_units: 1}\nchaos: {x: {at: 10s, process.crash: {service: posts, zoen: a, pick: all}}}",
			[]string{`unknown key "zoen"`},
		},
		{
			"a misspelt delay",
			"chaos: {x: {at: 10s, for: 9s, network.latency: {from: posts, to: store, dely: 9ms, jitter: 5ms}}}",
			[]string{`unknown key "dely"`},
		},
		{
			"a call that does not say whether it is reverted",
			"chaos: {x: {at: 10s, webhook: {inject: {post: \"http://127.0.0.1:1/\"}, revrt: none, " +
				"verify: {get: \"http://127.0.0.1:1/\"}}}}",
			[]string{`unknown key "revrt"`},
		},
		{
			"a condition", "guard: {max_each: 5s}\nconditions: {x: {network.latency: {from: postz, to: store, delay: 5}}}",
			[]string{
				"it holds for the whole run of 1m, and guard.max_each is 5s", `there is no service "postz"`,
				"a duration needs its unit, such as 5s or 5ms",
			},
		},
		{
			"later steps of a group", "chaos: {x: {at: 10s, steps: [{network.stall: {to: userz}}, {after: 2s, process.crash: " +
				"{service: postz}}, {after: 3s, process.crsh: {service: posts}}, {after: 4s, network.stall: {to: stor, foo: 1}}]}}",
			[]string{
				`there is no service "userz"`, `there is no service "postz"`, `unknown kind "process.crsh"`,
				`there is no service "stor"`, `unknown key "foo"`,
			},
		},
		{
			"the time of a group", "chaos: {x: {at: 10s, steps: [{network.stall: {to: users, foo: 1}}]}}",
			[]string{
				`group "x" does not say how long it lasts, nor do all of its steps`, `unknown key "foo"`,
			},
		},
		{
			"a wrong time of a group", "chaos: {x: {at: 10s, for: 9, steps: [{network.stall: {to: users}}]}}",
			[]string{"a duration needs its unit, such as 9s or 9ms"},
		},
		{
			"a stage of a load with a mistake",
			"load: {main: {executor: ramping-arrival-rate, stages: [{dration: 9s, rate: 9/s, name: up}], flow: [{get: /}]}}\n" +
				"chaos: {x: {during: main.up, network.stall: {to: users}}, y: {during: other.up, network.stall: {to: users}}}\n" +
				"metrics: {queue: {scrape: \"http://127.0.0.1:1/metrics\", metric: depth}}\n" +
				"slo: [reach(metric(queue) >= 4) < 60s after main.up]",
			[]string{`unknown key "dration"`, `there is no stage "other.up"; a stage is LOAD.STAGE`, later},
		},
		{
			"a load and a fault that are no maps",
			"load: {main: 5/s, more: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /}]}}\n" +
				"chaos: {x: 5s, y: {after: x, for: 5s, network.stall: {to: users}}}\n" +
				"slo: [p95 < 1s of load main, errors < 1% of list, recover < 9s after x, errors < 1% in x, " +
				"errors < 2% of load mian]",
			[]string{
				`load "main" wants a map of settings, not "5/s"`, `fault "x" wants a map of settings, not "5s"`,
				`there is no load "mian"`, later,
			},
		},
		{
			"sections that are no maps", "load: 5\nchaos: 7\nmetrics: x\n" +
				"slo: [p95 < 1s of load main, errors < 1% in x, recover < 9s after x, metric(queue) < 5]",
			[]string{
				`load is a map of names to settings, not "5"`, `chaos is a map of names to settings, not "7"`,
				`metrics is a map of names to settings, not "x"`, later,
			},
		},
		{
			"a misspelt section", "choas: {x: {at: 10s, process.crash: {service: posts}}}\nmetrcs: {queue: {scrape: x}}\n" +
				"slo: [recover < 10s after x, errors < 1% in x, metric(queue) < 5]",
			[]string{`unknown key "choas"`, `unknown key "metrcs"`, later},
		},
		{
			"a metric, a watch and an alert with mistakes",
			"metrics: {queue: {ask: {gett: /}, unti: bytes}}\nwatch: {role: {of: postz, ask: {gett: /}, evry: 1s}}\n" +
				"alerts: {Down: {prometheus: \"http://127.0.0.1:9090\", evry: 1s}}\nslo: [metric(queue) < 5MiB]",
			[]string{
				"this step makes no request", `unknown key "unti"`, `there is no service "postz"`, "this step makes no request",
				`unknown key "evry"`, `unknown key "evry"`,
			},
		},
		{
			"a file to extend that is missing", "extends: nowhere.yaml\nchaos: {x: {process.crash: {servce: a}}}\n" +
				"load: {main: {executor: constant-arrival-rate, durtion: 5s}, more: {rate: 5/s}}\nslo: [errors < 1% of gone]",
			[]string{"extends: nowhere.yaml: file does not exist", `unknown key "servce"`, `unknown key "durtion"`},
		},
		{
			"an objective that can't be decided, beside a mistake of a fault",
			"load: {main: {executor: constant-arrival-rate, rate: 1/s, duration: 60s, flow: [{get: /}]}}\n" +
				"chaos: {x: {at: 10s, for: 5s, network.stall: {to: userz, foo: 1}}}\nmetrics: {queue: {ask: {gett: /}}}\n" +
				"slo: [errors < 1%]",
			[]string{
				`there is no service "userz"`, `unknown key "foo"`, "this step makes no request",
				"`errors < 1%` can't be judged: about 60 requests are expected in run (0s to 1m), and 299 are needed",
			},
		},
		{
			"an objective that can't be decided, beside a time with a mistake",
			"load: {main: {executor: constant-arrival-rate, rate: 1/s, duration: 60s, flow: [{get: /}]}}\n" +
				"chaos: {x: {at: 10, for: 5s, network.stall: {to: users}}}\nslo: [errors < 1%]",
			[]string{"a duration needs its unit, such as 10s or 10ms", later},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "version: 1\ntarget: {stack: demo}\n" + c.text + "\n"
			if !strings.Contains(text, "\nload:") {
				text += "load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /}]}}\n"
			}
			_, err := plantest.CompileText(text)
			refused, ok := errors.AsType[*syntax.MistakesError](err)
			if !ok {
				t.Fatal(err)
			}
			var got []string
			for _, m := range refused.List() {
				got = append(got, m.What)
			}
			if all := refused.Error(); strings.HasSuffix(all, "\n"+later) {
				got = append(got, later)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}
