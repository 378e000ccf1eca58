package burner

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// period is how long a worker's turns of burning and resting are together.
const period = 20 * time.Millisecond

// burn burns processor time, on a thread for each worker.
func (c *CPU) burn(said *reports) error {
	runtime.GOMAXPROCS(c.Workers + 2) // Go's own choice minds the group's limit, which is to be run into
	for range c.Workers {
		go c.work(said)
	}
	return nil
}

// work burns until the time that was spent is the share of the time that passed. What
// it could not get, because others had the processor, it takes later, but for what is
// older than a few periods.
func (c *CPU) work(said *reports) {
	runtime.LockOSThread()
	began, told := time.Now(), time.Now()
	base := spent()
	var reported time.Duration
	for {
		now := time.Now()
		used := spent() - base
		due := time.Duration(float64(now.Sub(began)) * c.Load)
		if now.Sub(told) > 5*period {
			said.add(Report{Spent: used - reported})
			told, reported = now, used
		}
		if behind := due - used; behind > 10*period { // forget it
			base -= behind - 10*period
			reported += behind - 10*period
		}
		if used >= due {
			time.Sleep(time.Duration(float64(period) * (1 - c.Load)))
			continue
		}
		for until := used + period/4; spent()-base < until; {
			for i := range 10_000 {
				runtime.KeepAlive(i)
			}
		}
	}
}

// spent is the processor time of this thread.
func spent() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts)
	return time.Duration(ts.Nano())
}
