package drills

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"brunt/scenarios/syntax"
)

// Digest returns the digest of a drill on a system of its proof. It covers the scenario, the faults and the
// objectives with their params filled in. So it changes with everything that a run depends on, but not with the
// sentences and the comments of the file. A nil mutant is the good system.
func (d *Drill) Digest(mutant *Mutant) string { return d.digest(mutant, demo) }

// digest returns the digest of a drill on the system whose scenario is the text.
func (d *Drill) digest(mutant *Mutant, system string) string {
	m, nodes := &syntax.Mistakes{}, 0
	roles := d.Proof.Roles.Map()
	all := &syntax.Node{Kind: syntax.Map}
	add := func(key string, n *syntax.Node) {
		if n != nil {
			set(all, key, sorted(filled(n, "role", roles, m)))
		}
	}
	add("system", syntax.Read("system", []byte(system), m, &nodes))
	add("proof", d.Over(mutant))
	add("lasts", text(d.Lasts.String()))
	add("scenario", d.Scenario)
	if d.Chaos != nil {
		add("chaos", acted(filled(d.Chaos, "role", roles, m), Processes))
	}
	slo := &syntax.Node{Kind: syntax.List}
	for i := range d.SLO {
		slo.Items = append(slo.Items, text(d.SLO[i].Name+": "+d.SLO[i].Objective))
	}
	add("slo", slo)
	for _, phase := range d.Inherit {
		add("inherit", text(phase))
	}
	if mutant != nil {
		for _, name := range mutant.Fails {
			add("fails", text(name))
		}
	}
	sum := sha256.Sum256([]byte(syntax.WriteYAML(all, func(s string) string { return s })))
	return hex.EncodeToString(sum[:6])
}

// sorted returns a copy with the keys sorted by name, because their order has no meaning.
func sorted(n *syntax.Node) *syntax.Node {
	out := *n
	out.Fields, out.Items = slices.Clone(n.Fields), slices.Clone(n.Items)
	slices.SortStableFunc(out.Fields, func(a, b syntax.Field) int { return strings.Compare(a.Key, b.Key) })
	for i := range out.Fields {
		out.Fields[i].Value = sorted(out.Fields[i].Value)
	}
	for i := range out.Items {
		out.Items[i] = sorted(out.Items[i])
	}
	return &out
}

// Outdated lists the systems in the proof of a library drill on which the drill, as it is now, was not proved: there
// is no record, or the record has another digest. A drill of real systems alone has no records.
func (d *Drill) Outdated(records []Record) (out []string, err error) {
	if d, err = builtin(d.Name, d.Proof.Set); err != nil || !d.Proof.OnBuiltin() {
		return nil, err
	}
	of := []*Mutant{nil}
	for i := range d.Proof.Mutants {
		of = append(of, &d.Proof.Mutants[i])
	}
	for _, mutant := range of {
		name, digest := mutant.system(), d.Digest(mutant)
		if !slices.ContainsFunc(records, func(r Record) bool {
			return r.Drill == d.Name && r.System == name &&
				r.Digest == digest
		}) {
			out = append(out, name)
		}
	}
	return out, nil
}

// system returns the name of a system of a proof: Good if the mutant is nil.
func (m *Mutant) system() string {
	if m == nil {
		return Good
	}
	return m.Name
}
