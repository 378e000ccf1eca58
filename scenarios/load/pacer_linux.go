package load

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// timerPacer waits on a timerfd that the runtime's poller watches. Its high
// resolution timer ends the poller's wait at once, where the poller's own timeout
// counts in milliseconds; and unlike a thread of its own in nanosleep it leaves
// the processor to the workers, even where there is only one.
type timerPacer struct {
	now  func() time.Duration
	fd   int
	file *os.File
	lead time.Duration
	on   time.Duration
	buf  [8]byte
}

func newTimer(now func() time.Duration, lead, on time.Duration) Pacer {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil { // out of files, or a sandbox without the call
		return &sleepPacer{now: now, on: on}
	}
	return &timerPacer{now: now, fd: fd, file: os.NewFile(uintptr(fd), "timerfd"), lead: lead, on: on}
}

func newPrecise(now func() time.Duration) Pacer { return newTimer(now, lead, 0) }

func newTicks(now func() time.Duration) Pacer { return newTimer(now, 0, tick) }

func (p *timerPacer) Until(at time.Duration) {
	if p.on > 0 {
		if p.now() >= at {
			return
		}
		at = roundUp(at, p.on)
	}
	for {
		d := at - p.now()
		switch {
		case d <= 0:
			return
		case d <= p.lead:
			for p.now() < at { // spin
			}
			return
		}
		spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d - p.lead))}
		if unix.TimerfdSettime(p.fd, 0, &spec, nil) != nil {
			time.Sleep(d)
			continue
		}
		if _, err := p.file.Read(p.buf[:]); err != nil {
			time.Sleep(d)
		}
	}
}

func (p *timerPacer) Name() string {
	if p.on > 0 {
		return "efficient"
	}
	return "precise"
}

func (p *timerPacer) Close() error { return p.file.Close() }
