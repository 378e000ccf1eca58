package load

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// timerPacer waits on a timerfd in the runtime's poller. The high-resolution timer ends the
// poller's wait at once, whereas the poller's own timeout has a resolution of milliseconds.
// Unlike a thread in nanosleep, it leaves the processor to the workers, even on a single core.
type timerPacer struct {
	now   func() time.Duration
	file  *os.File
	raw   syscall.RawConn
	step  func(fd uintptr) bool // arm, bound once because binding allocates
	lead  time.Duration         // how long before its time it wakes up, to spin for the rest
	most  time.Duration         // the most that lead may be
	on    time.Duration
	wait  time.Duration // time to arm the timer for; 0 once it is armed
	fault error
}

func newTimer(now func() time.Duration, lead, on time.Duration) Pacer {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil { // no file descriptors left, or a sandbox without the call
		return &sleepPacer{now: now, on: on}
	}
	p := &timerPacer{now: now, file: os.NewFile(uintptr(fd), "timerfd"), lead: lead, most: lead, on: on}
	if p.raw, err = p.file.SyscallConn(); err != nil {
		_ = p.file.Close()
		return &sleepPacer{now: now, on: on}
	}
	p.step = p.arm
	return p
}

func newPrecise(now func() time.Duration) Pacer { return newTimer(now, mostLead, 0) }

func newTicks(now func() time.Duration) Pacer { return newTimer(now, 0, tick) }

func (p *timerPacer) Until(at time.Duration) {
	if p.on > 0 {
		if p.now() >= at {
			return
		}
		at = roundUp(at, p.on)
	}
	lead := p.lead
	for {
		d := at - p.now()
		switch {
		case d <= 0:
			return
		case d <= lead:
			for p.now() < at { // spin
			}
			return
		}
		p.wait = d - lead
		if err := p.raw.Read(p.step); err != nil || p.fault != nil {
			time.Sleep(d)
			continue
		}
		p.lead = nextLead(lead, at-p.now(), p.most)
	}
}

// arm sets the timer on its first call, and is called again once the timer has expired. Setting
// it again clears that, so there is nothing to read.
//
// subtle: the timer is set in here because the poller forgets earlier events. The call never
// blocks, and it bypasses the scheduler, which would wake its monitor thread for every arrival.
func (p *timerPacer) arm(fd uintptr) bool {
	if p.wait == 0 {
		return true
	}
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(p.wait))}
	p.wait = 0
	_, _, err := syscall.RawSyscall6(unix.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
	if err != 0 {
		p.fault = err
		return true
	}
	return false
}

func (p *timerPacer) Due(at time.Duration) time.Duration { return roundDown(at, p.on) }

func (p *timerPacer) Name() string {
	if p.on > 0 {
		return efficient
	}
	return "precise"
}

func (p *timerPacer) Close() error { return p.file.Close() }
