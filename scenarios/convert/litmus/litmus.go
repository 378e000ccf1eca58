// Package litmus converts manifests of LitmusChaos into scenarios.
package litmus

import (
	"encoding/json"
	"strings"
	"time"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/syntax"
)

// Converter returns the converter for manifests of Litmus.
func Converter() draft.Converter {
	return draft.Converter{
		Name: "litmus", Source: "manifests of LitmusChaos", Convert: convert, Faults: true,
		Doc: "a fault for each experiment of a ChaosEngine, on the containers of a Docker engine that carry the label of its application",
	}
}

// convert reads manifests, one or several.
func convert(d *draft.Builder, source []byte) error {
	docs, err := d.Documents(source)
	if err != nil {
		return err
	}
	for _, m := range docs {
		if !strings.HasPrefix(draft.Value(m, "apiVersion"), "litmuschaos.io/") || draft.Value(m, "kind") != "ChaosEngine" {
			d.Lost(draft.Line(m), "%s %s: a ChaosEngine says what is broken", draft.Value(m, "kind"), draft.Value(m, "metadata", "name"))
			continue
		}
		if list := draft.At(m, "spec", "experiments"); list != nil {
			for _, x := range list.Items {
				convertExperiment(d, m, x)
			}
		}
	}
	if d.Units.Fields != nil {
		d.Head = append(d.Head, draft.NoPods)
		d.Tell(0, "brunt has no faults on pods: target.units selects containers of a Docker engine by the same label")
	}
	return nil
}

// An experiment is one of a ChaosEngine, with its environment.
type experiment struct {
	d    *draft.Builder
	name string
	line int
	unit string
	env  map[string]string
	used map[string]bool
}

func (x *experiment) get(name string) string {
	x.used[name] = true
	return x.env[name]
}

// quiet are variables that say nothing of the fault.
var quiet = map[string]bool{
	"TARGET_CONTAINER": true, "CONTAINER_RUNTIME": true, "SOCKET_PATH": true, "NETWORK_INTERFACE": true, "LIB": true, "LIB_IMAGE": true, "TC_IMAGE": true,
	"RAMP_TIME": true, "SEQUENCE": true, "FORCE": true, "CHAOS_LIB": true, "CHAOS_KILL_COMMAND": true, "TARGET_PODS": true, "NODE_LABEL": true,
	"DEFAULT_HEALTH_CHECK": true, "STRESS_IMAGE": true,
}

// convertExperiment converts one experiment of an engine.
func convertExperiment(d *draft.Builder, engine, item *syntax.Node) {
	x := &experiment{d: d, name: draft.Value(item, "name"), line: draft.Line(item), env: map[string]string{}, used: map[string]bool{}}
	if list := draft.At(item, "spec", "components", "env"); list != nil {
		for _, e := range list.Items {
			x.env[draft.Value(e, "name")] = strings.TrimSpace(draft.Value(e, "value"))
		}
	}
	make, ok := faults[x.name]
	if !ok {
		d.Lost(x.line, "the experiment %s", x.name)
		return
	}
	label := draft.Value(engine, "spec", "appinfo", "applabel")
	key, value, _ := strings.Cut(label, "=")
	if label == "" {
		key, value = "app", "web"
		d.Tell(x.line, "%s names no application: say under target.units which containers these are", x.name)
	}
	x.unit = d.Labelled(map[string]string{key: value})
	kind, s := make(x)
	if kind == "" {
		d.Lost(x.line, "the experiment %s: it does not say how much", x.name)
		return
	}
	if s.Get("from") == nil {
		s.Set("service", draft.Plain(x.unit))
	}
	x.inject(kind, s)
	if probes := draft.At(item, "spec", "probe"); probes != nil {
		for _, p := range probes.Items {
			d.Lost(draft.Line(p), "the probe %s: an objective under slo, or a check of a step, asks the same of the load", draft.Value(p, "name"))
		}
	}
}

// inject adds the fault of an experiment: once, or each CHAOS_INTERVAL.
func (x *experiment) inject(kind string, s *draft.Node) {
	if s.Get("service") != nil {
		s.Set("pick", draft.Raw("one"))
		if share := x.get("PODS_AFFECTED_PERC"); share != "" && share != "0" {
			s.SetPercent("pick", share)
		}
	}
	f := draft.Fault{Name: x.name, Line: x.line, Kind: kind, Settings: s}
	_, total, given := draft.Duration(x.get("TOTAL_CHAOS_DURATION"), time.Second)
	_, every, repeats := draft.Duration(x.get("CHAOS_INTERVAL"), time.Second)
	if kind == "process.crash" {
		if repeats && given {
			f.Every, f.Repeat = every, max(1, int(total/every))
		}
	} else if f.For = total; !given {
		f.For, f.Guessed = draft.GuessedFor, true
	}
	n := x.d.Inject(f)
	for _, name := range draft.SortedKeys(x.env) {
		if v := x.env[name]; !x.used[name] && !quiet[name] && v != "" {
			x.d.LoseAt(&n.Above, x.line, "%s %s", name, v)
		}
	}
}

// remote sets whose packets are hit, where the experiment names the other end.
func (x *experiment) remote(s *draft.Node) {
	for _, name := range []string{"DESTINATION_HOSTS", "DESTINATION_IPS"} {
		if to, rest, more := strings.Cut(x.env[name], ","); to != "" && s.Get("from") == nil {
			s.Set("from", draft.Plain(x.unit)).Set("to", draft.Plain(to))
			x.used[name] = !more || rest == ""
		}
	}
}

// faults makes the fault of each experiment; an empty kind says that it lacks a setting.
var faults = map[string]func(*experiment) (string, *draft.Node){
	"pod-delete": func(*experiment) (string, *draft.Node) { return "process.crash", new(draft.Node) },
	"container-kill": func(x *experiment) (string, *draft.Node) {
		s := new(draft.Node)
		if name := strings.TrimPrefix(x.get("SIGNAL"), "SIG"); name != "" && name != "KILL" {
			s.Set("signal", draft.Plain(name))
		}
		return "process.crash", s
	},
	"pod-network-latency": func(x *experiment) (string, *draft.Node) {
		s := new(draft.Node)
		x.remote(s)
		s.SetDuration("delay", x.get("NETWORK_LATENCY"), time.Millisecond).SetDuration("jitter", x.get("JITTER"), time.Millisecond)
		return with(s, "network.latency", "delay")
	},
	"pod-network-loss":        packets("network.loss", "NETWORK_PACKET_LOSS_PERCENTAGE"),
	"pod-network-corruption":  packets("network.corrupt", "NETWORK_PACKET_CORRUPTION_PERCENTAGE"),
	"pod-network-duplication": packets("network.duplicate", "NETWORK_PACKET_DUPLICATION_PERCENTAGE"),
	"pod-network-partition": func(x *experiment) (string, *draft.Node) {
		s := new(draft.Node)
		x.remote(s)
		return "network.partition", s
	},
	"pod-network-rate-limit": func(x *experiment) (string, *draft.Node) {
		s := new(draft.Node)
		x.remote(s)
		return with(s.SetRate(x.get("NETWORK_BANDWIDTH")), "network.bandwidth", "rate")
	},
	"pod-cpu-hog":      hog,
	"pod-cpu-hog-exec": hog,
	"pod-memory-hog":   memory, "pod-memory-hog-exec": memory,
	"pod-io-stress": func(x *experiment) (string, *draft.Node) {
		s := new(draft.Node).SetWhole("workers", x.get("NUMBER_OF_WORKERS"))
		if path := x.get("VOLUME_MOUNT_PATH"); path != "" {
			s.Set("path", draft.Plain(path))
		}
		return "stress.io", s
	},
	"disk-fill": func(x *experiment) (string, *draft.Node) {
		s := (&draft.Node{}).Set("path", draft.Raw("/")).SetPercent("percent", x.get("FILL_PERCENTAGE"))
		return with(s, "disk.fill", "percent")
	},
	"pod-dns-error": func(x *experiment) (string, *draft.Node) {
		s := new(draft.Node)
		var names []string
		if json.Unmarshal([]byte(x.get("TARGET_HOSTNAMES")), &names) == nil && len(names) > 0 {
			list := draft.List()
			for _, name := range names {
				list.Items = append(list.Items, draft.Plain(name))
			}
			s.Set("names", list)
		}
		return "dns.fail", s
	},
	"pod-http-latency": func(x *experiment) (string, *draft.Node) {
		s := (&draft.Node{}).Set("from", draft.Raw("load")).SetDuration("delay", x.get("LATENCY"), time.Millisecond)
		return with(s, "http.delay", "delay")
	},
	"pod-http-status-code": func(x *experiment) (string, *draft.Node) {
		s := (&draft.Node{}).Set("from", draft.Raw("load")).SetWhole("status", strings.Split(x.get("STATUS_CODE"), ",")[0])
		return "http.error", s
	},
}

// with returns a kind if a setting that it needs is there.
func with(s *draft.Node, kind, needs string) (string, *draft.Node) {
	if s.Get(needs) == nil {
		return "", s
	}
	return kind, s
}

func packets(kind, env string) func(*experiment) (string, *draft.Node) {
	return func(x *experiment) (string, *draft.Node) {
		s := new(draft.Node)
		x.remote(s)
		return with(s.SetPercent("percent", x.get(env)), kind, "percent")
	}
}

func hog(x *experiment) (string, *draft.Node) {
	s := new(draft.Node).SetWhole("workers", x.get("CPU_CORES"))
	if load := x.get("CPU_LOAD"); load != "0" {
		s.SetPercent("load", load)
	}
	return "stress.cpu", s
}

func memory(x *experiment) (string, *draft.Node) {
	return with(new(draft.Node).SetSize(x.get("MEMORY_CONSUMPTION")+"MB"), "stress.memory", "bytes")
}
