package demo_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/proxy"
	"brunt/chaos/timeline"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/targets/demo"
)

// A trouble is a fault as the in-memory network has it: how it is put in, and taken back. What a fault does to memory,
// descriptors and processes is not there: a twin shows what others see of it.
//
//	process.crash, process.stop     the units lose every connection at once, and all that they held; they are started again
//	stress.memory with oom: unit    as a crash: that the memory runs out is not shown
//	memory.limit                    nothing, as a unit within its limit works
//	process.restart                 the units stop in good order, and are started again
//	process.freeze, blackhole       no byte passes
//	network.latency                 bytes are late
//	http.error, delay, rewrite      requests are answered, late, or have other answers
//	fd.exhaust                      new connections to the unit wait, and those that it opens fail; that it frees some is not shown
type trouble struct {
	kind  string
	after time.Duration // the injection of its group
	put   func() (undo func())
	jolt  func() // changes it ten times a second while it is in; nil: it stays as it is
	dies  []string
}

// setting returns a setting of a fault as text.
func setting(settings *syntax.Node, key string) string {
	if n := settings.Get(key); n != nil {
		return n.Value
	}
	return ""
}

func lasts(settings *syntax.Node, key string) time.Duration {
	d, _ := time.ParseDuration(setting(settings, key))
	return d
}

// units lists the units that a fault selects, the last one of a service unless it picks all.
func (tw *twin) units(settings *syntax.Node, key string) (out []string) {
	name := setting(settings, key)
	if unit := setting(settings, "unit"); unit != "" {
		return []string{unit}
	}
	for i := range tw.p.Stack.Services {
		s := &tw.p.Stack.Services[i]
		for k := range s.Replicas {
			unit := syntax.UnitName(s.Name, k)
			whole := key != "service" || setting(settings, "pick") == "all"
			zone := setting(settings, "zone")
			if unit == name || s.Name == name && (whole || k == s.Replicas-1) || zone != "" && s.Zone(k) == zone {
				out = append(out, unit)
			}
		}
	}
	return out
}

const (
	restarts  = time.Second     // until the supervisor starts a crashed process again
	leastOver = 5 * time.Second // of the phase of a crash
)

// troubles returns what an entry of the timeline does: one trouble, or those of a group.
func (tw *twin) troubles(e *timeline.Entry) (out []trouble) {
	entry := tw.p.Scenario.Root.Get("chaos").Get(e.Name)
	if e.Kind != result.GroupKind {
		return []trouble{tw.trouble(e.Name, e.Kind, entry.Get(e.Kind))}
	}
	after := time.Duration(0)
	for _, step := range entry.Get("steps").Items {
		after += lasts(step, "after")
		for _, f := range step.Fields {
			if f.Key != "after" {
				one := tw.trouble(e.Name, f.Key, f.Value)
				one.after = after
				out = append(out, one)
			}
		}
	}
	return out
}

func (tw *twin) trouble(name, kind string, settings *syntax.Node) trouble {
	out := trouble{kind: kind}
	from, to := tw.units(settings, "from"), tw.units(settings, "to")
	delay := lasts(settings, "delay")
	if setting(settings, "from") == "" {
		from, to = nil, tw.units(settings, "service")
	}
	breaks := func(how string) {
		out.put = func() func() { return tw.sys.Break(how, from, to, delay/2) }
	}
	switch kind {
	case "process.crash", "stress.memory":
		out.put, out.dies = func() func() { return tw.sys.Crash(to) }, to
	case "process.restart":
		out.put, out.dies = func() func() { return tw.sys.Stop(to) }, to
	case "process.stop":
		out.put = func() func() { return tw.sys.Crash(to) }
	case "process.freeze", "network.blackhole":
		breaks("hold")
	case "network.latency":
		breaks("slow")
		if jitter := lasts(settings, "jitter"); jitter > 0 {
			r := rand.New(rand.NewPCG(tw.p.Scenario.Seed, 7))
			out.jolt = func() { tw.sys.Break("slow", from, to, (delay+time.Duration((2*r.Float64()-1)*float64(jitter)))/2) }
		}
	case "http.error", "http.delay", "http.rewrite":
		out.put = func() func() { return tw.sys.Requests(from, to, tw.effect(name, kind, settings)) }
	case "fd.exhaust":
		out.put = func() func() { return tw.sys.Exhaust(to) }
	case "memory.limit":
		out.put = func() func() { return func() {} }
	default:
		tw.t.Errorf("the twin has no %s", kind)
		out.put = func() func() { return func() {} }
	}
	if len(to) == 0 {
		tw.t.Errorf("%s hits nothing", name)
	}
	return out
}

// effect returns what becomes of each request on a link with a fault of requests.
func (tw *twin) effect(name, kind string, settings *syntax.Node) func(method, path string) demo.RequestEffect {
	share := 1.
	if text := setting(settings, "percent"); text != "" {
		share, _ = quantity.ParseShare(text)
	}
	to, status := demo.RequestEffect{Delay: lasts(settings, "delay"), Late: kind == "http.rewrite"},
		setting(settings, "status")
	if to.Late {
		status = setting(settings.Get("answer"), "status")
	}
	to.Status, _ = strconv.Atoi(status)
	var mu sync.Mutex // links have requests at once
	r := rand.New(rand.NewPCG(tw.p.Scenario.Seed, uint64(len(name)+to.Status)))
	return func(_, path string) demo.RequestEffect {
		mu.Lock()
		defer mu.Unlock()
		if pattern := setting(settings, "path"); pattern != "" && !proxy.Fits(pattern, path) || r.Float64() >= share {
			return demo.RequestEffect{}
		}
		return to
	}
}

// inject injects an entry of the timeline at its time, and takes it back.
func (tw *twin) inject(e *timeline.Entry) {
	all := tw.troubles(e)
	time.Sleep(time.Until(tw.t0.Add(e.At.D()))) // simulates the timeline
	n, at := tw.rec.Inject(e.Name, e.Name)
	tw.mu.Lock()
	tw.judged.Occurrences[n].Group = e.Kind == result.GroupKind
	tw.mu.Unlock()
	if len(all) == 1 && len(all[0].dies) > 0 {
		tw.die(e, n, at, all[0])
		return
	}
	var undo []func()
	var jolts sync.WaitGroup
	for _, one := range all {
		time.Sleep(time.Until(tw.t0.Add(at + one.after))) // simulates the timeline
		back := one.put()
		if one.kind == "process.restart" { // the supervisor starts it again, not the end of the group
			back()
		} else {
			undo = append(undo, back)
		}
		if one.jolt != nil {
			jolts.Go(func() {
				for range e.For.D() / (100 * time.Millisecond) {
					one.jolt()
					time.Sleep(100 * time.Millisecond) // simulates packets that are late by different times
				}
			})
		}
	}
	jolts.Wait()
	time.Sleep(time.Until(tw.t0.Add(at + e.For.D()))) // simulates the timeline
	for _, one := range slices.Backward(undo) {
		one()
	}
	tw.rec.Clear(n)
}

// die lets units die, and the supervisor start them again.
func (tw *twin) die(e *timeline.Entry, n int, at time.Duration, one trouble) {
	restart := one.put()
	service, _, _ := chaos.SplitUnit(one.dies[0])
	if tw.p.Stack.Service(service).Restart == "never" {
		return
	}
	time.Sleep(restarts) // simulates the supervisor
	restart()
	tw.mu.Lock()
	for _, unit := range one.dies {
		tw.starts[unit]++
	}
	tw.judged.Occurrences[n].Ended = new(at + restarts)
	tw.mu.Unlock()
	time.Sleep(max(leastOver, e.For.D()) - restarts) // simulates the rest of the phase
	tw.rec.Clear(n)
}
