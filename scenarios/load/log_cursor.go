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

// A logCursor iterates over the arrivals of a log and their targets. Requests with the same
// timestamp, whose resolution may be a second, are spread over that interval. A separate
// goroutine reads the file ahead, so that the arrivals of a second are ready when it begins.
type logCursor struct {
	log     *Log
	start   time.Duration
	poisson bool
	seed    uint64
	part    Part

	instants chan logInstant // closed by the reader after the last instant
	quit     chan struct{}   // closed to stop the reader
	reading  sync.WaitGroup
	end      sync.Once
	err      error // why the reader failed; valid once instants is closed

	now   logInstant
	place []float64 // position of each request within the instant, 0 to 1
	i     int
	n     int64
	entry logEntry // the entry that Next returned last
}

var _ Cursor = (*logCursor)(nil)

// A logInstant is the requests of a log with the same timestamp.
type logInstant struct {
	from     int64 // nanoseconds since the log's origin
	requests []logEntry
}

// logEntry is the request that an arrival of a log makes.
type logEntry struct {
	flow   int32
	target string // path and query
}

// readAhead is the number of instants that are read before they are due.
const readAhead = 4

// cursor iterates over a part of the log from its beginning. The caller must close it.
func (l *Log) cursor(start time.Duration, poisson bool, seed uint64, part Part) *logCursor {
	c := &logCursor{
		log: l, start: start, poisson: poisson, seed: seed, part: part,
		instants: make(chan logInstant, readAhead), quit: make(chan struct{}),
	}
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
		from := e.At - e.At%c.log.resolution - c.log.origin()
		if from != now.from && !c.give(&now) {
			return
		}
		now.from = from
		name := c.log.names.Of(scenarios.RequestName(e.Method, e.Target))
		now.requests = append(now.requests, logEntry{c.log.flows[name], e.Target})
	}
	if c.give(&now) && c.err == nil && n != c.log.count {
		c.err = fmt.Errorf("%s has changed since it was read: it had %d requests, and now %d", c.log.name, c.log.count, n)
	}
}

// give sends an instant to the receiver. It returns false when the receiver has stopped.
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

func (c *logCursor) Next() (n int64, at time.Duration, ok bool) {
	for {
		if n, at, ok = c.next(); !ok || c.part.takes(n) {
			return n, at, ok
		}
	}
}

// next returns the next request of the whole log.
func (c *logCursor) next() (n int64, at time.Duration, ok bool) {
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

// spread places the requests of an instant within it: evenly, or sorted uniform as in a Poisson process.
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

// close stops the reader. It returns the error that stopped the reading of the log early, if any.
func (c *logCursor) close() error {
	c.end.Do(func() { close(c.quit) })
	c.reading.Wait()
	return c.err
}
