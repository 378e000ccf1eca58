package convert

import (
	"slices"
	"strings"
	"time"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/syntax"
)

// A toxicScript is a script of toxiproxy-cli under conversion.
type toxicScript struct {
	d       *draft.Builder
	proxies []*syntax.Node
	begins  map[*syntax.Node]time.Duration // when the toxics were added, by the pauses of the script
	lasts   map[*syntax.Node]time.Duration
	now     time.Duration
}

// toxiproxyCommands reads the proxies and toxics that the commands of a script make. The pauses between adding and
// removing a toxic say how long it lasts.
func toxiproxyCommands(d *draft.Builder, source []byte) error {
	all, err := d.Commands(source, "toxiproxy-cli", "sleep")
	if err != nil {
		return err
	}
	s := &toxicScript{
		d: d, begins: map[*syntax.Node]time.Duration{}, lasts: map[*syntax.Node]time.Duration{},
	}
	for _, c := range all {
		switch {
		case c.Program == "sleep" && len(c.Words) == 1:
			_, took, _ := draft.Duration(c.Words[0], time.Second)
			s.now += took
		case c.Unknown:
			d.Lost(c.Line, "toxiproxy-cli %s: a variable or a command of the shell is in it", strings.Join(first(c.Words, 2), " "))
		case c.Program == "toxiproxy-cli":
			s.command(c)
		}
	}
	for _, p := range s.proxies {
		convertProxy(d, p, s.lasts)
	}
	return nil
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
func (s *toxicScript) command(c draft.Command) {
	var words []string
	flags := map[string][]string{}
	for i := 0; i < len(c.Words); i++ {
		flag, ok := strings.CutPrefix(c.Words[i], "-")
		name, value, given := strings.Cut(strings.TrimPrefix(flag, "-"), "=")
		long := cliFlags[name]
		switch {
		case !ok:
			words = append(words, c.Words[i])
			continue
		case long == "":
			s.d.Lost(c.Line, "the flag -%s of toxiproxy-cli", draft.Clip(name, 40))
			continue
		case !given && !(slices.Contains(cliSwitches, long) && slices.Contains(words, "toxic")) && i+1 < len(c.Words):
			i++
			value = c.Words[i]
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
		p := s.proxy(c.Line, name)
		p.Fields = append(p.Fields, mapOf(c.Line, "upstream", flag("upstream"), "listen", flag("listen")).Fields...)
	case "toggle", "tog":
		p := s.proxy(c.Line, name)
		p.Fields = append(p.Fields, mapOf(c.Line, "enabled", "false").Fields...)
	case "toxic add", "toxic a":
		attributes := mapOf(c.Line)
		for _, a := range flags["attribute"] {
			key, value, _ := strings.Cut(a, "=")
			attributes.Fields = append(attributes.Fields, mapOf(c.Line, key, value).Fields...)
		}
		stream := ""
		if flags["upstream"] != nil {
			stream = "upstream"
		}
		t := mapOf(c.Line, "name", flag("name"), "type", flag("type"), "stream", stream, "toxicity", flag("toxicity"),
			"attributes", attributes)
		s.begins[t] = s.now
		list := s.proxy(c.Line, name).Get("toxics")
		list.Items = append(list.Items, t)
	case "toxic remove", "toxic r", "toxic delete", "toxic d":
		for _, t := range s.proxy(c.Line, name).Get("toxics").Items {
			if n := t.Get("name"); n != nil && n.Value == flag("name") && s.lasts[t] == 0 && s.now > s.begins[t] {
				s.lasts[t] = s.now - s.begins[t]
			}
		}
	case "toxic update", "toxic u":
		s.d.Lost(c.Line, "toxiproxy-cli toxic update %s: the toxic stays as it was added", draft.Clip(name, 40))
	}
}

// proxy returns a proxy by its name. The script may not make it itself.
func (s *toxicScript) proxy(line int, name string) *syntax.Node {
	for _, p := range s.proxies {
		if p.Get("name").Value == name {
			return p
		}
	}
	p := mapOf(line, "name", name, "toxics", &syntax.Node{Kind: syntax.List, Items: []*syntax.Node{}})
	s.proxies = append(s.proxies, p)
	return p
}
