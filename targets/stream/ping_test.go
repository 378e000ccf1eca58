package stream

import (
	"slices"
	"testing"
	"time"

	"brunt/targets"
)

// TestPinger: an answer that brunt had not yet read when the next ping was due is no missing one, and a missing one
// is known a little later.
func TestPinger(t *testing.T) {
	p := &pinger{
		on: &socket{o: &targets.Options{T0: time.Now()}}, every: time.Hour, timer: time.NewTimer(time.Hour),
	}
	var sent []bool
	for i, answered := range []bool{false, false, true, false, false} {
		if answered {
			p.answered()
		}
		sent = append(sent, p.due(time.Duration(i+1)))
	}
	if want := []bool{true, false, true, false, true}; !slices.Equal(sent, want) {
		t.Errorf("it sent pings %v, want %v", sent, want)
	}
	if list := p.take(); len(list) != 2 || list[0].lost || !list[1].lost || list[1].sent != 3 || list[1].end != 5 {
		t.Errorf("its results are %+v", list)
	}
}
