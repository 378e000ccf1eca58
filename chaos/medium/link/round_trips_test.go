package link

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
)

func TestTelling(t *testing.T) {
	for _, tt := range []struct{ name, least, late, want string }{
		{"a machine in time", "100ms", "1ms", "100ms"},
		{"late by half", "100ms", "50ms", "100ms"},
		{"late by more", "100ms", "80ms", "130ms"},
		{"a stall", "80ms", "2s", "2.04s"},
		{"a small delay", "1ms", "300us", "1ms"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := func(s string) time.Duration {
				v, err := time.ParseDuration(s)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			if got := LeastTelling(d(tt.least), d(tt.late)); got != d(tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestRTTs_Delayed(t *testing.T) {
	const ms = time.Millisecond
	five := func(d time.Duration) RTTs { return RTTs{times: []time.Duration{d, d, d, d, d}} }
	for _, tt := range []struct {
		name                string
		rtts                RTTs
		delay, jitter, late time.Duration
		want                error // nil: the delay is proved
	}{
		{"found", five(101 * ms), 100 * ms, 0, ms, nil},
		{"not there", five(ms), 100 * ms, 0, ms, chaos.ErrNoEffect},
		{"not there, on a late machine", five(60 * ms), 100 * ms, 0, 60 * ms, chaos.ErrNoEffect},
		{"a stall", five(110 * ms), 100 * ms, 0, 110 * ms, errBlurred},
		{"found on a late machine", five(170 * ms), 100 * ms, 0, 110 * ms, nil},
		{"a stall as long as what jitter may leave", five(80 * ms), 400 * ms, 400 * ms, 79 * ms, errBlurred},
		{"no answer", RTTs{silent: 5, waited: proof.Silence}, 2 * time.Second, 0, ms, nil},
		{
			"no answer of a machine that stood still",
			RTTs{silent: 5, waited: proof.Silence},
			2 * time.Second, 0, 200 * ms,
			errBlurred,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, err := tt.rtts.Delayed(tt.delay, tt.jitter, tt.late)
			if !errors.Is(err, tt.want) || tt.want == nil && (err != nil || text == "") {
				t.Errorf("got %q, %v; want %v", text, err, tt.want)
			}
		})
	}
}

func TestUntilClear(t *testing.T) {
	const late = 70 * time.Millisecond
	tests := []struct {
		name    string
		samples func(n int) (string, error) // n from 1
		want    string                      // of the text, or of the error
		times   int
	}{
		{"found at once", func(int) (string, error) { return "slow", nil }, "slow", 1},
		{"not there", func(int) (string, error) { return "", chaos.ErrNoEffect }, chaos.ErrNoEffect.Error(), 1},
		{"found once the machine is in time", func(n int) (string, error) {
			if n < 4 {
				return "slow", Blurred(late)
			}
			return "slow, surely", nil
		}, "slow, surely", 4},
		{"quick between two stalls", func(n int) (string, error) {
			if n < InARow {
				return "slow", Blurred(late)
			}
			return "", chaos.ErrNoEffect
		}, chaos.ErrNoEffect.Error(), InARow},
		{
			"slow whenever it is asked", func(int) (string, error) { return "slow", Blurred(late) }, "slow, 10 times in a row",
			InARow,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			text, err := UntilClear(t.Context(), func(*proxy.Pulse) (string, error) {
				n++
				return tt.samples(n)
			})
			if err != nil {
				text += err.Error()
			}
			if !strings.HasPrefix(text, tt.want) || n != tt.times {
				t.Errorf("got %q after %d looks, want %q after %d", text, n, tt.want, tt.times)
			}
		})
	}
	t.Run("time is up in the middle of a look", func(t *testing.T) {
		for samples, want := range map[int]string{
			1: "", atEnd: "slow, 2 times in a row, though this machine itself was late",
		} {
			ctx, cancel := context.WithCancel(t.Context())
			n := 0
			text, err := UntilClear(ctx, func(*proxy.Pulse) (string, error) {
				if n++; n <= samples {
					return "slow", Blurred(late)
				}
				cancel()
				return "", errors.New("a probe is silent")
			})
			if text != want || (want == "") != errors.Is(err, errBlurred) {
				t.Errorf("after %d looks: %q, %v", samples, text, err)
			}
		}
	})
	for _, tt := range []struct {
		name      string
		samples   int // samples before time is up
		mixed     bool
		text, err string
	}{
		{"time is up", 1, false, "", "slow, and this machine itself was late by 70ms"},
		{"time is up after some looks", atEnd, false, "slow, 2 times in a row", ""},
		{
			"the machine makes all kinds of them slow", 2 * InARow, true, "",
			"slow, and this machine itself was late for some of them by 70ms",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			n := 0
			text, err := UntilClear(ctx, func(*proxy.Pulse) (string, error) {
				if n++; n == tt.samples {
					cancel()
				}
				if tt.mixed {
					return "slow", Mixed(late)
				}
				return "slow", Blurred(late)
			})
			if !strings.HasPrefix(text, tt.text) || tt.text == "" && text != "" || tt.err == "" && err != nil ||
				tt.err != "" && (!errors.Is(err,
					errBlurred) || !strings.HasPrefix(err.Error(), tt.err)) {
				t.Errorf("got %q, %v", text, err)
			}
		})
	}
}
