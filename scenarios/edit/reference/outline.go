package reference

import (
	"cmp"
	"slices"
	"strings"
)

// A Key describes a key of a scenario.
type Key struct {
	Path     string   // such as chaos.network.latency.delay, without the names that the author chooses
	Name     string   // the last part of the path; a kind of fault is one part
	Text     string   // its meaning
	Values   []string // values that it may have, or examples of them
	Forms    []string // words for other values: text, a number
	Only     []string // executors that have the key; empty is all
	Required bool
	Fault    bool // it is a kind of fault
}

// An Outline is a key with the keys that are possible below it.
type Outline struct {
	Key
	Keys  []Key
	Named bool // the keys are below a name that the author chooses
}

// Outline returns the outline of a path of a scenario. The path has the keys from the top, with the names that the
// author chooses and without indexes of lists, such as load, browse, flow, get. An empty path is the scenario itself.
// It is false if the reference does not know the path.
func (r *Reference) Outline(path []string) (Outline, bool) {
	at, named, ok := r.resolve("", path)
	if !ok {
		return Outline{}, false
	}
	var o Outline
	e := r.entry(at)
	if e == nil {
		e = &entry{}
		for _, x := range r.topKeys() {
			if x.Path != "step" {
				e.Keys = append(e.Keys, x.Path)
			}
		}
	}
	o.Key = r.key(e, e.Path[:max(0, strings.LastIndexByte(e.Path, '.'))])
	o.Named = e.Named && !named
	if o.Named {
		return o, true
	}
	seen := map[string]bool{}
	add := func(keys []string, under string) {
		for _, p := range keys {
			e := r.entry(p)
			if k := r.key(e, under); !seen[k.Name] && !e.Pattern {
				seen[k.Name] = true
				o.Keys = append(o.Keys, k)
			}
		}
	}
	add(e.Keys, at)
	if step := r.entry("step"); e.Steps && step != nil {
		add(step.Keys, "step")
	}
	slices.SortFunc(o.Keys, func(a, b Key) int { return cmp.Compare(a.Name, b.Name) })
	return o, true
}

// resolve returns the path of the entry that keys lead to, starting from the entry at. Named means that the last key
// is a name that the author chose.
func (r *Reference) resolve(at string, keys []string) (path string, named, ok bool) {
	e := r.entry(at)
	if len(keys) == 0 {
		return at, false, at == "" || e != nil
	}
	if e != nil && e.Named {
		if len(keys) == 1 {
			return at, true, true
		}
		if path, named, ok = r.under(at, keys[1:]); ok {
			return path, named, true
		}
	}
	return r.under(at, keys)
}

// under resolves keys. The first of them is a key of the entry at.
func (r *Reference) under(at string, keys []string) (path string, named, ok bool) {
	for _, next := range []string{join(at, keys[0]), "step." + keys[0]} {
		e := r.entry(at)
		if strings.HasPrefix(next, "step.") && (e == nil || !e.Steps) || r.entry(next) == nil {
			continue
		}
		if path, named, ok = r.resolve(next, keys[1:]); ok {
			return path, named, true
		}
	}
	return "", false, false
}

// inWords maps forms that describe a value in words to the possible values.
var inWords = map[string][]string{
	"text": nil, "a whole number": nil, "a number": nil, "a list": nil, "a step": nil, "on or off": {"on", "off"},
	"true or false": {"true", "false"},
}

// key returns the key of an entry below the entry under. The name of a key may have dots, such as kafka.produce.
func (r *Reference) key(e *entry, under string) Key {
	k := Key{Path: e.Path, Text: period(e.Text), Only: e.Only, Required: e.Must, Fault: e.Sort == "fault"}
	if len(e.Only) >= r.executors-1 {
		k.Only = nil
	}
	k.Name = strings.TrimPrefix(strings.TrimPrefix(e.Path, under), ".")
	if k.Fault {
		k.Name = title(e)
	}
	for _, form := range e.Forms {
		values, words := inWords[form]
		switch {
		case !words:
			k.Values = append(k.Values, form)
		case values != nil:
			k.Values = append(k.Values, values...)
		case form != "a list" && form != "a step":
			k.Forms = append(k.Forms, form)
		}
	}
	return k
}
