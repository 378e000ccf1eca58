// The journal keeps the steps that take a fault back, so that any process that reads it can run them.
//
//	plan of the run, steps --Keep--> a scenario of the steps alone --> journal
//	journal --Operations--> the scenario, compiled --Iteration--> target
//
// The kept scenario has the URLs and settings of the target's endpoints, the addresses of units, and the allow-lists
// of the run, which apply to the steps wherever they are run. Secrets from the environment or from a file stay
// placeholders.

package guard

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/scenarios/allow"
	"brunt/scenarios/plan"
	"brunt/scenarios/syntax"
)

// A RevertRun describes a run to the steps that take its faults back.
type RevertRun struct {
	Plan  *plan.Plan
	Base  string            // the URL for relative paths; empty if there is none
	Units map[string]string // values of ${unit.…}, by the text of the placeholder
}

// kept are steps in a journal.
type kept struct {
	Dir     string        `json:"dir"`  // folder of the steps' scenario, which relative file names refer to
	From    string        `json:"from"` // name of the scenario's file
	Text    string        `json:"text"` // a scenario with the steps
	Timeout time.Duration `json:"timeout"`
	Allow   [][]string    `json:"allow"` // allow-lists besides loopback; an address must be in all of them
}

// KeepRun returns steps in the form that the journal keeps. It compiles its result, so that no fault is injected
// whose steps could not be run.
func KeepRun(r *RevertRun, s chaos.Sequence) (json.RawMessage, error) {
	dir, err := filepath.Abs(filepath.Dir(r.Plan.Scenario.File))
	if err != nil {
		return nil, err
	}
	k := kept{Dir: dir, From: filepath.Base(r.Plan.Scenario.File), Timeout: s.Timeout}
	for _, key := range []string{allow.Load, allow.Chaos} {
		for _, list := range r.Plan.AllowLists(key) {
			k.Allow = append(k.Allow, slices.Concat(list, r.Plan.LoadAllowlist.Own.Names()))
		}
	}
	k.Text = syntax.WriteYAML(r.scenario(s), func(text string) string { return text })
	if _, err := k.compile(); err != nil {
		return nil, fmt.Errorf("the steps can't be kept for another process: %w", err)
	}
	return json.Marshal(k)
}

// scenario returns a scenario with only these steps. Its load is never made.
func (r *RevertRun) scenario(s chaos.Sequence) *syntax.Node {
	root, sc := r.Plan.Scenario.Root, r.Plan.Scenario
	target := table()
	switch {
	case sc.Target.URL.IsZero() && r.Base != "":
		target.put("url", text(r.Base))
	case !sc.Target.URL.IsZero():
		target.put("url", root.Get("target").Get("url"))
	}
	for _, key := range []string{"tls", "endpoints"} {
		target.put(key, root.Get("target").Get(key))
	}
	var lists []*syntax.Node
	for _, key := range []string{allow.Load, allow.Chaos} {
		all := &syntax.Node{Kind: syntax.List}
		for _, list := range r.Plan.AllowLists(key) {
			for _, entry := range slices.Concat(list, r.Plan.LoadAllowlist.Own.Names()) {
				all.Items = append(all.Items, text(entry))
			}
		}
		lists = append(lists, all)
	}
	load := table().put("executor", text("constant-arrival-rate")).put("rate", text("1/s")).put("duration", text("1s"))
	if len(sc.Loads) > 0 { // steps outside of a load use the settings of the first load
		for _, key := range []string{"resolve", "connections"} {
			load.put(key, root.Get("load").Get(sc.Loads[0].Name).Get(key))
		}
	}
	steps := &syntax.Node{Kind: syntax.List}
	for _, step := range s.Steps.Items {
		one := &node{step.Without(func(string) bool { return false })}
		if s.At != "" && step.Get("at") == nil && step.Get("think") == nil {
			one.put("at", text(s.At))
		}
		steps.Items = append(steps.Items, one.Node)
	}
	load.put("flow", steps)
	return r.filled(table().put("version", &syntax.Node{Kind: syntax.Number, Value: "1"}).put("name",
		text("steps that take a fault back")).
		put("target", target.Node).put("guard",
		table().put("allow", table().put(allow.Load, lists[0]).put(allow.Chaos, lists[1]).Node).Node).
		put("load", table().put("steps", load.Node).Node).Node)
}

// node is a map that put adds keys to.
type node struct{ *syntax.Node }

func table() *node { return &node{&syntax.Node{Kind: syntax.Map}} }

// put adds a key, unless it has no value.
func (n *node) put(key string, value *syntax.Node) *node {
	if value != nil {
		n.Fields = append(n.Fields, syntax.Field{Key: key, Value: value})
	}
	return n
}

// text returns a text without placeholders.
func text(s string) *syntax.Node {
	n := &syntax.Node{Kind: syntax.String}
	n.SetParts([]syntax.Part{{Text: s}})
	return n
}

// filled returns a copy of n with the addresses of units filled in, and with absolute paths of the files that hold
// secrets.
func (r *RevertRun) filled(n *syntax.Node) *syntax.Node {
	out := *n
	out.Fields, out.Items, out.Parts = slices.Clone(n.Fields), slices.Clone(n.Items), slices.Clone(n.Parts)
	for i := range out.Parts {
		p := &out.Parts[i]
		switch {
		case p.Ref != nil && p.Ref.Kind == syntax.RefUnit && r.Units[p.Ref.Text] != "":
			*p = syntax.Part{Text: r.Units[p.Ref.Text], Filled: true}
		case p.Path != "":
			if path, err := filepath.Abs(p.Path); err == nil {
				p.Secret = "file." + path
			}
		}
	}
	for i := range out.Fields {
		out.Fields[i].Value = r.filled(out.Fields[i].Value)
	}
	for i := range out.Items {
		out.Items[i] = r.filled(out.Items[i])
	}
	return &out
}
