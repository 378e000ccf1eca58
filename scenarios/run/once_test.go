package run_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// TestOnce runs commands before the load and after it: their output is kept and masked, a setup that fails ends the run
// before the load, and teardown comes in any case once setup has begun.
func TestOnce(t *testing.T) {
	url := newServer(t, "serve").addr
	t.Setenv("ONCE_SECRET", "hunter2hunter2")
	for _, c := range []struct {
		name, setup string
		wait        bool // interrupt the run while setup is at work
		verdict     scenarios.Verdict
		exit        int
		reason      string
		log         string // of the setup
	}{
		{
			"good", `{command: "echo seeded $KEY; touch made", env: {KEY: "${env.ONCE_SECRET}"}, dir: DIR}`, false, scenarios.Pass, 0, "",
			"seeded ***\n",
		},
		{
			"fails", `{command: "echo no such table; exit 3", name: migrate}`, false, scenarios.Invalid, 5,
			"Setup failed: `echo no such table; exit 3`: exit status 3; its output ends:\n    no such table", "no such table\n",
		},
		{
			"hangs", `{command: "echo waits; sleep 60", timeout: 200ms}`, false, scenarios.Invalid, 5,
			"did not end within 200ms; its output ends:\n    waits", "waits\n",
		},
		{"interrupted", `{command: "touch DIR/made; sleep 60"}`, true, scenarios.Interrupted, 130, "Interrupted", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, logs := t.TempDir(), filepath.Join(t.TempDir(), "logs")
			text := strings.ReplaceAll(`version: 1
target: {url: "http://`+url+`"}
setup: [{get: /}, `+c.setup+`]
teardown: [{get: /}, {command: [touch, DIR/undone]}]
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 1s, flow: [{get: /}]}}
slo: [errors = 0%]
`, "DIR", dir)
			p := mustCompile(t, text)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if c.wait {
				go func() {
					suite.Within(time.Minute, func() bool {
						_, err := os.Stat(filepath.Join(dir, "made"))
						return err == nil || ctx.Err() != nil
					})
					cancel(run.Interrupt{Code: 130})
				}()
			}
			res, err := run.Run(ctx, p, run.Options{LogDir: logs, State: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if res.Verdict != c.verdict || res.ExitCode != c.exit || !strings.Contains(res.Reason, c.reason) {
				t.Errorf("%s, exit %d: %s", res.Verdict, res.ExitCode, res.Reason)
			}
			if log, err := os.ReadFile(filepath.Join(logs, "setup.1.log")); err != nil || string(log) != c.log {
				t.Errorf("the log is %q, %v", log, err)
			}
			if _, err := os.Stat(filepath.Join(dir, "undone")); err != nil {
				t.Errorf("no teardown: %v", err)
			}
			var list strings.Builder
			for _, e := range res.Events {
				list.WriteString(e.Event + ": " + e.Text + "\n")
			}
			events := list.String()
			if !strings.Contains(events, "setup.command: ") || !strings.Contains(events, "logs/setup.1.log") || !strings.Contains(events, "teardown.command: ") {
				t.Errorf("events:\n%s", events)
			}
			if c.log != "" && (len(res.Logs) == 0 || res.Logs[0].Unit != "setup.1") {
				t.Errorf("the logs are %+v", res.Logs)
			}
			if strings.Contains(events+res.Reason, "hunter2") {
				t.Error("a secret is shown")
			}
		})
	}
}
