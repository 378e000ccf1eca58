package calls

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
)

// link is a connection of a test.
type link struct {
	targets.Lease
	number uint64
}

func (*link) Close() error { return nil }

// trip answers, fails or panics as a test says, by the number of the attempt.
type trip struct {
	Progress
	does []func(x *trip) error
	on   []uint64 // the connections
}

func (x *trip) Exchange(on *link) (Fate, error) {
	x.on = append(x.on, on.number)
	err := x.does[len(x.on)-1](x)
	return x.Reusable(err == nil), err
}

// send records that the call is sent at a time.
func send(at time.Duration, then ...error) func(x *trip) error {
	return func(x *trip) error {
		x.Wrote(at)
		return errors.Join(then...)
	}
}

// answer records an answer, and fails afterwards.
func answer(at time.Duration, then error) func(x *trip) error {
	return func(x *trip) error {
		x.Wrote(at)
		x.Wrote(at + 1) // a further write of the same attempt
		x.Came(at+2, 3)
		x.Came(at+4, 5)
		return then
	}
}

// TestMake: which attempts there are, and which of their times are those of the call.
func TestMake(t *testing.T) {
	const h = time.Hour
	ended := &targets.EndedError{Err: io.EOF, Sent: h}
	for _, c := range []struct {
		name    string
		repeats bool
		trips   [][]func(x *trip) error
		want    scenarios.Outcome // without Slot
		err     error
		on      []uint64
	}{
		{
			"answered", false,
			[][]func(*trip) error{{answer(h, nil)}},
			scenarios.Outcome{Attempts: 1, WasSent: true, Sent: h, First: h + 2, End: h + 4, Bytes: 8},
			nil,
			[]uint64{0},
		},
		{
			"nothing was sent", false,
			[][]func(*trip) error{{
				func(*trip) error { return targets.ErrStale }, answer(h, nil),
			}},
			scenarios.Outcome{Attempts: 1, WasSent: true, Sent: h, First: h + 2, End: h + 4, Bytes: 8},
			nil,
			[]uint64{0, 1},
		},
		{
			"the second attempt counts", true,
			[][]func(*trip) error{{send(h, ended), answer(2*h, nil)}},
			scenarios.Outcome{Attempts: 2, WasSent: true, Sent: 2 * h, First: 2*h + 2, End: 2*h + 4, Bytes: 8},
			nil,
			[]uint64{0, 1},
		},
		{
			"it must not be sent twice", false,
			[][]func(*trip) error{{send(h, ended)}},
			scenarios.Outcome{Attempts: 1, WasSent: true, Sent: h},
			ended,
			[]uint64{0},
		},
		{
			"the first attempt was sent", true,
			[][]func(*trip) error{{
				send(h, ended), func(*trip) error { return io.ErrClosedPipe },
			}},
			scenarios.Outcome{Attempts: 1, WasSent: true, Sent: h},
			io.ErrClosedPipe,
			[]uint64{0, 1},
		},
		{
			"what has begun to answer is not asked again", true,
			[][]func(*trip) error{{answer(h, ended)}},
			scenarios.Outcome{Attempts: 1, WasSent: true, Sent: h, First: h + 2, End: h + 4, Bytes: 8},
			io.EOF,
			[]uint64{0},
		},
		{
			"a later trip", false,
			[][]func(*trip) error{{answer(h, nil)}, {answer(2*h, nil)}},
			scenarios.Outcome{Attempts: 2, WasSent: true, Sent: h, First: h + 2, End: 2*h + 4, Bytes: 16},
			nil,
			[]uint64{0, 0},
		},
		{
			"late", false,
			[][]func(*trip) error{{answer(9*h, nil)}},
			scenarios.Outcome{Attempts: 1, WasSent: true, Sent: 9 * h, First: 9*h + 2, End: 9*h + 4, Bytes: 8},
			targets.ErrLate,
			[]uint64{0},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &targets.Options{T0: time.Now(), Timeout: h}
			pool := targets.NewPool[*link](o)
			places := pool.To(targets.Connector[*link]{Dial: func(_ context.Context, n uint64) (*link, error) {
				return &link{number: n}, nil
			}})
			x, out, err := new(trip), scenarios.Outcome{}, error(nil)
			x.Begin(o, pool, &template.Iter{Deadline: 9 * h}, &out)
			slot := time.Duration(0)
			for i, one := range c.trips {
				x.does = append(x.does, one...)
				if err = Make(&x.Progress, places, c.repeats, x); i == 0 {
					slot = out.Slot
				}
			}
			c.want.Slot, c.want.Opening = slot, out.Opening
			if out != c.want || slot == 0 || !slices.Equal(x.on, c.on) || !errors.Is(err, c.err) {
				t.Errorf("got %v on %d\n%+v, want %v on %d\n%+v", err, x.on, out, c.err, c.on, c.want)
			}
			if _, idle := errors.AsType[*targets.EndedError](err); idle && out.First != 0 {
				t.Error("a connection that has begun to answer counts as idle")
			}
		})
	}
}

// TestMake_Panic: a connection whose codec panics is closed, and the call has an error.
func TestMake_Panic(t *testing.T) {
	o := &targets.Options{T0: time.Now(), Timeout: time.Hour}
	pool := targets.NewPool[*link](o)
	places := pool.To(targets.Connector[*link]{Dial: func(_ context.Context, n uint64) (*link, error) {
		return &link{number: n}, nil
	}})
	x := new(trip)
	x.does = []func(*trip) error{func(*trip) error { panic("no frame") }, answer(time.Second, nil)}
	x.Begin(o, pool, &template.Iter{Deadline: time.Hour}, new(scenarios.Outcome))
	if err := Make(&x.Progress, places, true, x); err == nil {
		t.Error("the panic is no error")
	}
	if err := Make(&x.Progress, places, true, x); err != nil || !slices.Equal(x.on, []uint64{0, 1}) {
		t.Errorf("%v, on %d", err, x.on)
	}
}
