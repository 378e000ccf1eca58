//go:build linux

package run_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"brunt/chaos/chaostest"
	"brunt/scenarios"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// places are the ways to say where a fault is: the target, and the settings that select in it. PID stands for a
// process of its own, CONTAINER and OTHER for containers that run, IMAGE for the image of both, ABSENT for a
// container that there is not.
var places = map[string]struct{ target, unit, link string }{
	"process": {
		`processes: {web: {command: [ECHO], links: [store], ready: {get: /}}, store: {command: [ECHO], ready: {get: /}}}, entry: web`,
		"service: store", "from: web, to: store",
	},
	"pid": {`processes: {web: {command: [ECHO], ready: {get: /}}}, entry: web`, "pid: PID", "from: load, to: web"},
	"container": {
		`processes: {web: {command: [ECHO], ready: {get: /}}}, entry: web`, "container: CONTAINER",
		"from: container/CONTAINER, to: container/OTHER",
	},
	"absent container": {
		`processes: {web: {command: [ECHO], ready: {get: /}}}, entry: web`, "container: ABSENT",
		"from: container/ABSENT, to: container/OTHER",
	},
	"outside": {
		`url: "URL", units: {web: {container: CONTAINER}, store: {container: OTHER}}`, "service: web", "from: web, to: store",
	},
	"outside and absent": {`url: "URL", units: {web: {container: ABSENT}}`, "service: web", "from: load, to: target"},
	"containers": {
		`containers: {web: {image: IMAGE, ports: [8080], links: [store], ready: {get: /}}, store: {image: IMAGE, ports: [8080]}}, entry: web`,
		"service: store", "from: web, to: store",
	},
	"compose": {`compose: COMPOSE, entry: web`, "service: store", "from: web, to: store"},
}

// selecting matches the settings of injectFaults that say where a fault is.
var selecting = regexp.MustCompile(`\b(service|pid|container|pick|from|to): ["\w/\[\]]+(, )?`)

// shortPlaces are kinds of each mechanism. A short run plays three of them, others for each BRUNT_TURN.
var shortPlaces = []string{"process.freeze", "network.latency", "network.loss", "container.pause", "dns.fail"}

func inShortRun(kind string) bool {
	i := slices.Index(shortPlaces, kind)
	return i >= 0 && (i+suite.Turn())%len(shortPlaces) < 3
}

// TestDryRun_AgreesWithRun holds a dry run against the fault itself, for each kind of fault in each kind of place:
// what the one says is possible, the other does, and what the one refuses, the other refuses.
func TestDryRun_AgreesWithRun(t *testing.T) {
	t.Parallel()
	suite.Needs(t, suite.Root, suite.Docker, suite.In("load"))
	chaostest.Engine(t)
	yard := sync.OnceValue(func() *chaostest.Yard { return chaostest.NewYard(t) })
	var mu sync.Mutex
	table := map[string]string{}
	t.Cleanup(func() {
		for _, cell := range slices.Sorted(maps.Keys(table)) {
			t.Log(cell + ": " + table[cell])
		}
	})
	for _, kind := range machineKinds() {
		if testing.Short() && !inShortRun(kind) {
			continue // all of them take a quarter of an hour
		}
		f := injectFaults[kind]
		for place, p := range places {
			t.Run(kind+" in "+place, func(t *testing.T) {
				t.Parallel()
				where := p.unit
				if strings.Contains(f.settings, "from:") {
					where = p.link
				}
				settings := strings.Replace(selecting.ReplaceAllString(f.settings, ""), "{", "{"+where+", ", 1)
				if strings.Contains(f.settings, "from: load") && place != "outside" && place != "outside and absent" {
					settings = strings.Replace(settings, where, "from: load, to: web", 1)
				}
				timing := "at: 20s, "
				if f.stays {
					timing += "for: 2s, "
				}
				text := "version: 1\ntarget: {" + p.target + "}\nguard: {allow: {load: [172.16.0.0/12, 192.168.0.0/16]}}\n" +
					"load: {main: {executor: constant-arrival-rate, rate: 1/s, duration: 100s, flow: [{get: /}]}}\n" +
					"chaos:\n  it: {" + timing + kind + ": " + strings.Replace(settings, ", }", "}", 1) + "}\n"
				said := agree(t, inPlace(t, text, yard), kind)
				mu.Lock()
				defer mu.Unlock()
				table[kind+" in "+place] = said
			})
		}
	}
}

// inPlace replaces the words of places in a scenario.
func inPlace(t *testing.T, text string, yard func() *chaostest.Yard) string {
	t.Helper()
	var with []string
	for _, word := range []string{"CONTAINER", "OTHER"} {
		if strings.Contains(text, word) || word == "CONTAINER" && strings.Contains(text, "URL") {
			v := yard().Start(t, chaostest.VictimOptions{})
			with = append(with, word, v.Ref)
			if word == "CONTAINER" {
				with = append(with, "URL", "http://"+v.Addresses()[0].String()+":8080/")
			}
		}
	}
	if strings.Contains(text, "PID") {
		with = append(with, "PID", strconv.Itoa(alone(t)))
	}
	if strings.Contains(text, "IMAGE") {
		with = append(with, "IMAGE", strconv.Quote(yard().Name))
	}
	if strings.Contains(text, "COMPOSE") {
		file := filepath.Join(t.TempDir(), "compose.yaml")
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(composed, "IMAGE", yard().Name)), 0o600); err != nil {
			t.Fatal(err)
		}
		with = append(with, "COMPOSE", strconv.Quote(file))
	}
	// a container that is not made yet may have any path
	if strings.Contains(text, "IMAGE") || strings.Contains(text, "COMPOSE") {
		text = strings.ReplaceAll(text, "DIR", "/")
	}
	with = append(with, "ECHO", strings.Join(self("echo"), ", "), "ABSENT", "brunt-there-is-none", "DIR",
		strconv.Quote(t.TempDir()),
		"FILE", filepath.Join(t.TempDir(), "broken"), "HOOK", hook(t))
	return strings.NewReplacer(with...).Replace(text)
}

// agree compares a dry run of the fault with the fault, and returns what both say.
func agree(t *testing.T, text, kind string) string {
	t.Helper()
	whole, err := compileFile(scenario(t, text))
	if err != nil { // a dry run and a run compile alike
		return "mistake: " + strings.SplitN(err.Error(), "\n", 2)[0]
	}
	one, err := whole.Single("it", 0)
	if err != nil {
		t.Fatal(err)
	}
	lines, refused := dryrun.RunFaults(t.Context(), one)
	in, err := run.Inject(t.Context(), one, run.Options{State: t.TempDir(), Watchdog: self("guard"), Stress: self("burn")})
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case refused == nil && in.Verdict != scenarios.Pass:
		t.Errorf("the dry run allows it: %s\nthe run does not: %s\n%s", strings.Join(lines, "\n"), in.Reason, text)
	case refused != nil && in.Verdict == scenarios.Pass:
		t.Errorf("the dry run refuses it: %v\nthe run does it: %s\n%s", refused, in.Reason, text)
	case refused != nil:
		return "refused: " + fmt.Sprint(refused)
	}
	return "done"
}
