package netns

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"brunt/chaos/netns/sockdiag"

	"golang.org/x/sys/unix"
)

// How long a connection must be idle before it is ended: idleFirst for the first fifth of the time, then less and less,
// and zero in the second half, so that a busy connection is ended between an answer and the next request. A pass looks
// at all sockets of the machine. That takes some milliseconds, and far more on a busy machine.
const (
	idleFirst = 50 * time.Millisecond
	passEvery = 10 * time.Millisecond
	passLast  = 2 * time.Millisecond // while the required idle time is shorter than this

	// leastPasses is the least number of passes in the second half of the time before EndQuiet gives up: on a busy machine
	// passes are rare, and so are quiet moments, as requests take longer while their clients pause for as long as before.
	// A connection that is quiet for 7 % of the time (15 of 215 ms) is missed by 50 passes in one of 38 cases, and by 200
	// in one of 2 million. A machine with time to spare makes more of them within the time.
	leastPasses = 200
)

// EndQuiet ends connections from inside the namespace, each at a moment without data under way on it, as
// [sockdiag.Quiet] does. It calls ends before each pass, and returns when no connection is left and no more come, or
// when the time is over, of which only that counts in which this process ran, and leastPasses were made. left is the
// number of connections with data under way in the last pass.
func (n *Namespace) EndQuiet(ctx context.Context, q Quiet, ends func() (of []End, more bool)) (left int, err error) {
	err = n.Do(func() error {
		ender := sockdiag.NewQuiet()
		defer ender.Close()
		began, passes := time.Now(), 0
		var w watch
		for q.Idle > 0 && time.Since(began) < q.Idle { // waits for the idle time that it requires
			if !w.pause(ctx, passEvery) {
				return nil
			}
		}
		for {
			of, more := ends()
			passed := w.passed(time.Since(began))
			idle := idleAfter(passed, q.Within)
			if q.Idle > 0 {
				idle = max(idle, q.Idle+w.late)
			}
			asked := make([]sockdiag.End, len(of))
			for i, e := range of {
				asked[i] = sockdiag.End(e)
			}
			pass := time.Now()
			if left, err = ender.End(asked, idle); err != nil || left == 0 && !more ||
				passed >= q.Within && passes >= leastPasses {
				return err
			}
			if passed >= q.Within/2 {
				passes++
			}
			w.lost += max(0, time.Since(pass)-passEvery)
			if !w.pause(ctx, max(passLast, min(idle, passEvery))) {
				return nil
			}
		}
	})
	if errors.Is(err, unix.EOPNOTSUPP) { // a kernel without CONFIG_INET_DIAG_DESTROY
		of, _ := ends()
		return len(of), nil
	}
	return left, err
}

// A watch measures how late its own pauses end. Other programs run as late as this one: on a busy machine a connection
// may be idle because one of its ends gets no processor.
type watch struct {
	late time.Duration // by how much a pause was too long; it counts for as long again
	lost time.Duration // in which this process did not run, in all
}

// mostLonger is by which factor a time may grow on a busy machine.
const mostLonger = 3

// passed returns how much of a time counts: that in which this process ran, and a third of it at least. On a busy
// machine a pass takes far longer, so that the same time would hold too few of them to meet a quiet moment.
func (w *watch) passed(d time.Duration) time.Duration { return max(d-w.lost, d/mostLonger) }

// pause waits for a time, and reports whether ctx still goes on.
func (w *watch) pause(ctx context.Context, d time.Duration) bool {
	began := time.Now()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return false
	}
	took := time.Since(began)
	w.late = max(took-d, w.late-took)
	w.lost += took - d
	return true
}

// Opened returns the near ends of the TCP connections that are open to some addresses.
func (n *Namespace) Opened(to []netip.AddrPort) (out []End, err error) {
	err = n.Do(func() error {
		all, err := sockdiag.Connections()
		for _, s := range all {
			if s.Proto == unix.IPPROTO_TCP && slices.Contains(to, s.Remote) {
				out = append(out, End{Addr: s.Local, Local: true})
			}
		}
		return err
	})
	return out, err
}

// Cut ends the TCP connections with some near ends at once; data under way on them is lost.
func (n *Namespace) Cut(of []End) error {
	return n.Do(func() error {
		all, err := sockdiag.Connections()
		if err != nil {
			return err
		}
		_, err = sockdiag.Destroy(slices.DeleteFunc(all, func(s sockdiag.Socket) bool {
			return s.Proto != unix.IPPROTO_TCP || !slices.Contains(of, End{Addr: s.Local, Local: true})
		}))
		return err
	})
}

// idleAfter returns the idle time that is required after a part of the time has passed.
func idleAfter(passed, within time.Duration) time.Duration {
	const falls, none = .2, .5
	share := passed.Seconds() / within.Seconds()
	return time.Duration(float64(idleFirst) * min(1, max(0, (none-share)/(none-falls))))
}
