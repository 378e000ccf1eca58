//go:build linux

package run_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"brunt/chaos/chaostest"
	"brunt/chaos/oci"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
	"brunt/targets/platform/containers"

	"github.com/moby/moby/client"
)

// testDockerConnected connects containers to networks while faults are on their packets: a peer is
// cut off at its new address as well, and the fault applies to the new link of a container too.
func testDockerConnected(t *testing.T) {
	suite.Needs(t, suite.Root)
	if testing.Short() {
		t.Skip("makes containers")
	}
	y := chaostest.NewYard(t)
	second, err := y.Engine.API().NetworkCreate(t.Context(), y.Name+
		"-second", client.NetworkCreateOptions{Driver: "bridge", Labels: map[string]string{containers.RunLabel: y.Run}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, fault string
		own         bool // the container with the fault is the one that is disconnected and connected again
		cut         bool // no packet passes between them then
	}{
		{"a far end", "network.partition from=container/WEB to=container/STORE", false, true},
		{"a far end, by a program", "network.loss from=container/WEB to=container/STORE percent=100%", false, true},
		{"its own link, by a table", "network.partition container=WEB", true, true},
		{"its own link, by a program", "network.loss container=WEB percent=100%", true, true},
		{"its own link, by a discipline", "network.bandwidth container=WEB rate=10Mbit/s via=tbf", true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			connect := func(v *chaostest.Victim, to string) {
				if err := y.Engine.Connect(ctx, v.ID, containers.Endpoint{Network: to}); err != nil {
					t.Fatal(err)
				}
			}
			web, store := y.Start(t, chaostest.VictimOptions{Unit: "web[0]"}),
				y.Start(t, chaostest.VictimOptions{Unit: "store[0]"})
			connect(web, second.ID)
			if c.own {
				connect(store, second.ID)
			}
			// The address of the store, or of the web, in the second network, once it is there.
			at := func(v *chaostest.Victim) string {
				is, err := y.Engine.Inspect(ctx, v.ID)
				if err != nil {
					t.Fatal(err)
				}
				for _, n := range is.Networks {
					if n.ID == second.ID {
						return n.Address.String()
					}
				}
				return ""
			}
			reaches := func() bool {
				code, err := y.Engine.Exec(ctx, web.ID, []string{oci.Entry, "ask", "http://" + at(store) + ":8080/"}, nil,
					io.Discard, io.Discard)
				if err != nil {
					t.Fatal(err)
				}
				return code == 0
			}
			kind, rest, _ := strings.Cut(strings.NewReplacer("WEB", web.Ref, "STORE", store.Ref).Replace(c.fault), " ")
			plan, err := plan.CompileBare(plan.Bare{Kind: kind, Settings: append(strings.Fields(rest), "for=10m")})
			if err != nil {
				t.Fatal(err)
			}
			in, again := make(chan string, 9), make(chan string, 9)
			o := run.Options{State: t.TempDir(), Watchdog: self("guard"), Stress: self("burn"), Event: func(e result.Event) {
				switch e.Event {
				case "fault.verified", "fault.failed", "fault.unverified":
					in <- e.Event
				case "fault.again", "fault.void":
					again <- e.Event + ": " + e.Text
				}
			}}
			started, end := context.WithCancel(ctx)
			defer end()
			ended := make(chan error, 1)
			go func() {
				out, err := run.Inject(started, plan, o)
				if err == nil && out.Revert != "ok" {
					err = fmt.Errorf("%+v", out)
				}
				ended <- err
			}()
			if got := <-in; got != "fault.verified" {
				t.Fatal(got)
			}
			if c.own {
				if err := y.Engine.Disconnect(ctx, web.ID, second.ID); err != nil {
					t.Fatal(err)
				}
				connect(web, second.ID)
			} else {
				connect(store, second.ID)
			}
			var said string
			select {
			case said = <-again:
				t.Log(said)
			case <-time.After(30 * time.Second):
				t.Errorf("the fault is not aimed again; web reaches store: %v", reaches())
			}
			if !strings.HasPrefix(said, "fault.again") {
				t.Error(said)
			}
			if c.cut && reaches() {
				t.Errorf("web reaches store at %s", at(store))
			}
			if now := chaostest.Networks(t, web); !c.cut && strings.Count(now, "rate 10Mbit") != 2 {
				t.Errorf("there is no discipline at each link:\n%s", now)
			}
			end()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if !reaches() {
				t.Error("web does not reach store afterwards")
			}
			if now := chaostest.Networks(t, web); strings.Contains(now, "qdisc tbf") ||
				strings.Contains(now, "table inet brunt") {
				t.Errorf("it is left:\n%s", now)
			}
		})
	}
}
