package chaos_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/chaostest"
)

// seenIn is all that can be seen of the networks of some units from outside of them.
func seenIn(t *testing.T, units ...chaos.Unit) string {
	t.Helper()
	var out strings.Builder
	for _, u := range units {
		for _, look := range []string{"nft -s list ruleset", "tc qdisc show", "tc filter show dev eth0", "ip -d link show", "ip route show table all", "ip -6 route show table all"} {
			args := append([]string{"-t", fmt.Sprint(u.PID()), "-n"}, strings.Fields(look)...)
			b, err := exec.CommandContext(t.Context(), "nsenter", args...).CombinedOutput()
			fmt.Fprintf(&out, "%s: %s\n%s%v\n", u.Name(), look, b, err)
		}
	}
	return out.String()
}

// TestPacketsOfContainers holds the faults on packets to their promises on containers of
// an engine, as brunt does them itself and as its helper does them.
func TestPacketsOfContainers(t *testing.T) {
	chaostest.Root(t)
	if testing.Short() {
		t.Skip("makes containers")
	}
	y := chaostest.NewYard(t)
	t.Setenv("BRUNT_LINUX", y.Program)
	for _, helper := range []bool{false, true} {
		t.Run(fmt.Sprintf("helper %v", helper), func(t *testing.T) {
			packetsOfContainers(t, y, helper)
		})
	}
}

func packetsOfContainers(t *testing.T, y *chaostest.Yard, helper bool) {
	name := fmt.Sprintf("store-%v", helper)
	web := y.Start(t, chaostest.VictimOptions{Unit: "web[0]"})
	store := y.Start(t, chaostest.VictimOptions{Unit: "store[0]", Aliases: []string{name}})
	units := []chaos.Unit{web.AskedContainer, store.AskedContainer}
	at := strings.NewReplacer("WEB", web.Addresses()[0].String(), "STORE", store.Addresses()[0].String(), "[store]", "["+name+"]")
	insides := &chaos.Insides{Helper: helper}
	defer func() {
		if err := insides.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	done := map[string]bool{}
	for _, yaml := range slices.Concat(packetFaults, questionFaults) {
		kind, _, _ := strings.Cut(yaml, ":")
		if helper && done[kind] && os.Getenv("BRUNT_ALL_HELPED") == "" { // each takes a few containers
			continue
		}
		done[kind] = true
		yaml = at.Replace(yaml)
		t.Run(yaml, func(t *testing.T) {
			was, said := seenIn(t, units...), chaostest.Inspected(t, y.Engine, web.ID)
			began := time.Now()
			chaostest.Effect(t, yaml, chaostest.World{
				Scope: chaos.Scope{Services: map[string]int{"web": 1, "store": 1}, Containers: true},
				Env:   chaos.Env{Units: units, Now: clock(), Insides: insides, Run: y.Run},
			})
			t.Logf("took %s", time.Since(began).Round(time.Millisecond))
			if is := seenIn(t, units...); is != was {
				t.Errorf("it was\n%s\nand is\n%s", was, is)
			}
			if says := chaostest.Inspected(t, y.Engine, web.ID); says != said {
				t.Errorf("the engine said\n%s\nand says\n%s", said, says)
			}
		})
	}
}
