// Package pumba converts command lines of pumba into scenarios.
package pumba

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/convert/draft"

	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// Converter returns the converter for commands of pumba.
func Converter() draft.Converter {
	return draft.Converter{
		Name: "pumba", Source: "command lines of pumba", Convert: convert, Faults: true,
		Doc:   "a fault on the same containers for each command, one after the other",
		Usage: "Of pumba, what stands after -- is the command itself.", Words: draft.ShellWords("pumba"),
	}
}

// switches are the flags without a value, of all commands of pumba.
var switches = []string{
	"random", "dry-run", "skip-error", "json", "tls", "tlsverify", "restart", "force", "links", "volumes", "pull-image", "inject-cgroup", "interactive", "R",
}

// long has the names of flags by their short ones.
var long = map[string]string{
	"i": "interval", "r": "random", "l": "limit", "s": "signal", "d": "duration", "t": "time", "j": "jitter", "c": "correlation", "p": "percent", "n": "links",
	"v": "volumes", "f": "force", "T": "target",
}

// A call is a command of pumba: its words by place, and its flags.
type call struct {
	line  int
	words []string
	flags map[string][]string
}

func (c *call) flag(name string) string {
	if all := c.flags[name]; len(all) > 0 {
		return all[len(all)-1]
	}
	return ""
}

// convert reads a script, or one command.
func convert(d *draft.Builder, source []byte) (err error) {
	defer func() { // the shell parser may panic on untrusted text
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: this can't be read as commands of the shell", d.O.File)
		}
	}()
	file, err := syntax.NewParser().Parse(bytes.NewReader(bytes.ReplaceAll(source, []byte("\r\n"), []byte("\n"))), d.O.File)
	if err != nil {
		return fmt.Errorf("reading the command: %w", err)
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		if one, ok := n.(*syntax.CallExpr); ok && len(one.Args) > 0 {
			if words := literal(one.Args); words != nil {
				convertCall(d, parse(int(one.Pos().Line()), words))
			}
		}
		return true
	})
	return nil
}

// literal returns the words behind pumba, also behind `docker run … IMAGE`, or nil.
func literal(args []*syntax.Word) []string {
	var words []string
	begun := false
	for i, w := range args {
		s, err := expand.Literal(&expand.Config{Env: expand.FuncEnviron(func(string) string { return "" })}, w)
		if err != nil {
			s = ""
		}
		switch name, _, _ := strings.Cut(path.Base(s), ":"); {
		case begun:
			words = append(words, s)
		case name == "pumba" && (i == 0 || slices.Contains([]string{"docker", "sudo", "podman"}, args[0].Lit())):
			begun, words = true, []string{}
		}
	}
	return words
}

// parse tells flags from words.
func parse(line int, words []string) *call {
	c := &call{line: line, flags: map[string][]string{}}
	for i := 0; i < len(words); i++ {
		name, ok := strings.CutPrefix(words[i], "-")
		if !ok {
			c.words = append(c.words, words[i])
			continue
		}
		name = strings.TrimPrefix(name, "-")
		name, value, given := strings.Cut(name, "=")
		if full, ok := long[name]; ok && !slices.Contains([]string{"stop", "rm"}, first(c.words)) || ok && name == "d" {
			name = full
		}
		if !given && !slices.Contains(switches, name) && i+1 < len(words) {
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
	f := draft.Fault{Name: strings.ReplaceAll(kind, "netem ", ""), Line: c.line, Settings: new(draft.Node)}
	network, ok := faultOf(&f, c, kind)
	if !ok {
		d.Lost(c.line, "pumba %s", kind)
		return
	}
	_, f.For, ok = draft.Duration(c.flag("duration"), time.Second)
	if oneShot := f.Kind == "process.crash" || f.Kind == "container.restart"; oneShot {
		f.For = 0
	} else if !ok {
		f.For, f.Guessed = draft.GuessedFor, true
	}
	if _, every, ok := draft.Duration(c.flag("interval"), time.Second); ok {
		f.Every, f.Repeat = every, 3
	}
	units, lost := subjects(d, c, rest)
	for i, u := range units {
		one := f
		one.Settings = new(draft.Node)
		subject(one.Settings, c, u, network)
		for _, s := range f.Settings.Fields {
			one.Settings.Set(s.Key, s.Value)
		}
		one.Name = f.Name + "-" + u.name
		n := d.Inject(one)
		if i == 0 {
			tellLost(d, n, c, lost)
		}
	}
	if len(units) == 0 {
		d.Lost(c.line, "pumba %s on %s: %s", kind, strings.Join(rest, " "), strings.Join(lost, "; "))
	}
}

// faultOf sets the kind of a fault and its settings; network says that it acts on packets.
func faultOf(f *draft.Fault, c *call, kind string) (network, ok bool) {
	s := f.Settings
	percent := func() { s.SetPercent("percent", c.flag("percent")) }
	switch kind {
	case "kill":
		f.Kind = "process.crash"
		if name := strings.TrimPrefix(c.flag("signal"), "SIG"); name != "" && name != "KILL" {
			s.Set("signal", draft.Plain(name))
		}
		return false, true
	case "pause":
		f.Kind = "container.pause"
		return false, true
	case "stop", "rm":
		f.Kind = "container.stop"
		if kind == "rm" {
			f.Kind = "container.kill"
		}
		return false, true
	case "restart":
		f.Kind = "container.restart"
		return false, true
	case "stress":
		return false, stress(f, c)
	case "netem delay":
		f.Kind = "network.latency"
		s.SetDuration("delay", or(c.flag("time"), "100"), time.Millisecond).SetDuration("jitter", c.flag("jitter"), time.Millisecond)
		if c.flag("jitter") != "" && c.flag("correlation") != "" {
			s.SetPercent("correlation", c.flag("correlation"))
		}
	case "netem loss":
		f.Kind = "network.loss"
		percent()
	case "iptables loss":
		f.Kind = "network.loss"
		if v := draft.Percent(or(c.flag("probability"), "1"), true); v != nil {
			s.Set("percent", v)
		}
	case "netem duplicate":
		f.Kind = "network.duplicate"
		percent()
	case "netem corrupt":
		f.Kind = "network.corrupt"
		percent()
	case "netem rate":
		f.Kind = "network.bandwidth"
		s.SetRate(or(c.flag("rate"), "100kbit"))
	default:
		return false, false
	}
	want := map[string]string{"network.latency": "delay", "network.bandwidth": "rate"}[f.Kind]
	return true, s.Get(or(want, "percent")) != nil
}

// stress takes the stressors of stress-ng.
func stress(f *draft.Fault, c *call) bool {
	words := strings.Fields(or(c.flag("stressors"), "--cpu 4"))
	at := func(name string) string {
		if i := slices.Index(words, name); i >= 0 && i+1 < len(words) {
			return words[i+1]
		}
		return ""
	}
	switch {
	case at("--cpu") != "":
		f.Kind = "stress.cpu"
		f.Settings.SetWhole("workers", at("--cpu")).SetPercent("load", at("--cpu-load"))
	case at("--vm") != "":
		f.Kind = "stress.memory"
		f.Settings.SetSize(or(at("--vm-bytes"), "256M"))
	case at("--io") != "" || at("--hdd") != "":
		f.Kind = "stress.io"
		f.Settings.SetWhole("workers", or(at("--io"), at("--hdd")))
	default:
		return false
	}
	return true
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// A unit is what a command acts on.
type unit struct {
	name string
	many bool // several containers may carry the labels
}

// subjects names the containers of a command.
func subjects(d *draft.Builder, c *call, words []string) (out []unit, lost []string) {
	labels := map[string]string{}
	for _, l := range slices.Concat(c.flags["label"], c.flags["labels"]) {
		k, v, _ := strings.Cut(l, "=")
		labels[k] = v
	}
	for _, w := range words {
		if pattern, ok := strings.CutPrefix(w, "re2:"); ok {
			name := draft.Slug(pattern, "matching")
			selector := (&draft.Node{}).Set("labels", (&draft.Node{}).Set("name", draft.Plain(name)))
			selector.Say("A guess: brunt selects containers by name, label or project, and by no pattern such as " + pattern + ".")
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

// subject sets what a fault acts on.
func subject(s *draft.Node, c *call, u unit, network bool) {
	targets := c.flags["target"]
	if network && len(targets) == 1 {
		s.Set("from", draft.Plain(u.name)).Set("to", draft.Plain(targets[0]))
	} else {
		s.Set("service", draft.Plain(u.name))
	}
	switch _, random := c.flags["random"]; {
	case !u.many:
	case random:
		s.Set("pick", draft.Raw("one"))
	case len(c.flags["limit"]) > 0:
		s.SetWhole("pick", c.flag("limit"))
	default:
		s.Set("pick", draft.Raw("all"))
	}
	if ports := strings.Split(or(c.flag("egress-port"), c.flag("dst-port")), ","); network && ports[0] != "" {
		list := draft.List()
		for _, p := range ports {
			if v, err := strconv.ParseUint(p, 10, 16); err == nil && v > 0 {
				list.Items = append(list.Items, draft.Number(int(v)))
			}
		}
		if len(list.Items) > 0 {
			s.Set("ports", list)
		}
	}
}

// tellLost says what of a command has no counterpart.
func tellLost(d *draft.Builder, n *draft.Node, c *call, lost []string) {
	for _, l := range lost {
		d.LoseAt(&n.Above, c.line, "%s", l)
	}
	if len(c.flags["target"]) > 1 {
		d.LoseAt(&n.Above, c.line, "several targets: %s; make a fault with `to` of each", strings.Join(c.flags["target"], ", "))
	}
	for _, name := range draft.SortedKeys(c.flags) {
		switch name {
		case "probability":
			d.LoseAt(&n.Above, c.line, "it loses what comes in alone: here packets are lost both ways")
		case "distribution", "gap", "interface", "mode", "source", "ingress-port", "every", "packetoverhead", "cellsize", "celloverhead":
			d.LoseAt(&n.Above, c.line, "--%s %s", name, c.flag(name))
		case "interval":
			d.LoseAt(&n.Above, c.line, "--interval %s has no end in pumba; here it is three times", c.flag(name))
		}
	}
}
