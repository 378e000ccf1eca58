package kubernetes

import (
	"strings"

	"brunt/scenarios/check"
	"brunt/scenarios/syntax"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Manifest is an object of a cluster, as the author of the scenario writes it.
type Manifest struct {
	at     syntax.Pos
	object map[string]any
}

func (o *Manifest) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	o.at = n.Pos
	if n.Kind != syntax.Map {
		m.AddHint(n.Pos, "such as {apiVersion: v1, kind: ResourceQuota, metadata: {name: full}, spec: {hard: {pods: 0}}}",
			"a manifest is a map, not %s", n.Describe())
		return
	}
	o.object, _ = n.Plain(m).(map[string]any)
}

func (*Manifest) Schema() syntax.Schema {
	return syntax.Schema{"type": "object", "required": []any{"apiVersion", "kind", "metadata"}}
}

// text returns the text at a path of keys; empty means that there is none.
func (o *Manifest) text(keys ...string) string {
	var v any = o.object
	for _, key := range keys {
		of, _ := v.(map[string]any)
		v = of[key]
	}
	text, _ := v.(string)
	return text
}

// check notes what a manifest lacks, given the namespace of the target.
func (o *Manifest) check(namespace string, m *syntax.Mistakes) {
	if o.object == nil { // reported already
		return
	}
	for _, keys := range [][]string{{"apiVersion"}, {"kind"}, {"metadata", "name"}} {
		if o.text(keys...) == "" {
			m.Add(o.at, "the manifest lacks %s", strings.Join(keys, "."))
		}
	}
	for _, why := range validation.IsDNS1123Subdomain(o.text("metadata", "name")) {
		if o.text("metadata", "name") != "" {
			m.Add(o.at, "%q is no name of an object: %s", syntax.Clip(o.text("metadata", "name"), 60), why)
		}
	}
	if ns := o.text("metadata", "namespace"); ns != "" && ns != namespace {
		m.Add(o.at, "the manifest is for the namespace %s, and faults hit the target's, %s", syntax.Clip(ns, 60), namespace)
	}
}

// Until lists the values, at JSON paths, that an object has once the fault is injected.
type Until []check.Field

func (u *Until) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind != syntax.Map || len(n.Fields) == 0 {
		m.AddHint(n.Pos, `such as until: {"$.status.phase": Running}`, "until is a map of JSON paths to values, not %s",
			n.Describe())
		return
	}
	for _, f := range n.Fields {
		if !strings.HasPrefix(f.Key, "$") {
			m.AddHint(f.Pos, `such as "$.status.phase"`, "%q is not a JSON path", syntax.Clip(f.Key, 60))
			continue
		}
		if k, ok := check.DecodePath(f, m); ok {
			for _, ref := range k.Refs() {
				m.Add(f.Value.Pos, "%s has a value only while requests are made", ref)
			}
			*u = append(*u, k)
		}
	}
}

func (*Until) Schema() syntax.Schema {
	return syntax.Schema{
		"type": "object", "minProperties": 1, "propertyNames": syntax.Schema{"pattern": `^\$`},
		"additionalProperties": (*check.Matcher)(nil).Schema(),
	}
}
