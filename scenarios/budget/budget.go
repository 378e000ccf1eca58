// Package budget bounds the memory that this process takes for what servers send, so that a server whose answers are
// too large, too many at once, or grow when they are decoded, makes its requests errors and not brunt a victim.
//
//	a reader or decoder --Claim.Take--> the budget of the process --Claim.Release, when the answer is done with--> back
//
// What is small costs nothing: a claim asks for no more than small bytes without the budget, by an addition.
//
// A decoder claims before it decodes. It may wait for other answers, which are decoded one after the other then: by
// Wait, as no response time counts on it any more.
package budget

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios/quantity"
)

const (
	// small is how many bytes a claim has without asking.
	small = 64 << 10
	// whole is the budget by default, in bytes. With it brunt takes less than 300 MiB: the collector of garbage needs as
	// much again.
	whole = 64 << 20

	patience = time.Second           // how long Wait waits
	look     = 10 * time.Millisecond // how often it looks
	step     = small                 // bytes that a claim asks for at least, so that it asks seldom
)

// budget is the budget of the process.
var budget struct {
	held atomic.Int64 // bytes, with garbage
	// bytes that were given back and may not have been collected; they are held until the budget is used up
	garbage atomic.Int64
	sweep   sync.Mutex   // one collects at a time
	more    atomic.Int64 // bytes besides whole that the process may hold
}

// Raise raises the budget of the process to at least n bytes, because a scenario wants to read larger answers.
func Raise(n int64) {
	for {
		old := budget.more.Load()
		if n-whole <= old || budget.more.CompareAndSwap(old, n-whole) {
			return
		}
	}
}

// Held returns how many bytes the process holds.
func Held() int64 { return budget.held.Load() - budget.garbage.Load() }

// reserve takes bytes from the budget. Otherwise it returns what the budget has at most.
func reserve(n int64) (most int64, ok bool) {
	most = whole + budget.more.Load()
	for range 2 {
		if budget.held.Add(n) <= most {
			return most, true
		}
		budget.held.Add(-n)
		collect()
	}
	return most, false
}

// collect collects the garbage of claims.
func collect() {
	budget.sweep.Lock()
	defer budget.sweep.Unlock()
	if n := budget.garbage.Swap(0); n > 0 {
		runtime.GC()
		budget.held.Add(-n)
	}
}

// give gives bytes back, which are garbage for a while if they are many.
func give(n int64) {
	const many = 1 << 20
	if n < many {
		budget.held.Add(-n)
	} else {
		budget.garbage.Add(n)
	}
}

// A Claim is the memory of one answer. The zero value has none. One goroutine at a time uses it.
type Claim struct {
	used int64
	held *hold // nil: what it uses is small
}

// A hold is what a claim has of the budget. If the claim is lost, the collector of garbage gives it back, together with
// the memory.
type hold struct{ bytes int64 }

func (h *hold) end() {
	budget.held.Add(-h.bytes)
	h.bytes = 0
}

// has returns what a claim may use without asking.
func (c *Claim) has() int64 {
	if c.held == nil {
		return small
	}
	return c.held.bytes
}

// Take claims n further bytes. The error is an [Error] if the budget does not have them.
func (c *Claim) Take(n int) error {
	if c.used += int64(n); c.used <= c.has() {
		return nil
	}
	return c.ask(int64(n))
}

// ask takes the bytes of a claim from the budget, or none.
func (c *Claim) ask(n int64) error {
	h := c.held
	if h == nil {
		h = new(hold)
	}
	more := max(c.used-h.bytes, step)
	if most, ok := reserve(more); !ok {
		c.used -= n
		return full(most, c.used+n)
	}
	if h.bytes += more; c.held == nil {
		c.held = h
		runtime.SetFinalizer(h, (*hold).end)
	}
	return nil
}

// Wait is Take for what can wait a moment until other answers are done with.
func (c *Claim) Wait(n int) error {
	err := c.Take(n)
	for end := time.Now().Add(patience); err != nil && int64(n) <= whole+budget.more.Load() && time.Now().Before(end); {
		<-time.After(look)
		err = c.Take(n)
	}
	return err
}

// Give gives n bytes back of those that were claimed.
func (c *Claim) Give(n int) {
	c.used -= int64(n)
	h := c.held
	switch {
	case h == nil:
	case c.used <= small:
		used := c.used
		c.Release()
		c.used = used
	case h.bytes-c.used > step:
		give(h.bytes - c.used)
		h.bytes = c.used
	}
}

// Release gives everything back.
func (c *Claim) Release() {
	if c.used = 0; c.held != nil {
		runtime.SetFinalizer(c.held, nil)
		give(c.held.bytes)
		c.held = nil
	}
}

// Move returns the claim, and leaves none.
func (c *Claim) Move() Claim {
	moved := *c
	*c = Claim{}
	return moved
}

// Join adds another claim. The error is that of Take, for what the other one had without asking.
func (c *Claim) Join(other Claim) error {
	switch c.used += other.used; {
	case other.held == nil:
	case c.held == nil:
		c.held = other.held
	default:
		c.held.bytes += other.held.bytes
		runtime.SetFinalizer(other.held, nil)
	}
	return c.Take(0)
}

// Grow returns b with room for n further bytes, and claims what that takes. The memory doubles if the budget has as
// much, as a copy has the old and the new memory. Without room in the budget b stays as it is.
func (c *Claim) Grow(b []byte, n int) ([]byte, error) { return c.grow(b, n, c.Take) }

// grow is Grow, with the last resort take.
func (c *Claim) grow(b []byte, n int, take func(int) error) ([]byte, error) {
	old := cap(b)
	if len(b)+n <= old {
		return b, nil
	}
	size := max(2*old, len(b)+n, 512)
	if size > 8*old { // the copy takes little
		c.Give(min(old, int(c.used)))
		old = 0
	}
	if err := c.Take(size); err != nil {
		size = max(old+old/4, len(b)+n)
		if err = take(size); err != nil {
			return b, err
		}
	}
	grown := make([]byte, len(b), size)
	copy(grown, b)
	c.Give(min(old, int(c.used)-size)) // memory of an earlier answer was not claimed
	return grown, nil
}

// ReadAll reads from r to its end, at most most bytes, and one more if there are more. It claims the memory, and may
// wait for it, see [Claim.Wait].
func (c *Claim) ReadAll(r io.Reader, most int) (b []byte, err error) {
	for len(b) <= most {
		if len(b) == cap(b) {
			if b, err = c.grow(b, 512, c.Wait); err != nil {
				return b, err
			}
		}
		n, err := r.Read(b[len(b):min(cap(b), most+1)])
		if b = b[:len(b)+n]; err != nil {
			if err == io.EOF {
				err = nil
			}
			return b, err
		}
	}
	return b, nil
}

// An Error says that an answer is over a bound of brunt's, and which.
type Error struct {
	Text   string
	Beside bool // it is over none by itself: the answers of other requests left no room for it
}

func (e *Error) Error() string { return e.Text }

// full returns the error of an answer that wants n bytes in all.
func full(most, n int64) error {
	e := &Error{Beside: n <= most}
	over := "this one is over that"
	if e.Beside {
		over = "others of the time left no room for this one"
	}
	e.Text = fmt.Sprintf("brunt holds and decodes at most %s of answers at a time, and %s; "+
		"`check: {max_body: …}` of an HTTP step raises it to eight times its size", quantity.Size(most), over)
	return e
}

// Over returns the [Error] in an error; nil: there is none.
func Over(err error) error {
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	return nil
}

// Beside reports whether an error says that other answers left no room for an answer.
func Beside(err error) bool {
	own, ok := errors.AsType[*Error](err)
	return ok && own.Beside
}
