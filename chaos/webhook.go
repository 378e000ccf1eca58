package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"brunt/scenarios"
)

// Webhook breaks the system by HTTP calls of the author's own, such as those of a
// managed database's API.
type Webhook struct {
	Inject Call       `yaml:"inject,required"` // does it: {post: URL, json: …}
	Revert revertCall `yaml:"revert,required"` // takes it back, at any time and twice; none for what is over once it is done
	Own    `yaml:",inline"`
}

// revertCall is a call, or none.
type revertCall struct {
	Call
	none bool
}

// DecodeNode implements [scenarios.NodeDecoder].
func (c *revertCall) DecodeNode(n *scenarios.Node, m *scenarios.Mistakes) {
	if c.none = n.Kind == scenarios.String && n.Value == noRevert; !c.none {
		scenarios.Decode(n, &c.Call, m)
	}
}

var (
	_ Fault   = (*Webhook)(nil)
	_ OneShot = (*Webhook)(nil)
	_ Hits    = (*Webhook)(nil)
)

// OneShot implements [OneShot].
func (f *Webhook) OneShot() bool { return f.Revert.none }

// Check implements [Fault].
func (f *Webhook) Check(at scenarios.Pos, sc Scope, m *scenarios.Mistakes) {
	f.Own.check(at, f.Revert.none, sc, m)
	f.Inject.check(sc, m)
	if !f.Revert.none {
		f.Revert.check(sc, m)
	}
}

// Plan implements [Fault].
func (f *Webhook) Plan(ctx context.Context, env Env) ([]Step, error) {
	s := &own{via: "call", what: f.Inject.String(), units: f.Units}
	if len(s.units) == 0 {
		s.units = []string{f.name()}
	}
	inject, err := f.Inject.seal(env, f.timeout())
	if err != nil && !env.Dry { // units that don't run yet have no addresses
		return nil, fmt.Errorf("inject: %w", err)
	}
	s.inject = inject
	if !f.Revert.none {
		if err := f.takeBack(s, env); err != nil && !env.Dry {
			return nil, fmt.Errorf("revert: %w", err)
		}
	}
	return f.ready(ctx, s, env, place{})
}

// name is what is hit, for want of a better word.
func (f *Webhook) name() string {
	_, to := f.Inject.method()
	text := to.Text()
	if u, err := url.Parse(text); err == nil && u.Host != "" {
		return u.Host
	}
	return text
}

// takeBack prepares the revert, and how it is written down.
func (f *Webhook) takeBack(s *own, env Env) error {
	s.what += ", taken back by " + quoteBack(f.Revert.String())
	s.undo = []Undo{{Op: opWebhook}}
	revert, err := f.Revert.seal(env, f.timeout())
	if err != nil {
		return err
	}
	args, err := json.Marshal(revert)
	if err != nil {
		return err
	}
	s.undo[0].Args, s.undo[0].Identity = args, ownIdentity(revert.Method, revert.Shows)
	s.revert = revert
	return nil
}
