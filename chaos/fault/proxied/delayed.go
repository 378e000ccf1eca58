package proxied

import (
	"context"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/medium/link"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/chaos/selector"
	"brunt/scenarios/quantity"
)

// delayed is a delay of requests or calls on a link, and its proof.
type delayed struct {
	*selector.Edge
	percent       *quantity.Share
	delay, jitter quantity.Duration
	what          string // requests, calls, commands or statements
	text          string // describes the requests that are hit
	probe         func() proxy.ProbeRequest
	toxic         proxy.Toxic
}

// ofQueries plans the delay of requests of a protocol of package query whose names match.
func (f delayed) ofQueries(ctx context.Context, env chaos.Env, speaks, name string) ([]chaos.Step, error) {
	f.toxic = toxics.QueryDelay{
		Speaks: speaks, Delay: f.delay.D(), Jitter: f.jitter.D(), Share: proof.OrAll(f.percent), Name: name,
	}
	return f.plan(ctx, env)
}

// plan makes the steps.
func (f *delayed) plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	share := proof.OrAll(f.percent)
	least := proof.LeastLate(f.delay.D(), f.jitter.D())
	each := f.delay-f.jitter >= quantity.Duration(least) // every hit request takes at least that long
	slow := func(a answer, limit, late time.Duration) bool {
		return a.took >= link.LeastTelling(limit, late) || a.status == 0 && a.took >= link.LeastTelling(proof.Silence, late)
	}
	ask := func(l *chaos.Link, limit time.Duration, pulse *proxy.Pulse) func(ctx context.Context, n int) (asked, error) {
		return func(ctx context.Context, n int) (got asked, err error) {
			var late time.Duration
			sure, between := 0, 0
			got, err = requests(ctx, l, n, f.probe(), func(a answer) bool {
				if late = pulse.Late(); slow(a, limit, late) { // all answers have arrived
					sure++
				}
				if each && a.took >= limit/2 && a.took < limit {
					between++
				}
				return slow(a, limit, 0)
			})
			got.sure, got.between, got.late = sure, between, late
			return got, err
		}
	}
	return link.Plan(ctx, f.Edge, env, &link.Toxic{
		What:  fmt.Sprintf("delay %s by %s", f.text, f.delay),
		Toxic: f.toxic, Counts: f.what,
		Evidence: link.Evidence{
			Takes: 4 * (f.delay + f.jitter).D(),
			Prove: func(ctx context.Context, l *chaos.Link, _ proxy.Line) (string, error) {
				return link.UntilClear(ctx, func(pulse *proxy.Pulse) (string, error) {
					got, err := search(ctx, share, ask(l, least, pulse))
					if err != nil {
						return "", err
					}
					found := fmt.Sprintf("%d of %d %s take %s and more", got.hits, got.n, f.what,
						quantity.FormatSeconds(least.Seconds()))
					return got.proves(share, each, found, fmt.Sprintf("%d of %d %s are delayed", got.hits, got.n, f.what))
				})
			},
			Undone: func(ctx context.Context, l *chaos.Link) (string, error) {
				pulse, err := proxy.NewPulse(ctx)
				if err != nil { // this machine is too late to measure
					return "", fmt.Errorf("%w: %w", chaos.ErrNoAnswer, err)
				}
				defer pulse.Close()
				got, err := ask(l, f.delay.D()/2+time.Millisecond, pulse)(ctx, atOnce(share))
				if err != nil {
					return "", err
				}
				switch {
				case got.few(got.hits, share):
					return fmt.Sprintf("%d of %d %s take so long", got.hits, got.n, f.what), nil
				case got.few(got.sure, share): // requests are as slow as the machine is late, with the fault and without
					return "", fmt.Errorf("%w: %d of %d %s take so long, and %w", chaos.ErrNoAnswer, got.hits, got.n, f.what,
						link.Blurred(got.late))
				}
				return "", fmt.Errorf("%d of %d %s are still delayed", got.hits, got.n, f.what)
			},
		},
	})
}
