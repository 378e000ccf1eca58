package proxied

import (
	"context"
	"strings"

	"brunt/chaos"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/peer"
	"brunt/chaos/proxy/toxics"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/targets/grpc/status"
)

// Calls says which gRPC calls on a link a fault hits.
type Calls struct {
	selector.Edge `yaml:",inline"`
	Percent       *quantity.Share `yaml:"percent"` // share of the calls that match; nil is all
	Method        string          `yaml:"method"`  // pattern such as shop.Orders/Get or shop.Orders/*; zero is all
}

// GRPCError is the fault grpc.error.
type GRPCError struct {
	Calls   `yaml:",inline"`
	Status  grpcStatus `yaml:"status"`  // status such as RESOURCE_EXHAUSTED; zero is UNAVAILABLE
	Message string     `yaml:"message"` // the text of the status
}

// GRPCDelay is the fault grpc.delay.
type GRPCDelay struct {
	Calls  `yaml:",inline"`
	Delay  quantity.Duration `yaml:"delay,required,positive"` // time until a call is passed on
	Jitter quantity.Duration `yaml:"jitter"`                  // the delay varies by at most this much, uniformly
}

var (
	_ chaos.Fault = (*GRPCError)(nil)
	_ chaos.Fault = (*GRPCDelay)(nil)
)

// grpcStatus is the number of a status other than OK.
type grpcStatus int

func (s *grpcStatus) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	text, ok := n.Text(m)
	if !ok {
		return
	}
	names := status.Names()[1:]
	code, known := status.Code(text)
	if !known || code == 0 {
		m.AddHint(n.Pos, syntax.DidYouMean(strings.ToUpper(text), names), "%q is no error of gRPC", syntax.Clip(text, 60))
	}
	*s = grpcStatus(code)
}

func (*grpcStatus) Schema() syntax.Schema { return syntax.Enum(status.Names()[1:]) }

// path returns the pattern that the path of a call must match.
func (c *Calls) path() string {
	if c.Method == "" {
		return ""
	}
	return "/" + c.Method
}

// probe returns a call that matches: it replaces each * in the method by an empty string.
func (c *Calls) probe() proxy.ProbeRequest {
	q := proxy.ProbeRequest{Form: peer.GRPC, Method: "POST", Path: "/brunt.Probe/Call"}
	if c.Method != "" {
		q.Path = strings.ReplaceAll(c.path(), "*", "")
	}
	return q
}

func (c *Calls) check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	c.CheckEdge(at, sc, m)
	spoken(&c.Edge, "gRPC", "its calls", formatGRPC, at, sc, m)
	c.CheckPercent(c.Percent, leastShare, "calls", m)
	if c.Method != "" && (strings.HasPrefix(c.Method, "/") || !strings.ContainsAny(c.Method, "/*") ||
		strings.ContainsAny(c.Method, "?# ")) {
		m.AddHint(c.Of("method"), "such as shop.Orders/Get or shop.Orders/*", "%q is no method of gRPC",
			syntax.Clip(c.Method, 60))
	}
}

func (c *Calls) Traits(sc chaos.Scope) chaos.Traits { return parsed(&c.Edge, sc) }

func (c *Calls) text() string { return some(c.Percent, "calls", c.Method) }

func (f *GRPCError) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) { f.check(at, sc, m) }

func (f *GRPCDelay) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.check(at, sc, m)
	f.CheckJitter(f.Delay, f.Jitter, m)
}

func (f *GRPCError) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	t := toxics.GRPCError{Status: int(f.Status), Message: f.Message, Share: proof.OrAll(f.Percent), Path: f.path()}
	if t.Status == 0 {
		t.Status = 14
	}
	r := refused{&f.Edge, f.Percent, "calls", f.text(), status.Name(t.Status), t.Status, f.probe, t}
	return r.plan(ctx, env)
}

func (f *GRPCDelay) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	d := delayed{
		Edge: &f.Edge, percent: f.Percent, delay: f.Delay, jitter: f.Jitter, what: "calls", text: f.text(), probe: f.probe,
		toxic: toxics.GRPCDelay{Delay: f.Delay.D(), Jitter: f.Jitter.D(), Share: proof.OrAll(f.Percent), Path: f.path()},
	}
	return d.plan(ctx, env)
}

func (*GRPCError) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "grpc.error", New: func() chaos.Fault { return new(GRPCError) },
		Example: "{from: web, to: store, status: RESOURCE_EXHAUSTED}",
		Effect:  chaos.Errors,
		Nature:  scenarios.Nature{Verb: "answering errors", Deeds: []scenarios.Deed{scenarios.Refuses}},
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc: "Answers calls of gRPC on a link with a status, in place of the server. A call is answered as soon as it " +
			"begins.",
	}
}

func (*GRPCDelay) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "grpc.delay", New: func() chaos.Fault { return new(GRPCDelay) },
		Example: "{from: web, to: store, delay: 100ms}",
		Effect:  chaos.Slow,
		Nature:  scenarios.Nature{Verb: "slow"},
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc:     "Delays calls of gRPC on a link before they are passed on. Other calls on the same connection pass.",
	}
}
