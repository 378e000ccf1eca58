package nfqueue

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"brunt/chaos/netns/kernel"

	"golang.org/x/sys/unix"
)

// A Worker holds the packets of a queue until they are due. It runs on its own thread.
//
//	queue -> read -> schedule -> lost: drop
//	                        -> due now: accept
//	                        -> due later: wait -> accept
//
// One thread reads and answers, so it shares no state. It sleeps in ppoll with the least timer
// slack and a high priority: packets are 0.02 ms late in the median, and 0.5 ms at p99 with ten
// other runnable threads per core.
type Worker struct {
	queue    *Socket
	schedule Schedule
	end      int // an eventfd; one write ends the worker
	Done     chan struct{}
	Err      error // why the worker ended by itself; read it after Done is closed

	Packets, Bytes, Hit atomic.Int64

	wait  []waiting // a heap: the next packet that is due is the first
	seq   uint64
	began time.Time
}

// waiting is a packet that is not due yet.
type waiting struct {
	due time.Duration
	seq uint64 // packets that are due at the same time leave in their order of arrival
	id  uint32
}

func (w waiting) before(o waiting) bool { return w.due < o.due || w.due == o.due && w.seq < o.seq }

// Start starts a worker for the queue, and takes ownership of the queue.
func Start(q *Socket, c Schedule) (*Worker, error) {
	end, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		q.close()
		return nil, fmt.Errorf("making an event to end by: %w", err)
	}
	h := &Worker{queue: q, schedule: c, end: end, Done: make(chan struct{}), began: time.Now()}
	go func() {
		defer close(h.Done)
		h.Err = kernel.OnThread(h.run)
		q.close() // from here on the kernel accepts every packet
	}()
	return h, nil
}

// Close releases all waiting packets and ends the worker. No new packets may arrive during Close.
func (h *Worker) Close() error {
	_, err := unix.Write(h.end, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	if err != nil {
		return fmt.Errorf("ending a queue: %w", err)
	}
	<-h.Done
	unix.Close(h.end)
	return h.Err
}

// atOnce is the number of packets that are read before due packets leave.
const atOnce = 128

func (h *Worker) run() error {
	unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // in nanoseconds
	rank := newRank()
	for {
		if err := h.queue.read(atOnce, h.admit); err != nil {
			return err
		}
		now := time.Since(h.began)
		for len(h.wait) > 0 && h.wait[0].due <= now {
			h.queue.answer(h.pop().id, accept)
		}
		if err := h.queue.flush(); err != nil {
			return err
		}
		sleep := time.Duration(-1)
		if len(h.wait) > 0 {
			sleep = max(0, h.wait[0].due-time.Since(h.began))
		}
		rank.sleeps(time.Since(h.began))
		ended, err := h.queue.sleep(h.end, sleep)
		rank.wakes(time.Since(h.began))
		if err != nil {
			return err
		}
		if ended {
			return h.release()
		}
	}
}

// leastWait is the shortest wait that counts as an effect: a clean network may take as long.
const leastWait = 50 * time.Microsecond

// admit schedules a packet.
func (h *Worker) admit(p Packet) {
	now := time.Since(h.began)
	due, lost := h.schedule.admit(now, p)
	h.Packets.Add(1)
	h.Bytes.Add(int64(p.length))
	switch {
	case lost:
		h.Hit.Add(1)
		h.queue.answer(p.id, drop)
	case due <= now:
		h.queue.answer(p.id, accept)
	default:
		if due-now >= leastWait {
			h.Hit.Add(1)
		}
		h.seq++
		h.push(waiting{due, h.seq, p.id})
	}
}

// release releases all packets in order.
func (h *Worker) release() error {
	err := h.queue.read(1<<20, func(p Packet) {
		h.seq++
		h.push(waiting{1<<63 - 1, h.seq, p.id})
	})
	for len(h.wait) > 0 {
		h.queue.answer(h.pop().id, accept)
	}
	return errors.Join(err, h.queue.flush())
}

func (h *Worker) push(w waiting) {
	h.wait = append(h.wait, w)
	for i := len(h.wait) - 1; i > 0; {
		up := (i - 1) / 2
		if !h.wait[i].before(h.wait[up]) {
			break
		}
		h.wait[i], h.wait[up] = h.wait[up], h.wait[i]
		i = up
	}
}

func (h *Worker) pop() waiting {
	first, last := h.wait[0], len(h.wait)-1
	h.wait[0] = h.wait[last]
	h.wait = h.wait[:last]
	for i := 0; ; {
		least := i
		for _, c := range []int{2*i + 1, 2*i + 2} {
			if c < last && h.wait[c].before(h.wait[least]) {
				least = c
			}
		}
		if least == i {
			return first
		}
		h.wait[i], h.wait[least] = h.wait[least], h.wait[i]
		i = least
	}
}

// A rank manages the scheduling priority of a thread. The thread starts with real-time priority, so
// that it runs as soon as it wakes. If it uses more than half of the time, which would starve other
// threads, it becomes an ordinary thread with high priority. Without the right to set a priority,
// the thread is late on a busy machine.
type rank struct {
	realTime bool
	from     time.Duration // when this measurement began
	woke     time.Duration
	busy     time.Duration // since from
}

func newRank() *rank {
	err := unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1}, 0)
	r := &rank{realTime: err == nil}
	if err != nil {
		r.ordinary()
	}
	return r
}

func (r *rank) ordinary() {
	if r.realTime {
		unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}, 0)
	}
	r.realTime = false
	unix.Setpriority(unix.PRIO_PROCESS, 0, -20) // of this thread
}

// wakes and sleeps record when the thread does so.
func (r *rank) wakes(now time.Duration) { r.woke = now }

func (r *rank) sleeps(now time.Duration) {
	r.busy += now - r.woke
	if over := now - r.from; over > time.Second {
		if r.realTime && r.busy > over/2 {
			r.ordinary()
		}
		r.from, r.busy = now, 0
	}
	r.woke = now
}
