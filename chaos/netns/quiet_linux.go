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

// How long a connection is idle before it is ended: idleFirst for a fifth of the time, then less and less, and not at all in the second
// half, so that one in busy use is ended between an answer and the next request. A pass looks at all sockets of the machine, which takes
// some milliseconds, and far more where processors are short.
const (
	idleFirst = 50 * time.Millisecond
	passEvery = 10 * time.Millisecond
	passLast  = 2 * time.Millisecond // while the time that is asked for is shorter than that
)

// EndQuiet ends connections from inside the namespace, each while nothing is under way on it, as [sockdiag.Quiet] does. It asks for
// their ends before each pass, and returns once none is left and no more come, or when the time is over. left is how many it found
// with something under way in the last pass.
func (n *Namespace) EndQuiet(ctx context.Context, q Quiet, ends func() (of []End, more bool)) (left int, err error) {
	err = n.Do(func() error {
		ender, _ := sockdiag.NewQuiet()
		defer ender.Close()
		began := time.Now()
		late, ended := lateness(ctx, q.Idle)
		if ended {
			return nil
		}
		for {
			of, more := ends()
			passed := time.Since(began)
			idle := idleAfter(passed, q.Within)
			if q.Idle > 0 {
				idle = max(idle, q.Idle+late)
			}
			asked := make([]sockdiag.End, len(of))
			for i, e := range of {
				asked[i] = sockdiag.End(e)
			}
			if left, err = ender.End(asked, idle); err != nil || left == 0 && !more || passed >= q.Within {
				return err
			}
			over, ended := paused(ctx, max(passLast, min(idle, passEvery)))
			if ended {
				return nil
			}
			late = max(late, over)
		}
	})
	if errors.Is(err, unix.EOPNOTSUPP) { // a kernel without CONFIG_INET_DIAG_DESTROY
		of, _ := ends()
		return len(of), nil
	}
	return left, err
}

// lateness pauses for a time, and returns by how much a pause was too long at most. A program that answers runs as late as this one: on a
// busy machine a connection may be idle because one of its ends does not run.
func lateness(ctx context.Context, within time.Duration) (most time.Duration, ended bool) {
	for began := time.Now(); time.Since(began) < within; {
		late, ended := paused(ctx, passEvery)
		if ended {
			return most, true
		}
		most = max(most, late)
	}
	return most, false
}

// paused waits for a time, and returns by how much it was too long. ended says that ctx was over first.
func paused(ctx context.Context, d time.Duration) (late time.Duration, ended bool) {
	began := time.Now()
	pause := time.NewTimer(d)
	defer pause.Stop()
	select {
	case <-pause.C:
		return time.Since(began) - d, false
	case <-ctx.Done():
		return 0, true
	}
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

// Cut ends the TCP connections with some near ends, with what is under way on them.
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

// idleAfter is how long a connection must have been idle after a part of the time has passed.
func idleAfter(passed, within time.Duration) time.Duration {
	const falls, none = .2, .5
	share := passed.Seconds() / within.Seconds()
	return time.Duration(float64(idleFirst) * min(1, max(0, (none-share)/(none-falls))))
}
