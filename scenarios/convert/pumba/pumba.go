// Package pumba converts command lines of pumba into scenarios.
package pumba

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/convert/shell"
)

// Converter returns the converter for commands of pumba.
func Converter() draft.Converter {
	return draft.Converter{
		Name: "pumba", Source: "command lines of pumba", Convert: convert, Faults: true,
		Doc:   "a fault on the same containers for each command, one after the other, or at once where the script has `&`",
		Usage: "Of pumba, what stands after -- is the command itself.", Words: shell.Join("pumba"),
	}
}

// switches are the flags of all pumba commands that have no value, by their long names.
var switches = []string{
	"random", "dry-run", "skip-error", "json", "tls", "tlsverify", "restart", "force", "links", "volumes", "pull-image",
	"inject-cgroup", "interactive",
}

// A scope maps short flags to long ones at one place: before the command, after it, or after the command of netem or
// iptables.
type scope map[string]string

// short maps short flags to long ones in each scope. The key "" is the scope before the command.
var short = map[string]scope{
	"":                {"H": "host", "l": "log-level", "j": "json", "i": "interval", "r": "random"},
	"kill":            {"s": "signal", "l": "limit"},
	"stop":            {"t": "time", "l": "limit", "r": "restart", "d": "duration"},
	"restart":         {"t": "timeout", "l": "limit"},
	"pause":           {"d": "duration", "l": "limit"},
	"rm":              {"f": "force", "n": "links", "v": "volumes", "l": "limit"},
	"exec":            {"s": "command", "a": "args", "l": "limit"},
	"stress":          {"d": "duration", "l": "limit"},
	"netem":           {"d": "duration", "i": "interface", "t": "target", "l": "limit"},
	"netem delay":     {"t": "time", "j": "jitter", "c": "correlation", "d": "distribution"},
	"netem loss":      {"p": "percent", "c": "correlation"},
	"netem duplicate": {"p": "percent", "c": "correlation"},
	"netem corrupt":   {"p": "percent", "c": "correlation"},
	"netem rate":      {"r": "rate", "p": "packetoverhead", "s": "cellsize", "c": "celloverhead"},
	"iptables":        {"d": "duration", "i": "interface", "p": "protocol", "l": "limit", "s": "source"},
	"iptables loss":   {"m": "mode"},
}

// same maps the alternative names of flags to their main names.
var same = map[string]string{
	"labels": "label", "src": "source", "dest": "destination", "sport": "src-port", "dport": "dst-port",
	"egressPort": "egress-port", "ingressPort": "ingress-port",
}

// quiet are the flags that say how pumba works and do not affect the fault.
var quiet = []string{
	"log-level", "json", "slackhook", "slackchannel", "tls", "tlsverify", "tlscacert", "tlscert", "tlskey", "tc-image",
	"iptables-image", "stress-image",
	"pull-image", "skip-error", "inject-cgroup", "interface",
}

// A call is a command of pumba: its words by place, and its flags.
type call struct {
	line    int
	words   []string
	flags   map[string][]string
	used    map[string]bool
	unknown bool // it has a word that only the shell can evaluate
}

func (c *call) flag(name string) string {
	c.used[name] = true
	if all := c.flags[name]; len(all) > 0 {
		return all[len(all)-1]
	}
	return ""
}

// convert reads a script, or one command. A command in the background does not delay those after it.
func convert(d *draft.Builder, source []byte) error {
	all, err := shell.Read(d, source, shell.Dialect{Programs: []string{"pumba", "wait", "sleep"}})
	if err != nil {
		return err
	}
	run(d, all)
	return nil
}

// run converts commands, one after the other.
func run(d *draft.Builder, all []shell.Command) {
	for _, one := range all {
		switch {
		case one.Beside != nil:
			d.Background(func() { run(d, one.Beside) })
		case one.Lost != "":
			d.Lost(one.Line, "%s", one.Lost)
		case one.Program == "wait":
			d.WaitForAll()
		case one.Program == "sleep":
			d.Wait(one.Pause)
		default:
			words, unknown := one.Plain()
			c := parse(one.Line, words)
			c.unknown = unknown
			convertCall(d, c)
		}
	}
}

// parse separates flags from words.
func parse(line int, words []string) *call {
	c := &call{line: line, flags: map[string][]string{}, used: map[string]bool{}}
	for i := 0; i < len(words); i++ {
		name, ok := strings.CutPrefix(words[i], "-")
		if !ok || name == "" {
			c.words = append(c.words, words[i])
			continue
		}
		name = strings.TrimPrefix(name, "-")
		name, value, given := strings.Cut(name, "=")
		in := first(c.words)
		if (in == "netem" || in == "iptables") && len(c.words) > 1 {
			in += " " + c.words[1]
		}
		if full, ok := short[in][name]; ok {
			name = full
		}
		if full, ok := same[name]; ok {
			name = full
		}
		switch {
		case given:
		case slices.Contains(switches, name):
			value = "true"
		case i+1 < len(words):
			i++
			value = words[i]
		}
		c.flags[name] = append(c.flags[name], value)
	}
	return c
}

func first(words []string) string {
	if len(words) > 0 {
		return words[0]
	}
	return ""
}

// convertCall converts one command.
func convertCall(d *draft.Builder, c *call) {
	kind, rest := first(c.words), c.words
	if len(rest) > 0 {
		rest = rest[1:]
	}
	if kind == "netem" || kind == "iptables" {
		kind += " " + first(rest)
		if len(rest) > 0 {
			rest = rest[1:]
		}
	}
	if c.unknown {
		d.Lost(c.line, "pumba %s: a variable or a command of the shell is in it", kind)
		return
	}
	runtime := cmp.Or(c.flag("runtime"), "docker")
	if runtime != "docker" && runtime != "podman" {
		d.Lost(c.line, "pumba %s --runtime %s: brunt breaks containers of an engine with the API of Docker", kind,
			draft.Clip(runtime, 20))
		return
	}
	if c.flag("dry-run") == "true" {
		d.Lost(c.line, "pumba %s with --dry-run: it breaks nothing", kind)
		return
	}
	f := draft.Fault{Name: strings.ReplaceAll(kind, "netem ", ""), Line: c.line, Settings: new(draft.Node)}
	network, lost, ok := faultOf(&f, c, kind)
	if !ok {
		d.Lost(c.line, "%s", strings.Join(append([]string{"pumba " + draft.Clip(kind, 40)}, lost...), ": "))
		return
	}
	_, f.For, ok = draft.Duration(c.flag("duration"), time.Second)
	if draft.IsOneShot(f.Kind) {
		f.For = 0
	} else if !ok {
		f.For, f.Guessed = draft.GuessedFor, true
	}
	if _, every, ok := draft.Duration(c.flag("interval"), time.Second); ok {
		f.Every, f.Repeat = every, 3
		lost = append(lost, "--interval "+c.flag("interval")+" has no end in pumba; here it is three times")
	}
	units, more := subjects(d, c, rest)
	if len(units) == 0 {
		d.Lost(c.line, "pumba %s: %s", kind, strings.Join(more, "; "))
		return
	}
	if lost = append(lost, more...); runtime == "podman" {
		lost = append(lost, "--runtime podman: the engine is the one at DOCKER_HOST; name Podman's socket there")
	}
	for i, u := range units {
		one := f
		one.Settings = new(draft.Node)
		more := subject(one.Settings, c, u, network)
		for _, s := range f.Settings.Fields {
			one.Settings.Set(s.Key, s.Value)
		}
		one.Name = f.Name + "-" + u.name
		n := d.Inject(one)
		if i == 0 {
			tellLost(d, n, c, append(lost, more...))
		}
	}
}

// faultOf sets the kind of a fault and its settings. Network means that it acts on packets. Lost lists the parts
// without a counterpart.
func faultOf(f *draft.Fault, c *call, kind string) (network bool, lost []string, ok bool) {
	s := f.Settings
	switch kind {
	case "kill":
		f.Kind = "process.crash"
		if name := strings.TrimPrefix(strings.ToUpper(c.flag("signal")), "SIG"); name != "" && name != "KILL" {
			s.Set("signal", draft.Plain(name))
		}
		return false, nil, true
	case "pause":
		f.Kind = "container.pause"
		return false, nil, true
	case "stop":
		f.Kind = "container.stop"
		s.SetDuration("grace", c.flag("time"), time.Second)
		if c.flag("restart") != "true" {
			lost = append(lost, "without --restart pumba leaves it stopped: brunt starts it again")
		}
		return false, lost, true
	case "rm":
		f.Kind = "container.kill"
		return false, []string{"pumba removes the container: brunt kills it and starts it again"}, true
	case "restart":
		f.Kind = "container.restart"
		s.SetDuration("grace", c.flag("timeout"), time.Millisecond)
		return false, nil, true
	case "stress":
		lost, ok = stress(f, c)
		return false, lost, ok
	}
	needs, lost := packets(f, c, kind)
	return true, lost, f.Kind != "" && s.Get(needs) != nil
}

// packets sets the settings of a fault on packets, and returns the setting that is required.
func packets(f *draft.Fault, c *call, kind string) (needs string, lost []string) {
	s := f.Settings
	needs = "percent"
	correlation := func() {
		if v := c.flag("correlation"); v != "" && v != "0" {
			lost = append(lost, "--correlation "+draft.Harmless("", v))
		}
	}
	switch kind {
	case "netem delay":
		f.Kind, needs = "network.latency", "delay"
		s.SetDuration("delay", cmp.Or(c.flag("time"), "100"), time.Millisecond).SetDuration("jitter",
			cmp.Or(c.flag("jitter"), "10"), time.Millisecond)
		if v := draft.Percent(cmp.Or(c.flag("correlation"), "20"), false); s.Get("jitter") != nil && v != nil &&
			v.YAML != "0%" {
			s.Set("correlation", v)
		}
	case "netem loss", "netem duplicate", "netem corrupt":
		f.Kind = strings.Replace(kind, "netem ", "network.", 1)
		s.SetPercent("percent", c.flag("percent"))
		correlation()
	case "iptables loss":
		f.Kind = "network.loss"
		switch every, err := strconv.Atoi(c.flag("every")); {
		case c.flag("mode") != "nth":
			if v := draft.Percent(cmp.Or(c.flag("probability"), "0"), true); v != nil {
				s.Set("percent", v)
			}
		case err == nil && every > 0:
			s.SetPercent("percent", strconv.FormatFloat(100/float64(every), 'g', 6, 64))
			lost = append(lost, "--mode nth: that share of packets, each on its own")
		}
		lost = append(lost, "it loses what comes in alone: here packets are lost both ways")
	case "netem rate":
		f.Kind, needs = "network.bandwidth", "rate"
		s.SetRate(cmp.Or(c.flag("rate"), "100kbit"))
	default:
		return needs, nil
	}
	if v := s.Get(needs); v == nil || v.YAML == "0%" {
		s.Fields = nil
		lost = []string{"it has no " + needs + " above 0"}
	}
	return needs, lost
}

// stress converts the stressors of stress-ng.
func stress(f *draft.Fault, c *call) (lost []string, ok bool) {
	words := strings.Fields(strings.ReplaceAll(cmp.Or(c.flag("stressors"), "--cpu 4 --timeout 60s"), "=", " "))
	used := map[int]bool{}
	at := func(names ...string) string {
		for _, name := range names {
			if i := slices.Index(words, name); i >= 0 && i+1 < len(words) {
				used[i], used[i+1] = true, true
				return words[i+1]
			}
		}
		return ""
	}
	at("--timeout", "-t") // pumba's own duration ends the stress
	switch {
	case at("--cpu", "-c") != "":
		f.Kind = "stress.cpu"
		f.Settings.SetWhole("workers", at("--cpu", "-c")).SetPercent("load", at("--cpu-load", "-l"))
	case at("--vm", "-m") != "":
		f.Kind = "stress.memory"
		if size := cmp.Or(at("--vm-bytes"), "256M"); strings.HasSuffix(size, "%") {
			f.Settings.SetPercent("percent", size)
		} else {
			f.Settings.SetSize(size)
		}
		if f.Settings.Fields == nil {
			return []string{"the memory that it takes"}, false
		}
		if workers := at("--vm", "-m"); workers != "1" {
			lost = append(lost, workers+" workers of --vm: the memory is taken once")
		}
	default:
		workers := at("--io", "-i")
		if workers == "" {
			workers = at("--hdd", "-d")
		}
		if workers == "" {
			return []string{"its stressors"}, false
		}
		f.Kind = "stress.io"
		f.Settings.SetWhole("workers", workers)
	}
	for i := 0; i < len(words); i++ {
		if used[i] {
			continue
		}
		flag := words[i]
		if next := i + 1; next < len(words) && !used[next] && !strings.HasPrefix(words[next], "-") {
			i++
			flag += " " + words[i]
		}
		lost = append(lost, flag+" of its stressors")
	}
	return lost, true
}

// A unit names containers that a command acts on.
type unit struct {
	name string
	many bool // several containers may carry the labels
}

// subjects names the containers that a command acts on.
func subjects(d *draft.Builder, c *call, words []string) (out []unit, lost []string) {
	c.used["label"] = true
	labels := map[string]string{}
	for _, list := range c.flags["label"] {
		for l := range strings.SplitSeq(list, ",") {
			k, v, ok := strings.Cut(l, "=")
			if labels[k] = v; !ok || k == "" {
				return nil, []string{"a label without a name and a value"}
			}
		}
	}
	if len(words) > 0 && len(labels) > 0 {
		lost = append(lost, "--label besides names: the names select")
	}
	random, limit := c.flag("random") == "true", c.flag("limit")
	if len(words) > 1 && (random || limit != "") {
		n := cmp.Or(limit, "1")
		if random {
			n = "1"
		}
		if v, err := strconv.Atoi(n); err != nil || v < len(words) {
			lost = append(lost,
				fmt.Sprintf("%s of the %d containers at random: here all are hit, one after the other; give them a label", n,
					len(words)))
		}
	}
	for _, w := range words {
		if pattern, ok := strings.CutPrefix(w, "re2:"); ok {
			name := draft.Slug(pattern, "matching")
			selector := (&draft.Node{}).Set("labels", (&draft.Node{}).Set("name", draft.Plain(name)))
			selector.Say("A guess: brunt selects containers by name, label or project, and by no pattern such as " + pattern +
				".")
			out = append(out, unit{d.Unit(name, selector), true})
			lost = append(lost, "the pattern "+pattern+": say under target.units which containers these are")
			continue
		}
		out = append(out, unit{d.Container(w), false})
	}
	if len(words) == 0 && len(labels) > 0 {
		out = append(out, unit{d.Labelled(labels), true})
	} else if len(words) == 0 {
		lost = append(lost, "all containers of the engine: name them")
	}
	return out, lost
}

// subject sets the containers, or the link, that a fault acts on.
func subject(s *draft.Node, c *call, u unit, network bool) (lost []string) {
	targets := c.flags["target"]
	if len(targets) == 0 {
		targets, c.used["source"] = c.flags["source"], true
	}
	c.used["target"] = true
	if network && len(targets) > 0 {
		s.Set("from", draft.Plain(u.name)).Set("to", draft.Plain(targets[0]))
	} else {
		s.Set("service", draft.Plain(u.name))
	}
	if len(targets) > 1 {
		lost = append(lost, "several targets: "+strings.Join(targets[1:], ", ")+"; make a fault with `to` of each")
	}
	switch limit := c.flag("limit"); {
	case !u.many:
	case c.flag("random") == "true":
		s.Set("pick", draft.Raw("one"))
	case limit != "" && limit != "0":
		if s.SetWhole("pick", limit); s.Get("pick") == nil {
			lost = append(lost, "--limit "+draft.Harmless("", limit))
		}
	default:
		s.Set("pick", draft.Raw("all"))
	}
	if !network {
		return lost
	}
	list := draft.List()
	for _, name := range []string{"egress-port", "ingress-port", "dst-port"} {
		for _, p := range strings.FieldsFunc(c.flag(name), func(r rune) bool { return r == ',' || r == ' ' }) {
			if v, err := strconv.ParseUint(p, 10, 16); err == nil && v > 0 {
				list.Items = append(list.Items, draft.Number(int(v)))
			} else {
				lost = append(lost, "the port of --"+name)
			}
		}
	}
	if len(list.Items) > 0 {
		s.Set("ports", list)
	}
	return lost
}

// tellLost reports the parts of a command without a counterpart.
func tellLost(d *draft.Builder, n *draft.Node, c *call, lost []string) {
	for _, name := range draft.SortedKeys(c.flags) {
		value := c.flags[name][len(c.flags[name])-1]
		if name == "interface" && value != "eth0" || !c.used[name] && !slices.Contains(quiet, name) {
			lost = append(lost, strings.TrimSpace("--"+draft.Clip(name, 40)+" "+draft.Harmless(name, value)))
		}
	}
	for _, l := range lost {
		d.LoseAt(&n.Above, c.line, "%s", l)
	}
}
