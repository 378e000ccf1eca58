package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
)

// An Op is an operation of an agent: its name, and the types of its arguments and of its result. Both ends use one
// value, so that they agree on the types.
type Op[A, R any] string

// None stands for the arguments or the result of an operation that has none.
type None struct{}

// Asks sends requests to an agent, as [Client.Call] or [Client.Ask] does.
type Asks func(ctx context.Context, op string, args, result any) error

// Of runs the operation at the other end.
func (o Op[A, R]) Of(ctx context.Context, ask Asks, args A) (r R, err error) {
	err = ask(ctx, string(o), args, &r)
	return r, err
}

// By returns the operation, implemented by do.
func (o Op[A, R]) By(do func(ctx context.Context, args A) (R, error)) Operations {
	return Operations{string(o): func(ctx context.Context, raw json.RawMessage) (any, error) {
		var args A
		if len(raw) > 0 {
			if err := json.Unmarshal(raw, &args); err != nil {
				return nil, err
			}
		}
		return do(ctx, args)
	}}
}

// Operations are the operations of an agent, by name.
type Operations map[string]func(ctx context.Context, args json.RawMessage) (any, error)

// Join merges several lists of operations.
func Join(lists ...Operations) Operations {
	out := Operations{}
	for _, list := range lists {
		maps.Copy(out, list)
	}
	return out
}

// Do executes an operation.
func (o Operations) Do(ctx context.Context, op string, args json.RawMessage) (any, error) {
	do := o[op]
	if do == nil {
		return nil, fmt.Errorf("the agent has no operation %q: it is another version of brunt than its caller", op)
	}
	return do(ctx, args)
}
