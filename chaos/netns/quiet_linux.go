package netns

import (
	"context"
	"errors"
	"time"

	"brunt/chaos/netns/sockdiag"

	"golang.org/x/sys/unix"
)

// How long a connection is idle before it is ended: idleFirst for half of the time, then less and less, so that one in busy use is ended
// between an answer and the next request. A pass looks at all sockets of the machine, which takes some milliseconds.
const (
	idleFirst = 50 * time.Millisecond
	passEvery = 10 * time.Millisecond
	passLast  = 2 * time.Millisecond // while the time that is asked for is shorter than that
)

// EndQuiet ends connections from inside the namespace, each while nothing is under way on it, as [sockdiag.Quiet] does. It asks for
// their ends before each pass, and returns once none is left and no more come, or when the time is over. left is how many it found
// with something under way in the last pass.
func (n *Namespace) EndQuiet(ctx context.Context, within time.Duration, ends func() (of []End, more bool)) (left int, err error) {
	err = n.Do(func() error {
		q, _ := sockdiag.NewQuiet()
		defer q.Close()
		began := time.Now()
		for {
			of, more := ends()
			passed := time.Since(began)
			idle := idleAfter(passed, within)
			asked := make([]sockdiag.End, len(of))
			for i, e := range of {
				asked[i] = sockdiag.End(e)
			}
			if left, err = q.End(asked, idle); err != nil || left == 0 && !more || passed >= within {
				return err
			}
			pause := time.NewTimer(max(passLast, min(idle, passEvery)))
			select {
			case <-pause.C:
			case <-ctx.Done():
				pause.Stop()
				return nil
			}
		}
	})
	if errors.Is(err, unix.EOPNOTSUPP) { // a kernel without CONFIG_INET_DIAG_DESTROY
		return len(first(ends())), nil
	}
	return left, err
}

func first(of []End, _ bool) []End { return of }

// idleAfter is how long a connection must have been idle after a part of the time has passed.
func idleAfter(passed, within time.Duration) time.Duration {
	half := within / 2
	if passed <= half {
		return idleFirst
	}
	return max(0, time.Duration(float64(idleFirst)*float64(within-passed)/float64(half)))
}
