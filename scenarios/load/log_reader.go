package load

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/gzip"
)

// An entry is a request of a log.
type entry struct {
	at     int64 // nanoseconds since 1970
	n      int64 // line number
	method string
	target string // path and query
}

// A logReader returns the requests of a log to replay, ordered by time.
//
//	file -gunzip-> lines -parse-> entries -order, within the window-> skip, for, methods
type logReader struct {
	log     *Log
	parser  logParser
	order   order
	done    bool // the end of the file was reached
	scans   bool // findings are recorded in the log
	closers []io.Closer
}

// A logParser parses a log line by line.
type logParser interface {
	// next returns the next entry. A badLine error concerns its line only; io.EOF is the end.
	next() (entry, error)
	// resolution is the resolution of the timestamps so far, in nanoseconds.
	resolution() int64
}

// Error implements error.
func (b badLine) Error() string { return fmt.Sprintf("line %d: %v", b.n, b.err) }

// read opens the log. With scans it records its findings in the log.
func (l *Log) read(scans bool) (*logReader, error) {
	f, err := l.open()
	if err != nil {
		return nil, err
	}
	r := &logReader{log: l, scans: scans, closers: []io.Closer{f}, order: order{window: l.disorder}}
	if scans {
		r.order.window = int64(l.window)
	}
	b := bufio.NewReaderSize(f, 1<<16)
	if head, _ := b.Peek(2); len(head) == 2 && head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(b)
		if err != nil {
			r.close()
			return nil, fmt.Errorf("unpacking %s: %w", l.name, err)
		}
		b = bufio.NewReaderSize(z, 1<<16)
	}
	if r.parser, err = newLogParser(b, l.format, l.fields); err != nil {
		r.close()
		return nil, fmt.Errorf("%s: %w", l.name, err)
	}
	return r, nil
}

func (r *logReader) close() {
	for _, c := range r.closers {
		_ = c.Close()
	}
}

// next returns the next request to replay; io.EOF is the end.
func (r *logReader) next() (entry, error) {
	for {
		e, err := r.ordered()
		if err != nil {
			return entry{}, err
		}
		l := r.log
		if r.scans && l.first == 0 {
			l.first = e.at
		}
		from := l.origin()
		switch {
		case e.at < from:
			r.leave("before what is replayed (skip)")
			continue
		case l.length > 0 && e.at >= from+int64(l.length):
			return entry{}, io.EOF
		case e.target == "":
			r.leave("without a request")
			continue
		case !slices.Contains(l.methods, e.method):
			r.leave("by " + e.method + " (methods)")
			continue
		}
		return e, nil
	}
}

func (r *logReader) leave(why string) {
	if r.scans {
		r.log.leave(why)
	}
}

// ordered returns the next entry by time.
func (r *logReader) ordered() (entry, error) {
	for {
		if e, ok := r.order.pop(r.done); ok {
			return e, nil
		}
		if r.done {
			return entry{}, io.EOF
		}
		e, err := r.parser.next()
		bad, isBad := errors.AsType[badLine](err)
		switch {
		case errors.Is(err, io.EOF):
			r.done = true
			continue
		case isBad:
			r.bad(bad)
			continue
		case err != nil:
			return entry{}, fmt.Errorf("reading %s: %w", r.log.name, err)
		}
		if r.scans {
			r.log.lines++
			r.log.resolution = min(r.log.resolution, r.parser.resolution())
		}
		if r.scans {
			r.log.disorder = max(r.log.disorder, min(r.order.newest-e.at, int64(r.log.window)))
		}
		r.order.push(e)
	}
}

// bad records a line that can't be parsed.
func (r *logReader) bad(b badLine) {
	if !r.scans {
		return
	}
	r.log.lines++
	r.log.bad++
	if len(r.log.badLines) < mostBadShown {
		r.log.badLines = append(r.log.badLines, b)
	}
}

// An order sorts entries by time, where lines are out of order by at most a window. It is a heap;
// entries with the same time keep the order of the file.
type order struct {
	window int64
	heap   []entry
	newest int64
	oldest int64 // time of the entry returned last
	late   int64 // entries that were further out of order than the window
}

// mostOrdered bounds the number of entries in the heap, whatever the window: about 100 MB.
const mostOrdered = 1 << 19

func (o *order) less(a, b *entry) bool { return a.at < b.at || a.at == b.at && a.n < b.n }

func (o *order) push(e entry) {
	if e.at < o.oldest {
		e.at = o.oldest
		o.late++
	}
	o.newest = max(o.newest, e.at)
	o.heap = append(o.heap, e)
	for i := len(o.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !o.less(&o.heap[i], &o.heap[up]) {
			break
		}
		o.heap[i], o.heap[up] = o.heap[up], o.heap[i]
		i = up
	}
}

// pop returns the first entry, once no earlier one can follow; all says that the log has ended.
func (o *order) pop(all bool) (entry, bool) {
	n := len(o.heap)
	if n == 0 || !all && n < mostOrdered && o.heap[0].at > o.newest-o.window {
		return entry{}, false
	}
	e := o.heap[0]
	o.oldest = e.at
	o.heap[0] = o.heap[n-1]
	o.heap[n-1] = entry{}
	o.heap = o.heap[:n-1]
	for i := 0; ; {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(o.heap) && o.less(&o.heap[child], &o.heap[least]) {
				least = child
			}
		}
		if least == i {
			return e, true
		}
		o.heap[i], o.heap[least] = o.heap[least], o.heap[i]
		i = least
	}
}

// lineReader returns lines with their numbers.
type lineReader struct {
	r *bufio.Reader
	n int64
}

// longestLine is the maximum length of a line; a longer one is a bad line.
const longestLine = 64 << 10

var errLong = fmt.Errorf("it is longer than %d KiB", longestLine>>10)

// next returns the next line that is not empty, in a buffer that it reuses.
func (l *lineReader) next() ([]byte, error) {
	for {
		line, err := l.r.ReadSlice('\n')
		if len(line) == 0 && err != nil {
			return nil, err
		}
		l.n++
		if errors.Is(err, bufio.ErrBufferFull) {
			for errors.Is(err, bufio.ErrBufferFull) {
				_, err = l.r.ReadSlice('\n')
			}
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, err
			}
			return nil, badLine{l.n, errLong}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r' || line[len(line)-1] == ' ') {
			line = line[:len(line)-1]
		}
		if len(line) > 0 {
			return line, nil
		}
	}
}
