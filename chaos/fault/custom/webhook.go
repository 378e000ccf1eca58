package custom

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"

	"brunt/chaos"
	"brunt/chaos/probe"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// Webhook is the fault webhook.
type Webhook struct {
	Inject probe.Call `yaml:"inject,required"` // call that injects the fault: {post: URL, json: …}
	// call that takes the fault back, at any time and also twice; none if the fault ends by itself
	Revert revertCall `yaml:"revert,required"`
	Custom `yaml:",inline"`
}

// revertCall is a call, or `none`.
type revertCall struct {
	probe.Call
	none bool
}

func (c *revertCall) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if c.none = n.Kind == syntax.String && n.Value == noRevert; !c.none {
		syntax.Decode(n, &c.Call, m)
	}
}

var _ chaos.Fault = (*Webhook)(nil)

func (f *Webhook) Traits(sc chaos.Scope) chaos.Traits {
	t := f.Custom.Traits(sc)
	if t.OneShot = f.Revert.none; t.OneShot {
		return t
	}
	if method, _ := f.Revert.Method(); method != "" {
		t.Kept = append(t.Kept, f.Revert.String())
	}
	for _, name := range slices.Sorted(maps.Keys(f.Revert.Headers)) {
		v := f.Revert.Headers[name]
		t.Kept = append(t.Kept, name+": "+v.Text())
	}
	if f.Revert.JSON != nil {
		t.Kept = append(t.Kept, f.Revert.JSON.Text())
	}
	if f.Revert.Body != nil {
		t.Kept = append(t.Kept, f.Revert.Body.Text())
	}
	return t
}

func (f *Webhook) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.Custom.check(at, f.Revert.none, sc, m)
	f.Inject.Validate(sc, m)
	if !f.Revert.none {
		f.Revert.Validate(sc, m)
	}
}

func (f *Webhook) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	s := f.step("call", f.Inject.String(), f.name())
	inject, err := f.Inject.Resolve(env.Host, f.timeout())
	if err != nil && !env.Dry { // units that do not run yet have no address
		return nil, fmt.Errorf("inject: %w", err)
	}
	s.inject = inject
	if !f.Revert.none {
		s.backBy(opWebhook, f.Revert.String())
		revert, err := f.Revert.Resolve(env.Host, f.timeout())
		if err == nil {
			err = s.takeBack(revert, revert.Method, revert.Shows)
		}
		if err != nil && !env.Dry {
			return nil, fmt.Errorf("revert: %w", err)
		}
	}
	return f.ready(ctx, s, env, probe.CommandContext{})
}

// name returns the name of the hit unit if the author gives no units.
func (f *Webhook) name() string {
	_, to := f.Inject.Method()
	text := to.Text()
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		return u.Host
	}
	return text
}

func (*revertCall) SchemaWith(doc syntax.Describer) syntax.Schema {
	return syntax.Schema{
		"anyOf": []any{syntax.Schema{"const": noRevert}, syntax.SchemaOf(reflect.TypeFor[probe.Call](), doc)},
	}
}

func (*Webhook) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "webhook", New: func() chaos.Fault { return new(Webhook) }, Undo: operations(),
		Example: "{inject: {put: http://127.0.0.1:9000/broken}, verify: {get: http://127.0.0.1:9000/broken}, revert: " +
			"{delete: http://127.0.0.1:9000/broken}}",
		Nature: scenarios.Nature{Deeds: []scenarios.Deed{scenarios.Own}, Check: "verify"},
		Doc:    "Breaks the system by HTTP calls of the author's own, such as those of a managed database's API.",
	}
}
