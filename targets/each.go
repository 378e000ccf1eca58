package targets

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"brunt/scenarios"
)

// TryEach asks the addresses of an endpoint in turn until one answers. They share the time that is left, so that one
// that never answers does not hide the others. First is the number of the address to ask first, which is the one that
// answered last; nil starts with the first of the list.
func TryEach[T any](
	ctx context.Context, addresses []string, first *atomic.Int64, ask func(context.Context, string) (T, error),
) (v T, err error) {
	var errs eachError
	from := 0
	if first != nil {
		from = int(first.Load())
	}
	for i := range addresses {
		at := (from + i) % len(addresses)
		share, cancel := ctx, context.CancelFunc(func() {})
		if until, bounded := ctx.Deadline(); bounded {
			share, cancel = context.WithTimeout(ctx, time.Until(until)/time.Duration(len(addresses)-i))
		}
		v, err = guarded(share, addresses[at], ask)
		cancel()
		if err == nil {
			if first != nil {
				first.Store(int64(at))
			}
			return v, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	if len(errs) == 1 {
		return v, errs[0]
	}
	return v, SharedTimeout(ctx, errs)
}

// guarded asks an address. It turns a panic into an error, so that the next address is asked.
func guarded[T any](
	ctx context.Context, address string, ask func(context.Context, string) (T, error),
) (v T, err error) {
	defer scenarios.Recover(&err)
	return ask(ctx, address)
}

// SharedTimeout returns the error of several addresses that were tried in the time of ctx. If one of them used up its
// share of the time, that is not a timeout of the call.
func SharedTimeout(ctx context.Context, err error) error {
	if ctx.Err() == nil && CauseOf(err) == scenarios.Timeout {
		return &Error{Cause: scenarios.Unreachable, Text: err.Error()}
	}
	return err
}

// eachError holds the error of each address. Its text is one line, in which each text occurs once.
type eachError []error

func (e eachError) Error() string {
	var list []string
	for _, one := range e {
		if text := one.Error(); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return strings.Join(list, "; ")
}

// Unwrap returns the errors, for [errors.Is].
func (e eachError) Unwrap() []error { return e }
