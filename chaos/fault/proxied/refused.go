package proxied

import (
	"context"
	"fmt"

	"brunt/chaos"
	"brunt/chaos/medium/link"
	"brunt/chaos/proxy"
	"brunt/chaos/selector"
	"brunt/scenarios/quantity"
)

// refused is a fault that answers with an error instead of the server, and its proof.
type refused struct {
	*selector.Edge
	percent    *quantity.Share
	what, text string // requests, calls, commands or statements, and a description of those that are hit
	as         string // the error
	status     int    // status of the probe's answer; 0: any that the proxy itself gives
	probe      func() proxy.ProbeRequest
	toxic      proxy.Toxic
}

// plan makes the steps.
func (f *refused) plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	ask := func(l *chaos.Link) func(ctx context.Context, n int) (asked, error) {
		return func(ctx context.Context, n int) (asked, error) {
			return requests(ctx, l, n, f.probe(),
				func(a answer) bool { return a.own && (f.status == 0 || a.status == f.status) })
		}
	}
	how := "answered with " + f.as
	return link.Plan(ctx, f.Edge, env, &link.Toxic{
		What:  fmt.Sprintf("answer %s with %s", f.text, f.as),
		Toxic: f.toxic, Counts: f.what,
		Evidence: link.Evidence{
			Prove: func(ctx context.Context, l *chaos.Link, _ proxy.Line) (string, error) {
				return find(ctx, f.percent, f.what, how, ask(l))
			},
			Undone: func(ctx context.Context, l *chaos.Link) (string, error) {
				return gone(ctx, f.percent, f.what, how, ask(l))
			},
		},
	})
}
