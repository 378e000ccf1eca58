package convert

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/convert/shell"
	"brunt/scenarios/syntax"
)

// A toxicScript is a script of toxiproxy-cli under conversion.
type toxicScript struct {
	d       *draft.Builder
	proxies []*syntax.Node
	faults  []*proxyFault // in the order in which they begin
	all     []timedCommand
	now     time.Duration // since the begin of the script, by its pauses
}

// A timedCommand is a command with its time.
type timedCommand struct {
	shell.Command
	at time.Duration
}

// A proxyFault is a toxic that the script adds, or a proxy that it disables.
type proxyFault struct {
	proxy string
	toxic *syntax.Node // nil: the proxy is disabled
	line  int
	begin time.Duration
	lasts time.Duration // zero: the script does not say
	ended bool
}

// name returns the name by which the script removes a toxic.
func (f *proxyFault) name(d *draft.Builder) string {
	return cmp.Or(d.Text(f.toxic, "name"), d.Text(f.toxic, "type")+"_"+cmp.Or(d.Text(f.toxic, "stream"), "downstream"))
}

// toxiproxyCommands reads the proxies and toxics that the commands of a script make. The pauses between adding and
// removing a toxic say how long it lasts, and those between two of them by how much they overlap.
func toxiproxyCommands(d *draft.Builder, source []byte) error {
	all, err := shell.Read(d, source, shell.Dialect{Programs: []string{"toxiproxy-cli", "wait", "sleep"}})
	if err != nil {
		return err
	}
	s := &toxicScript{d: d}
	s.schedule(all, 0)
	slices.SortStableFunc(s.all, func(a, b timedCommand) int { return cmp.Compare(a.at, b.at) })
	for _, c := range s.all {
		words, unknown := c.Plain()
		if s.now = c.at; unknown {
			d.Lost(c.Line, "toxiproxy-cli %s: a variable or a command of the shell is in it",
				strings.Join(first(words, 2), " "))
		} else {
			s.command(c.Line, words)
		}
	}
	links := map[string]*link{}
	for _, p := range s.proxies {
		name := d.Text(p, "name")
		links[name] = linkOf(d, p, slices.ContainsFunc(s.faults, func(f *proxyFault) bool { return f.proxy == name }))
	}
	var branches []func()
	for _, f := range s.faults {
		l := links[f.proxy]
		if l == nil {
			continue
		}
		branches = append(branches, func() {
			d.Wait(f.begin - s.faults[0].begin)
			if f.toxic == nil {
				l.down(f.line, f.lasts)
			} else {
				l.toxic(f.toxic, f.lasts)
			}
		})
	}
	d.Together(branches...)
	return nil
}

// schedule adds commands that begin at a time, and returns when they end. Those in the background have their own time.
func (s *toxicScript) schedule(all []shell.Command, now time.Duration) time.Duration {
	last := now
	for _, c := range all {
		switch {
		case c.Beside != nil:
			last = max(last, s.schedule(c.Beside, now))
		case c.Lost != "":
			s.d.Lost(c.Line, "%s", c.Lost)
		case c.Program == "wait":
			now = max(now, last)
		case c.Program == "sleep":
			now += c.Pause
		default:
			s.all = append(s.all, timedCommand{c, now})
		}
	}
	return now
}

func first(words []string, n int) []string { return words[:min(n, len(words))] }

// cliFlags maps the flags of toxiproxy-cli to their names. Those in cliSwitches have no value.
var (
	cliFlags = map[string]string{
		"l": "listen", "listen": "listen", "u": "upstream", "upstream": "upstream", "d": "downstream",
		"downstream": "downstream", "n": "name", "toxicName": "name", "t": "type", "type": "type", "tox": "toxicity",
		"toxicity": "toxicity", "a": "attribute", "attribute": "attribute", "h": "host", "host": "host",
	}
	cliSwitches = []string{"downstream", "upstream"}
)

// command converts a command that makes or removes a proxy or a toxic. Others only read.
func (s *toxicScript) command(line int, call []string) {
	var words []string
	flags := map[string][]string{}
	for i := 0; i < len(call); i++ {
		flag, ok := strings.CutPrefix(call[i], "-")
		name, value, given := strings.Cut(strings.TrimPrefix(flag, "-"), "=")
		long := cliFlags[name]
		switch {
		case !ok:
			words = append(words, call[i])
			continue
		case long == "":
			s.d.Lost(line, "the flag -%s of toxiproxy-cli", draft.Clip(name, 40))
			continue
		case !given && !(slices.Contains(cliSwitches, long) && slices.Contains(words, "toxic")) && i+1 < len(call):
			i++
			value = call[i]
		}
		flags[long] = append(flags[long], value)
	}
	flag := func(name string) string { return strings.Join(first(flags[name], 1), "") }
	verb := strings.Join(first(words, 1), "")
	if verb == "toxic" || verb == "t" {
		verb = "toxic " + strings.Join(first(words[1:], 1), "")
		words = words[1:]
	}
	if len(words) < 2 {
		return // list, or an incomplete command
	}
	name := words[1]
	switch verb {
	case "create", "c":
		p := s.proxy(line, name)
		p.Fields = append(p.Fields, mapOf(line, "upstream", flag("upstream"), "listen", flag("listen")).Fields...)
	case "delete", "d":
		s.end(func(f *proxyFault) bool { return f.proxy == name })
	case "toggle", "tog":
		s.proxy(line, name)
		if !s.end(func(f *proxyFault) bool { return f.proxy == name && f.toxic == nil }) {
			s.faults = append(s.faults, &proxyFault{proxy: name, line: line, begin: s.now})
		}
	case "toxic add", "toxic a":
		attributes := mapOf(line)
		for _, a := range flags["attribute"] {
			key, value, _ := strings.Cut(a, "=")
			attributes.Fields = append(attributes.Fields, mapOf(line, key, value).Fields...)
		}
		stream := ""
		if flags["upstream"] != nil {
			stream = "upstream"
		}
		s.proxy(line, name)
		s.faults = append(s.faults, &proxyFault{
			proxy: name, line: line, begin: s.now, toxic: mapOf(line, "name", flag("name"), "type", flag("type"),
				"stream", stream, "toxicity", flag("toxicity"), "attributes", attributes),
		})
	case "toxic remove", "toxic r", "toxic delete", "toxic d":
		s.end(func(f *proxyFault) bool { return f.proxy == name && f.toxic != nil && f.name(s.d) == flag("name") })
	case "toxic update", "toxic u":
		s.d.Lost(line, "toxiproxy-cli toxic update %s: the toxic stays as it was added", draft.Clip(name, 40))
	}
}

// end ends faults, and reports whether there were any. A fault that ends at once has a guessed duration.
func (s *toxicScript) end(which func(*proxyFault) bool) (some bool) {
	for _, f := range s.faults {
		if !f.ended && which(f) {
			f.lasts, f.ended, some = s.now-f.begin, true, true
		}
	}
	return some
}

// proxy returns a proxy by its name. The script may not make it itself.
func (s *toxicScript) proxy(line int, name string) *syntax.Node {
	for _, p := range s.proxies {
		if p.Get("name").Value == name {
			return p
		}
	}
	p := mapOf(line, "name", name)
	s.proxies = append(s.proxies, p)
	return p
}
