package reference

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/catalog"
)

// endpoints adds the settings that a protocol's endpoints have besides their URL.
func (w *walker) endpoints() error {
	for _, p := range catalog.Protocols() {
		if p.Endpoint == nil || w.entries["target.endpoints"] == nil {
			continue
		}
		text, err := json.Marshal(syntax.SchemaOf(p.Endpoint, w.doc))
		if err != nil {
			return err
		}
		var s node
		if err := json.Unmarshal(text, &s); err != nil {
			return err
		}
		w.protocol = p.Name
		w.walk("target.endpoints", s, nil, "", true)
	}
	w.protocol = ""
	return nil
}

// putProtocols adds an entry for each protocol, with the keys of its steps and endpoints.
func (r *Reference) putProtocols() {
	for _, p := range catalog.Protocols() {
		e := &entry{Path: "protocol." + p.Name, Sort: "protocol", Text: p.Doc}
		for _, of := range []string{"step", "target.endpoints"} {
			if parent := r.entries[of]; parent != nil {
				for _, key := range parent.Keys {
					if slices.Contains(r.entries[key].Protocols, p.Name) {
						e.Keys = append(e.Keys, key)
					}
				}
			}
		}
		r.put(e)
	}
}

// protocolOf returns the protocol of an entry.
func protocolOf(e *entry) *targets.Descriptor {
	all := catalog.Protocols()
	i := slices.IndexFunc(all, func(p *targets.Descriptor) bool { return p.Name == title(e) })
	return all[i]
}

// protocolsTable lists the protocols.
func (r *Reference) protocolsTable() string {
	var out strings.Builder
	out.WriteString(head("Protocols", "protocol", "", "steps", "URLs", "further keys of a step", "keys of an endpoint"))
	for _, e := range r.of("protocol") {
		p := protocolOf(e)
		var steps, schemes, keys, endpoint []string
		for _, kind := range p.Kinds {
			steps = append(steps, "`"+kind+"`")
		}
		for _, s := range p.Schemes {
			schemes = append(schemes, "`"+s+"://`")
		}
		for _, path := range e.Keys {
			key, ofStep := strings.CutPrefix(path, "step.")
			switch {
			case !ofStep:
				_, key = cutLast(path)
				endpoint = append(endpoint, "`"+key+"`")
			case !slices.Contains(p.Kinds, key):
				keys = append(keys, "`"+key+"`")
			}
		}
		out.WriteString(row("`"+p.Name+"`", e.Text, strings.Join(steps, " "), strings.Join(schemes, " "),
			strings.Join(keys, " "), strings.Join(endpoint, " ")))
	}
	return out.String() +
		"\nA step goes to the target's own URL, or to an endpoint of `target: {endpoints: …}` with a scheme of its " +
		"protocol.\n"
}

// cutLast cuts a path at its last dot.
func cutLast(path string) (parent, name string) {
	i := strings.LastIndexByte(path, '.')
	return path[:max(i, 0)], path[i+1:]
}

// protocolChoice says how a protocol is chosen.
func protocolChoice(e *entry) string {
	p := protocolOf(e)
	return fmt.Sprintf("Steps: %s. URLs begin with %s://.", strings.Join(p.Kinds, ", "),
		strings.Join(p.Schemes, ":// or "))
}
