package drills

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/scenarios/syntax"
)

// actKinds maps each act to the kind of fault that it becomes on each platform. An act on a link becomes the same
// kind everywhere.
var actKinds = map[string]map[Breaks]string{
	"crash":   {Processes: "process.crash", Pods: "process.crash", Containers: "container.kill"},
	"stop":    {Processes: "process.stop", Pods: "container.stop", Containers: "container.stop"},
	"restart": {Processes: "process.restart", Pods: "process.restart", Containers: "container.restart"},
	"hang":    {Processes: "process.freeze", Pods: "process.freeze", Containers: "container.pause"},
	"starve":  {Processes: "cpu.throttle", Pods: "cpu.throttle", Containers: "cpu.throttle"},
	"slow": {
		Processes: "network.latency", Pods: "network.latency", Containers: "network.latency",
		LinkOnly: "network.latency",
	},
	"cut": {
		Processes: "network.blackhole", Pods: "network.blackhole", Containers: "network.blackhole",
		LinkOnly: "network.blackhole",
	},
}

// stays maps a kind that an act becomes to its default duration, for entries without `for`. The engine starts a
// crashed container again when brunt lets it.
var stays = map[string]string{"container.kill": "6s"}

// starvedShare is the share of a processor that a starved unit keeps, unless the act says otherwise.
const starvedShare = "5%"

// entries calls each for the entries of `chaos` and for the steps of its groups.
func entries(n *syntax.Node, each func(entry *syntax.Node)) {
	if n == nil {
		return
	}
	for _, f := range n.Fields {
		each(f.Value)
		if steps := f.Value.Get("steps"); steps != nil {
			for _, step := range steps.Items {
				each(step)
			}
		}
	}
}

// actOf returns the act of an entry. The result is empty if the entry has a kind or steps instead.
func actOf(entry *syntax.Node) syntax.Field {
	for _, f := range entry.Fields {
		if actKinds[f.Key] != nil {
			return f
		}
	}
	return syntax.Field{}
}

// acts checks the acts of `chaos`.
func acts(n *syntax.Node, m *syntax.Mistakes) {
	entries(n, func(entry *syntax.Node) {
		f := actOf(entry)
		switch {
		case f.Key == "":
			return
		case f.Value.Kind == syntax.String:
		case f.Value.Kind == syntax.Map && f.Value.Get("on") != nil:
		default:
			m.AddHint(f.Value.Pos, "such as "+f.Key+": {on: \"${role.replica}\"}", "%s says what it acts on", f.Key)
		}
	})
}

// possible returns an error if the drill needs an act that brunt can't do to a system.
func (d *Drill) possible(b Breaks) (err error) {
	entries(d.Chaos, func(entry *syntax.Node) {
		f := actOf(entry)
		if f.Key == "" || actKinds[f.Key][b] != "" || err != nil {
			return
		}
		err = fmt.Errorf("the drill %s has to %s a part of the system, and brunt reaches only its URL; --service "+
			"NAME=container:CONTAINER "+
			"names a container of it", d.Name, f.Key)
	})
	return err
}

// markRequests marks the roles whose requests a fault acts on.
func (d *Drill) markRequests() {
	entries(d.Chaos, func(entry *syntax.Node) {
		for _, f := range entry.Fields {
			known, ok := catalog.Faults().Find(f.Key)
			if !ok || known.On&chaos.OnLinks == 0 || known.On&chaos.OnPackets != 0 || f.Value.Get("on") == nil {
				continue
			}
			for i := range d.Roles {
				d.Roles[i].requests = d.Roles[i].requests || f.Value.Get("on").Value == "${role."+d.Roles[i].Name+"}"
			}
		}
	})
}

// acted returns a copy of `chaos` in which each act is replaced by the platform's kind of fault. The roles must be
// filled in.
func acted(n *syntax.Node, b Breaks) *syntax.Node {
	if n == nil {
		return nil
	}
	out := *n
	out.Fields = nil
	for _, f := range n.Fields {
		entry := withKind(f.Value, b)
		for i, sub := range entry.Fields {
			if sub.Key != "steps" {
				continue
			}
			steps := *sub.Value
			steps.Items = nil
			for _, step := range sub.Value.Items {
				steps.Items = append(steps.Items, withKind(step, b))
			}
			entry.Fields[i].Value = &steps
		}
		out.Fields = append(out.Fields, syntax.Field{Key: f.Key, Pos: f.Pos, Value: entry})
	}
	return &out
}

// withKind returns an entry, or a step, with its act replaced by a kind. `on` selects a part for every kind of fault.
func withKind(entry *syntax.Node, b Breaks) *syntax.Node {
	out := *entry
	out.Fields = slices.Clone(entry.Fields)
	for i, f := range out.Fields {
		kind, act := cmp.Or(actKinds[f.Key][b], f.Key), actKinds[f.Key] != nil
		if f.Key == "crash" && f.Value.Get("irreversible") != nil && kind == "container.kill" {
			kind = "process.crash" // the container's own restart policy has to see a crash, and container.kill keeps it down
		}
		part := f.Value
		settings := &syntax.Node{Kind: syntax.Map}
		if f.Value.Kind == syntax.Map && f.Key != "pulse" {
			part = f.Value.Get("on")
			settings = f.Value.Without(func(key string) bool {
				return key == "on" || key == "irreversible" && kind != "process.crash" && kind != "process.stop" ||
					act && key == "processes" && !strings.HasPrefix(kind, "process.")
			})
		} else if !act {
			continue
		}
		if part == nil {
			continue
		}
		on, _ := part.Text(&syntax.Mistakes{})
		settings.Fields = append(selects(on), settings.Fields...)
		if f.Key == "starve" && settings.Get("share") == nil && settings.Get("processors") == nil {
			set(settings, "share", text(starvedShare))
		}
		out.Fields[i] = syntax.Field{Key: kind, Pos: f.Pos, Value: settings}
		if lasts := stays[kind]; lasts != "" && out.Get("for") == nil {
			out.Fields = append(out.Fields, syntax.Field{Key: "for", Value: text(lasts)})
		}
	}
	return &out
}

// selects returns the settings that select a part of a system.
func selects(part string) []syntax.Field {
	word := func(key, value string) syntax.Field {
		return syntax.Field{Key: key, Value: &syntax.Node{Kind: syntax.String, Value: value}}
	}
	from, to, link := strings.Cut(part, chaos.LinkArrow)
	zone, inZone := strings.CutPrefix(part, chaos.ZonePrefix)
	switch {
	case link:
		return []syntax.Field{word("from", from), word("to", to)}
	case inZone:
		return []syntax.Field{word("zone", zone)}
	case strings.HasSuffix(part, "]"):
		return []syntax.Field{word("unit", part)}
	}
	return []syntax.Field{word("service", part)}
}
