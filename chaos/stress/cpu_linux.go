package stress

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// period is one cycle of work and rest of a worker.
const period = 20 * time.Millisecond

// run starts the workers, each on a thread of its own.
func (c *CPU) run(to *reporter) error {
	runtime.GOMAXPROCS(c.Workers + 2) // Go's default obeys the group's limit, which the load must exceed
	for range c.Workers {
		go c.work(to)
	}
	return nil
}

// work keeps the processor time spent at Load times the time passed. It catches up on time that it did
// not get because other threads had the processor, up to ten periods.
func (c *CPU) work(to *reporter) {
	runtime.LockOSThread()
	began, last := time.Now(), time.Now()
	base := spent()
	var reported time.Duration
	for {
		now := time.Now()
		used := spent() - base
		due := time.Duration(float64(now.Sub(began)) * c.Load)
		if now.Sub(last) > 5*period {
			to.add(Report{Spent: used - reported})
			last, reported = now, used
		}
		if behind := due - used; behind > 10*period { // drop the excess
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

// spent returns the processor time of this thread.
func spent() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts)
	return time.Duration(ts.Nano())
}
