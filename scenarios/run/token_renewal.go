package run

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/targets"
	"brunt/targets/http/auth"
)

// tokens fetches the tokens of requests before the load begins, and renews them while it runs, until drop is called.
// No measured request waits for a token.
func (r *requester) tokens(ctx context.Context) (drop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	var renewals sync.WaitGroup
	drop = func() {
		cancel()
		renewals.Wait()
	}
	for _, k := range targets.Share[auth.Proofs](r.plan.Shared).Tokens() {
		if err = k.Open(r.reach(r.plan.SetupLoad()), r.session.env); err == nil {
			err = k.Fetch(ctx)
		}
		if err != nil {
			drop()
			if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
				return nil, cause
			}
			return nil, fmt.Errorf("%w: %w", errAuth, err)
		}
		r.log.Event(result.Event{Event: "auth.token", Text: k.URL()})
		asks := func() {
			for _, unit := range k.Units() {
				r.asks.Add(unit, r.log.Now())
			}
		}
		renewals.Go(func() { k.Keep(ctx, asks, r.fresh) })
	}
	return drop, nil
}

// fresh notes that a token could not be renewed in time, or that it was renewed after that.
func (r *requester) fresh(err error) {
	if err == nil {
		r.log.Event(result.Event{Event: "auth.refreshed"})
		return
	}
	text := r.plan.Scenario.Secrets.Mask(err.Error())
	r.log.Event(result.Event{Event: "auth.failed", Text: text})
	r.log.Note("a token could not be refreshed, %s in; brunt went on with the last one, and tried again: %s",
		quantity.FormatDuration(r.log.Now()), text)
}
