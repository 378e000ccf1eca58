package chaos_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/chaostest"
)

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
			was, said := chaostest.Networks(t, units...), chaostest.Inspected(t, y.Engine, web.ID)
			began := time.Now()
			chaostest.Effect(t, yaml, chaostest.World{
				Scope: chaos.Scope{Services: map[string]int{"web": 1, "store": 1}, Containers: true},
				Env:   chaos.Env{Units: units, Now: clock(), Insides: insides, Run: y.Run},
			})
			t.Logf("took %s", time.Since(began).Round(time.Millisecond))
			if is := chaostest.Networks(t, units...); is != was {
				t.Errorf("it was\n%s\nand is\n%s", was, is)
			}
			if says := chaostest.Inspected(t, y.Engine, web.ID); says != said {
				t.Errorf("the engine said\n%s\nand says\n%s", said, says)
			}
		})
	}
}
