package park

import (
	"context"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Lot holds the parked connections. One descriptor reports on which of them something came.
type Lot struct {
	epoll  syscall.RawConn // nil: not available
	events [128]unix.EpollEvent

	mu     sync.Mutex
	places map[uint64]*Place
	names  uint64  // number of names given so far
	due    []taken // ordered by time
}

// taken is a place that will be taken at a time.
type taken struct {
	place *Place
	at    time.Time
	then  func()
}

// NewLot creates a lot that works until ctx is done. Spawn runs its goroutine, or returns false if it can't. If
// the system lacks epoll, nothing is parked.
func NewLot(ctx context.Context, spawn func(f func()) bool) *Lot {
	l := &Lot{places: map[uint64]*Place{}}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return l
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return l
	}
	file := os.NewFile(uintptr(fd), "epoll")
	if l.epoll, err = file.SyscallConn(); err != nil || !spawn(l.run) {
		l.epoll = nil
		_ = file.Close()
		return l
	}
	context.AfterFunc(ctx, func() { _ = file.Close() }) // ends run
	return l
}

// run wakes connections on which something came, until the lot is closed.
func (l *Lot) run() {
	for {
		n := 0
		if err := l.epoll.Read(func(fd uintptr) bool {
			n, _ = unix.EpollWait(int(fd), l.events[:], 0)
			return n > 0
		}); err != nil {
			return
		}
		for _, e := range l.events[:n] {
			l.mu.Lock()
			p := l.places[uint64(uint32(e.Fd))|uint64(uint32(e.Pad))<<32]
			l.mu.Unlock()
			if p != nil && l.Take(p) {
				p.Wake()
			}
		}
		runtime.Gosched() // lets the readers run, which end soon: a server may ping thousands at once
	}
}

// Park parks a connection until something comes on it. It returns false if that is not possible (any longer). All
// received data must be read already, or be in the kernel.
func (l *Lot) Park(p *Place, c net.Conn) bool {
	is, ok := c.(syscall.Conn)
	if !ok || l.epoll == nil {
		return false
	}
	raw, err := is.SyscallConn()
	if err != nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-p.Over:
		return false
	default:
	}
	l.names++
	how := unix.EPOLL_CTL_MOD
	if !p.watched {
		how = unix.EPOLL_CTL_ADD
	}
	e := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT, Fd: int32(uint32(l.names)),
		Pad: int32(uint32(l.names >> 32)),
	}
	refused := os.ErrClosed
	_ = raw.Control(func(fd uintptr) {
		_ = l.epoll.Control(func(epoll uintptr) { refused = unix.EpollCtl(int(epoll), how, int(fd), &e) })
	})
	if refused != nil {
		return false
	}
	p.watched, p.name = true, l.names
	l.places[p.name] = p
	return true
}

// Take removes a connection from the lot, and reports whether it was parked. It is needed because the kernel does not
// report a connection that brunt itself closes.
func (l *Lot) Take(p *Place) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.take(p)
}

func (l *Lot) take(p *Place) bool {
	name := p.name
	delete(l.places, name)
	p.name = 0
	return name != 0
}

// TakeAt takes a connection that is not parked again, at a time, and then calls then: also if it was woken before, as
// its other side may send without end. It returns false if the connection is not parked. The times of successive calls
// must not decrease.
func (l *Lot) TakeAt(p *Place, at time.Time, then func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.name == 0 {
		return false
	}
	if len(l.due) == 0 {
		time.AfterFunc(time.Until(at), l.takeDue)
	}
	l.due = append(l.due, taken{p, at, then})
	return true
}

// takeDue takes the connections whose times have come.
func (l *Lot) takeDue() {
	l.mu.Lock()
	n := 0
	for ; n < len(l.due) && time.Until(l.due[n].at) <= 0; n++ {
		l.take(l.due[n].place)
	}
	late := slices.Clone(l.due[:n])
	if l.due = slices.Delete(l.due, 0, n); len(l.due) > 0 {
		time.AfterFunc(time.Until(l.due[0].at), l.takeDue)
	}
	l.mu.Unlock()
	for _, t := range late {
		t.then()
	}
}
