package script

import (
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/k6"
)

// TestOutcomeOf divides the time of a request of a script into its phases.
func TestOutcomeOf(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	type phases = [scenarios.RequestPhases]time.Duration
	tests := []struct {
		name string
		of   k6.Request
		want phases
	}{
		{
			"a new connection",
			k6.Request{
				Service: ms(100), Queue: ms(10), Connect: ms(20), TLS: ms(30), Send: ms(1), First: ms(81),
				Answered: true,
			},
			phases{
				scenarios.InQueue: ms(10), scenarios.InConnect: ms(20), scenarios.InTLS: ms(30), scenarios.InSend: ms(1),
				scenarios.InFirstByte: ms(20), scenarios.InReceive: ms(19),
			},
		},
		{
			"an open connection",
			k6.Request{Service: ms(10), First: ms(8), Answered: true},
			phases{scenarios.InFirstByte: ms(8), scenarios.InReceive: ms(2)},
		},
		{
			"the whole time alone, as of gRPC",
			k6.Request{Service: ms(10), Answered: true},
			phases{scenarios.InFirstByte: ms(10)},
		},
		{
			"no answer",
			k6.Request{Service: ms(50), Queue: ms(1), Connect: ms(49), Code: 1212},
			phases{scenarios.InQueue: ms(1), scenarios.InConnect: ms(49)},
		},
		{
			"more than the whole",
			k6.Request{Service: ms(50), Queue: ms(20), Connect: ms(20), TLS: ms(20), Code: 1212},
			phases{scenarios.InQueue: ms(20), scenarios.InConnect: ms(20), scenarios.InTLS: ms(10)},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := outcomeOf(&tt.of, time.Second)
			if got := o.Timings(); got != tt.want || o.Response() != tt.of.Service {
				t.Errorf("%v of %s, want %v of %s", got, o.Response(), tt.want, tt.of.Service)
			}
		})
	}
}
