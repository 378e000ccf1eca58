package calls

import (
	"bufio"
	"errors"
	"net"
	"time"

	"brunt/scenarios"
)

const (
	readBuffer = 8 << 10 // bytes
	mostAhead  = 64      // frames
	mostQueued = 4 << 20 // bytes of frames that wait for a call, if they are several
)

// errIdle says that nothing comes.
var errIdle = errors.New("nothing comes")

// lend gives a connection a buffer.
func (c *client[F]) lend(l *Line[F]) {
	l.Reader = c.buffers.Get().(*bufio.Reader)
	l.Reader.Reset(l)
}

// startReader starts to read. It returns false if the run is over.
func (c *client[F]) startReader(l *Line[F]) bool { return c.Go(func() { c.read(l) }) }

// read reads frames until the connection ends or is parked.
func (c *client[F]) read(l *Line[F]) {
	if l.Reader == nil {
		c.lend(l)
	}
	for {
		err := l.pass(c.p, c.o.Now)
		switch {
		case err == errIdle:
			if c.park(l) {
				return
			}
		case err != nil:
			l.end(err)
			return
		}
	}
}

// pass reads a frame, passes it on, and waits for the next. It turns a panic into an error, which ends the connection.
func (l *Line[F]) pass(p *Protocol[F], now func() time.Duration) (err error) {
	defer scenarios.Recover(&err)
	defer l.Claim.Release() // after an error
	before := l.read - int64(l.Reader.Buffered())
	f, err := p.Read(l.Reader)
	taken := false
	if err == nil && p.Take != nil {
		taken, err = p.Take(l, f)
	}
	if err != nil {
		return err
	}
	at, claim := now(), l.Claim.Move()
	if taken {
		claim.Release()
	} else {
		a := arrived[F]{f, at, l.read - int64(l.Reader.Buffered()) - before, claim}
		if !l.queue(a) {
			if err := l.wait(a); err != nil {
				return err
			}
		}
	}
	if l.Reader.Buffered() > 0 {
		return nil
	}
	if !l.Wait(at) {
		return errIdle
	}
	if _, err = l.Reader.Peek(1); l.Idle(err) {
		return errIdle
	}
	return err
}

// park leaves a connection without a reader until something comes. It returns false if that is not possible.
func (c *client[F]) park(l *Line[F]) bool {
	l.Rest()
	br := l.Reader
	l.Reader = nil
	if !l.lot.Park(&l.place, l.raw) { // otherwise another reader may own it from now on
		l.Reader = br
		return false
	}
	br.Reset(nil)
	c.buffers.Put(br)
	return true
}

// end notes why the connection ended.
func (l *Line[F]) end(err error) {
	if l.err = err; l.failed.Load() != nil {
		l.err = *l.failed.Load()
	}
	close(l.ended)
}

// wait waits until a call takes a frame, which it does unless the connection is given up.
func (l *Line[F]) wait(a arrived[F]) error {
	const look = 100 * time.Millisecond
	timer := time.NewTimer(look)
	defer timer.Stop()
	for !l.queue(a) {
		timer.Reset(look)
		select {
		case <-l.room:
		case <-timer.C:
			if l.closing.Load() {
				return net.ErrClosed
			}
		}
	}
	return nil
}
