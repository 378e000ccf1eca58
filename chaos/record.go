package chaos

import (
	"context"
	"sync"
	"time"
)

// A Record is what became of one occurrence of a fault. Times are offsets from t0.
type Record struct {
	Name     string // with #n where the fault came several times
	Fault    string
	Kind     string
	N        int // number of the occurrence that Inject gave; -1 when it was not injected
	Units    []string
	Zones    []string // that the fault was aimed at
	Leader   bool     // it was aimed at the leader
	Via      string
	Planned  time.Duration
	Injected time.Duration
	Verified time.Duration // 0 with VerifyErr or InjectErr
	Evidence string
	Cleared  time.Duration
	Gone     bool
	GoneText string
	Revert   Outcome
	Traffic  *Traffic // nil: the requests of the phase count
	Within   time.Duration
	OneShot  bool
	Early    bool   // taken back before its time, as the run ended
	Skipped  bool   // no unit matched, and that was allowed
	Late     string // why it came later than planned; empty where it came in time

	InjectErr error // nothing was done
	VerifyErr error // done, but without effect
	RevertErr error // not taken back

	Detect *Sighting // by the team's monitoring; nil where it is not asked

	watch   Monitor
	held    []Held
	ids     []int         // entries of the journal
	voids   chan struct{} // closed when the fault is void
	back    chan struct{} // closed when it was taken back, or could not be
	voided  sync.Once
	voidWhy error
	over    time.Duration // it was taken back and looked for by then; its phase may go on
}

func (r *Record) isVoid() bool {
	select {
	case <-r.voids:
		return true
	default:
		return false
	}
}

// slowest is the time that the slowest of what is held may take, beyond most.
func (r *Record) slowest(most time.Duration) time.Duration {
	takes := time.Duration(0)
	for _, h := range r.held {
		if s, ok := h.(Slow); ok {
			takes = max(takes, s.Takes())
		}
	}
	return most + takes
}

// StillDown asks once more, when the run is over, whether what a one-shot took down
// has come back.
func (r *Record) StillDown(ctx context.Context) error {
	if r.Gone || r.N < 0 {
		return nil
	}
	for _, h := range r.held {
		text, err := h.Gone(ctx)
		if err != nil {
			return err
		}
		if text != "" {
			r.GoneText = text + ", but too late"
		}
	}
	return nil
}
