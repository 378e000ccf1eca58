package measure

import (
	"sync"
	"time"
)

// lags are the lags of requests that have been sent and were not yet noted.
type lags struct {
	mu   sync.Mutex
	list []lagged
	free []lagged // the list before, for reuse
}

// lagged is a request that brunt sent late.
type lagged struct{ intended, lag time.Duration }

// Late notes that brunt sends a request late that was due at intended. It may be called by any goroutine. A request may
// be under way for longer than a fold takes, and the answers that brunt read late meanwhile are sorted before it ends.
func (r *Recorder) Late(intended, lag time.Duration) {
	if r.cfg.SlowShare == 0 { // see taken
		return
	}
	r.lags.mu.Lock()
	defer r.lags.mu.Unlock()
	if n := len(r.lags.list); n > 0 {
		if last := &r.lags.list[n-1]; intended-last.intended < edgeSlot && last.intended-intended < edgeSlot &&
			slotOf(last.intended) == slotOf(intended) {
			last.lag = max(last.lag, lag)
			return
		}
	}
	r.lags.list = append(r.lags.list, lagged{intended, lag})
}

// takeLags notes the lags since its last call in the windows in which the requests were due. A worker keeps a lag until
// it knows the faults at that time. Folding is held.
func (r *Recorder) takeLags() {
	r.lags.mu.Lock()
	list := r.lags.list
	r.lags.list, r.lags.free = r.lags.free[:0], nil
	r.lags.mu.Unlock()
	r.mu.Lock()
	var early []lagged
	for _, l := range list {
		if r.cfg.Follows && l.intended+l.lag > r.known {
			early = append(early, l)
			continue
		}
		w := r.windows.at(l.intended)
		w.late = max(w.late, l.lag)
	}
	r.mu.Unlock()
	r.lags.mu.Lock()
	defer r.lags.mu.Unlock()
	r.lags.list, r.lags.free = append(r.lags.list, early...), list
}
