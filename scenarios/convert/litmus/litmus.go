// Package litmus converts manifests of LitmusChaos into scenarios.
package litmus

import (
	"cmp"
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
		Doc: "a fault for each experiment of a ChaosEngine, on the pods of its application",
	}
}

// convert reads manifests, one or several.
func convert(d *draft.Builder, source []byte) error {
	docs, err := d.Documents(source)
	if err != nil {
		return err
	}
	for _, m := range docs {
		if !strings.HasPrefix(d.Text(m, "apiVersion"), "litmuschaos.io/") || d.Text(m, "kind") != "ChaosEngine" {
			d.Lost(draft.Line(m), "%s %s: only a ChaosEngine names faults", d.Text(m, "kind"), d.Text(m, "metadata", "name"))
			continue
		}
		if state := d.Text(m, "spec", "engineState"); state != "" && state != "active" {
			d.Lost(draft.Line(m), "engineState %s: here its faults are injected", state)
		}
		if list := draft.At(m, "spec", "experiments"); list != nil {
			for _, x := range list.Items {
				convertExperiment(d, m, x)
			}
		}
		d.Skip(m, "metadata")
		for _, key := range []string{
			"experiments", "chaosServiceAccount", "annotationCheck", "jobCleanUpPolicy", "monitoring", "components",
		} {
			d.Skip(m, "spec", key) // how Litmus itself runs; experiments report their own unread parts
		}
		d.Skip(m, "spec", "appinfo", "appkind") // the labels select its pods
		for _, rest := range d.Rest(m.Get("spec")) {
			d.Lost(draft.Line(m), "%s", rest)
		}
	}
	return nil
}

// An experiment is an experiment of a ChaosEngine, with its environment variables.
type experiment struct {
	d     *draft.Builder
	name  string
	line  int
	env   map[string]string
	lines map[string]int // of the variables
	used  map[string]bool
}

func (x *experiment) get(name string) string {
	x.used[name] = true
	return x.env[name]
}

// quiet are variables that say how Litmus works and do not affect the fault.
var quiet = map[string]bool{
	"CONTAINER_RUNTIME": true, "SOCKET_PATH": true, "LIB": true, "LIB_IMAGE": true, "LIB_IMAGE_PULL_POLICY": true,
	"TC_IMAGE": true, "CHAOS_LIB": true,
	"DEFAULT_HEALTH_CHECK": true, "STRESS_IMAGE": true, "SET_HELPER_DATA": true, "PROXY_PORT": true,
	"STATUS_CHECK_DELAY": true, "STATUS_CHECK_TIMEOUT": true,
}

// convertExperiment converts one experiment of an engine.
func convertExperiment(d *draft.Builder, engine, item *syntax.Node) {
	x := &experiment{
		d: d, name: d.Text(item, "name"), line: draft.Line(item), env: map[string]string{}, lines: map[string]int{},
		used: map[string]bool{},
	}
	env := draft.At(item, "spec", "components", "env")
	if env != nil {
		for _, e := range env.Items {
			name := d.Text(e, "name")
			x.lines[name] = draft.Line(e)
			if x.env[name] = strings.TrimSpace(d.Text(e, "value")); e.Get("valueFrom") != nil {
				d.Skip(e, "valueFrom")
				d.Lost(draft.Line(e), "%s of %s: its value is elsewhere in the cluster", name, x.name)
			}
		}
	}
	make, ok := faults[x.name]
	if !ok {
		reason := "brunt has no such fault"
		if x.name == "node-drain" {
			reason = "node.drain takes the node of pods, and no node by its name"
		}
		d.Lost(x.line, "the experiment %s: %s", x.name, reason)
		return
	}
	labels := draft.Selector(d.Text(engine, "spec", "appinfo", "applabel"))
	if len(labels) == 0 {
		labels = map[string]string{"app": "web"}
		d.Tell(x.line, "%s names no application by labels: say under target.kubernetes.services which pods these are",
			x.name)
	}
	pods := draft.Pod{
		Labels: labels, Container: x.get("TARGET_CONTAINER"),
		Namespace: cmp.Or(d.Text(engine, "spec", "appinfo", "appns"), d.Text(engine, "metadata", "namespace")),
	}
	kind, s := make(x)
	if kind == "" {
		d.Lost(x.line, "the experiment %s: it does not say how much", x.name)
		return
	}
	if s.Get("from") == nil || s.Get("to") != nil {
		unit, lost := d.Pods(pods)
		if lost != "" {
			d.Lost(x.line, "the experiment %s: %s", x.name, lost)
			d.Skip(item)
			return
		}
		key := "service"
		if s.Get("to") != nil {
			key = "from"
		}
		s.Set(key, draft.Plain(unit))
	}
	n := x.inject(kind, s)
	if s.Get("service") == nil && s.Get("to") == nil {
		d.LoseAt(&n.Above, draft.Line(draft.At(engine, "spec", "appinfo")), "appinfo: %s acts on requests of the load; `from` and "+
			"`to` name another link", x.name)
	}
	if probes := draft.At(item, "spec", "probe"); probes != nil {
		for _, p := range probes.Items {
			d.Lost(draft.Line(p), "the probe %s: an objective under slo, or a check of a step, asks the same of the load",
				d.Text(p, "name"))
		}
		d.Skip(probes)
	}
	for _, rest := range d.Rest(item) {
		d.LoseAt(&n.Above, x.line, "%s", rest)
	}
}

// inject adds the fault of an experiment: once, or each CHAOS_INTERVAL.
func (x *experiment) inject(kind string, s *draft.Node) *draft.Node {
	if s.Get("service") != nil {
		s.Set("pick", draft.Raw("one"))
		if share := x.get("PODS_AFFECTED_PERC"); share != "" && share != "0" {
			s.SetPercent("pick", share)
		}
	}
	f := draft.Fault{Name: x.name, Line: x.line, Kind: kind, Settings: s}
	_, f.After, _ = draft.Duration(x.get("RAMP_TIME"), time.Second)
	_, total, given := draft.Duration(x.get("TOTAL_CHAOS_DURATION"), time.Second)
	_, every, repeats := draft.Duration(x.get("CHAOS_INTERVAL"), time.Second)
	if draft.IsOneShot(kind) {
		if repeats && given {
			f.Every, f.Repeat = every, min(max(1, int(total/every)), draft.MostRepeats)
		}
	} else if f.For = total; !given {
		f.For, f.Guessed = draft.GuessedFor, true
	}
	n := x.d.Inject(f)
	for _, name := range draft.SortedKeys(x.env) {
		if v := x.env[name]; !x.used[name] && !quiet[name] && v != "" {
			x.d.LoseAt(&n.Above, x.lines[name], "%s", strings.TrimSpace(name+" "+draft.Harmless(name, v)))
		}
	}
	if given && !repeats && draft.IsOneShot(kind) {
		x.d.LoseAt(&n.Above, x.lines["TOTAL_CHAOS_DURATION"], "TOTAL_CHAOS_DURATION %s: it is injected once; `every` and `repeat` "+
			"do it again", draft.Harmless("", x.env["TOTAL_CHAOS_DURATION"]))
	}
	if repeats && !draft.IsOneShot(kind) {
		x.d.LoseAt(&n.Above, x.line, "CHAOS_INTERVAL %s: it is injected once", x.env["CHAOS_INTERVAL"])
	}
	return n
}

// remote sets the link whose packets are hit, if the experiment names the other end. Its pods are filled in later.
func (x *experiment) remote(s *draft.Node) {
	for _, name := range []string{"DESTINATION_HOSTS", "DESTINATION_IPS"} {
		to, rest, _ := strings.Cut(x.env[name], ",")
		if to = strings.TrimSpace(to); to == "" || s.Get("to") != nil {
			continue
		}
		s.Set("from", new(draft.Node)).Set("to", draft.Plain(to))
		x.used[name] = true
		if rest != "" {
			x.d.Lost(x.line, "%s of %s besides %s: %s; make a fault with `to` of each", name, x.name, to, rest)
		}
	}
}

// faults converts each experiment to a kind of fault and its settings. An empty kind means that a setting is missing.
var faults = map[string]func(*experiment) (string, *draft.Node){
	"pod-delete": func(x *experiment) (string, *draft.Node) {
		s := new(draft.Node)
		if x.get("FORCE") == "true" {
			x.d.Tell(x.line, "FORCE true of %s: brunt gives a pod at least 1s", x.name)
			s.Set("grace", draft.Raw("1s"))
		}
		return "pod.delete", s
	},
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
		s.SetDuration("delay", x.get("NETWORK_LATENCY"), time.Millisecond).SetDuration("jitter", x.get("JITTER"),
			time.Millisecond)
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
		x.d.Lost(x.line, "%s of the storage that a pod may use: / is on the disk of the node, which brunt refuses to fill "+
			"unless `path` names a volume of the pod, or `host_disk` is true", x.name)
		if s.Get("percent") == nil {
			s.SetSize(x.get("EPHEMERAL_STORAGE_MEBIBYTES") + "MiB")
		}
		if s.Get("bytes") != nil {
			return "disk.fill", s
		}
		return with(s, "disk.fill", "percent")
	},
	"pod-dns-error": func(x *experiment) (string, *draft.Node) {
		s := new(draft.Node)
		var names []string
		if text := x.get("TARGET_HOSTNAMES"); text != "" && (json.Unmarshal([]byte(text), &names) != nil || len(names) == 0) {
			x.d.Lost(x.line, "TARGET_HOSTNAMES of %s is no list in JSON: all names fail", x.name)
		}
		if len(names) > 0 {
			list := draft.List()
			for _, name := range names {
				list.Items = append(list.Items, draft.Plain(name))
			}
			s.Set("names", list)
		}
		if x.env["MATCH_SCHEME"] == "exact" {
			x.used["MATCH_SCHEME"] = true
		}
		return "dns.fail", s
	},
	"pod-http-reset-peer": func(x *experiment) (string, *draft.Node) {
		return "network.reset", (&draft.Node{}).Set("from", draft.Raw("load"))
	},
	"pod-http-latency": func(x *experiment) (string, *draft.Node) {
		s := (&draft.Node{}).Set("from", draft.Raw("load")).SetDuration("delay", x.get("LATENCY"), time.Millisecond)
		return with(s, "http.delay", "delay")
	},
	"pod-http-status-code": func(x *experiment) (string, *draft.Node) {
		s := (&draft.Node{}).Set("from", draft.Raw("load"))
		first, rest, _ := strings.Cut(x.get("STATUS_CODE"), ",")
		s.SetStatus(first)
		if rest != "" {
			x.d.Lost(x.line, "STATUS_CODE of %s besides %s: %s, one of them at random", x.name, first, rest)
		}
		if v := draft.Percent(x.get("TOXICITY"), false); v != nil && v.YAML != "0%" {
			s.Set("percent", v)
		}
		if body := x.get("RESPONSE_BODY"); body != "" {
			s.Set("body", draft.Str(x.d.Quiet(x.line, body)))
		}
		return "http.error", s
	},
}

// with returns the kind if the setting that it needs is present.
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
	if load := x.get("CPU_LOAD"); load != "0" { // 0 means as much as possible in Litmus
		s.SetPercent("load", load)
	}
	return "stress.cpu", s
}

func memory(x *experiment) (string, *draft.Node) {
	s := new(draft.Node).SetSize(x.get("MEMORY_CONSUMPTION") + "MB")
	if w := x.get("NUMBER_OF_WORKERS"); w != "" && w != "1" {
		x.d.Lost(x.line, "NUMBER_OF_WORKERS %s of %s: the memory is taken once", draft.Harmless("", w), x.name)
	}
	return with(s, "stress.memory", "bytes")
}
