package rpc

import "time"

// A Patience waits for signs of life of the other end: it is over if none comes for some time. Input may wait in the
// pipe while this process itself stood still, so that it then waits for [Grace] more, in which that is read.
type Patience struct {
	C     <-chan time.Time // fires at the end of a wait; see Over
	timer *time.Timer
	most  time.Duration
	grace bool // the wait that goes on is the grace
}

// Grace is how long a [Patience] waits for input that is there already.
const Grace = heartbeatEvery / 4

// NewPatience returns a patience of most from now on. It ends with Stop.
func NewPatience(most time.Duration) *Patience {
	t := time.NewTimer(most)
	return &Patience{C: t.C, timer: t, most: most}
}

// Again starts the wait from its beginning, after a sign of life.
func (p *Patience) Again() {
	p.grace = false
	p.timer.Reset(p.most)
}

// Over reports, after C has fired, whether the grace has passed too. Otherwise it begins.
func (p *Patience) Over() bool {
	if p.grace {
		return true
	}
	p.grace = true
	p.timer.Reset(Grace)
	return false
}

// Stop ends the wait.
func (p *Patience) Stop() { p.timer.Stop() }
