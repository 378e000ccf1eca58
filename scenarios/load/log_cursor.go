package load

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"brunt/scenarios"
)

// A logCursor goes over the arrivals of a log, and says what each asks for. Those that
// came at the same instant of the log's clock, which may be a second long, are spread
// over it. The file is read by a goroutine of its own, so that the arrivals of a second
// are there when it begins.
type logCursor struct {
	log     *Log
	start   time.Duration
	poisson bool
	seed    uint64

	instants chan logInstant // closed by the reader after the last
	quit     chan struct{}   // closed to end the reading
	reading  sync.WaitGroup
	end      sync.Once
	err      error // why the reading ended, when the log did not; valid when instants is closed

	now   logInstant
	place []float64 // of each request within it, 0 to 1
	i     int
	n     int64
	entry logEntry // that Next gave last
}

var _ Cursor = (*logCursor)(nil)

// A logInstant is the requests of a log that came at one time of its clock.
type logInstant struct {
	from     int64 // nanoseconds, from the log's origin on
	requests []logEntry
}

// logEntry is what an arrival of a log asks for.
type logEntry struct {
	flow   int32
	target string // path and query
}

// readAhead is how many instants are read before they are due.
const readAhead = 4

// cursor goes over the log from its beginning. It is to be closed.
func (l *Log) cursor(start time.Duration, poisson bool, seed uint64) *logCursor {
	c := &logCursor{log: l, start: start, poisson: poisson, seed: seed, instants: make(chan logInstant, readAhead), quit: make(chan struct{})}
	c.reading.Go(c.read)
	return c
}

// read reads the log to its end.
func (c *logCursor) read() {
	defer close(c.instants)
	r, err := c.log.read(false)
	if err != nil {
		c.err = err
		return
	}
	defer r.close()
	var now logInstant
	n := int64(0)
	for {
		e, err := r.next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				c.err = err
			}
			break
		}
		n++
		from := e.at - e.at%c.log.resolution - c.log.origin()
		if from != now.from && !c.give(&now) {
			return
		}
		now.from = from
		name := c.log.names.Of(scenarios.RequestName(e.method, e.target))
		now.requests = append(now.requests, logEntry{c.log.flows[name], e.target})
	}
	if c.give(&now) && c.err == nil && n != c.log.count {
		c.err = fmt.Errorf("%s has changed since it was read: it had %d requests, and now %d", c.log.name, c.log.count, n)
	}
}

// give passes an instant on; false means that the receiver has stopped.
func (c *logCursor) give(now *logInstant) bool {
	if len(now.requests) == 0 {
		return true
	}
	select {
	case c.instants <- *now:
		now.requests = make([]logEntry, 0, len(now.requests))
		return true
	case <-c.quit:
		return false
	}
}

// Next implements [Cursor].
func (c *logCursor) Next() (n int64, at time.Duration, ok bool) {
	if c.i >= len(c.now.requests) {
		if c.now, ok = <-c.instants; !ok {
			return 0, 0, false
		}
		c.i = 0
		c.spread()
	}
	c.entry = c.now.requests[c.i]
	offset := float64(c.now.from) + c.place[c.i]*float64(c.log.resolution)
	at = c.start + time.Duration(offset/c.log.speed)
	n = c.n
	c.i++
	c.n++
	return n, at, true
}

// spread places the requests of an instant within it: even, or as those of a Poisson
// process lie, which are uniform and sorted.
func (c *logCursor) spread() {
	k := len(c.now.requests)
	c.place = c.place[:0]
	if !c.poisson {
		for i := range k {
			c.place = append(c.place, float64(i)/float64(k))
		}
		return
	}
	r := rand.New(rand.NewPCG(c.seed, uint64(c.now.from)))
	for range k {
		c.place = append(c.place, r.Float64())
	}
	slices.Sort(c.place)
}

// close ends the reading. Its error is why the log could not be read to its end.
func (c *logCursor) close() error {
	c.end.Do(func() { close(c.quit) })
	c.reading.Wait()
	return c.err
}
