package load

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"brunt/scenarios/load/accesslog"

	"github.com/klauspost/compress/gzip"
)

// A logReader returns the requests of a log to replay, ordered by time.
//
//	file -gunzip-> lines -parse-> entries -order, within the window-> skip, for, methods
type logReader struct {
	log     *Log
	parser  accesslog.Parser
	order   order
	done    bool // the end of the file was reached
	scans   bool // findings are recorded in the log
	closers []io.Closer
}

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
	if r.parser, err = accesslog.New(b, l.format,
		accesslog.Fields{Time: l.fields.Time, Method: l.fields.Method, Path: l.fields.Path}); err != nil {
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
func (r *logReader) next() (accesslog.Entry, error) {
	for {
		e, err := r.ordered()
		if err != nil {
			return accesslog.Entry{}, err
		}
		l := r.log
		if r.scans && l.first == 0 {
			l.first = e.At
		}
		from := l.origin()
		switch {
		case e.At < from:
			r.leave("before the replayed part (skip)")
			continue
		case l.length > 0 && e.At >= from+int64(l.length):
			return accesslog.Entry{}, io.EOF
		case e.Target == "":
			r.leave("without a request")
			continue
		case !slices.Contains(l.methods, e.Method):
			r.leave("by " + e.Method + " (methods)")
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
func (r *logReader) ordered() (accesslog.Entry, error) {
	for {
		if e, ok := r.order.pop(r.done); ok {
			return e, nil
		}
		if r.done {
			return accesslog.Entry{}, io.EOF
		}
		e, err := r.parser.Next()
		bad, isBad := errors.AsType[accesslog.BadLine](err)
		switch {
		case errors.Is(err, io.EOF):
			r.done = true
			continue
		case isBad:
			r.bad(bad)
			continue
		case err != nil:
			return accesslog.Entry{}, fmt.Errorf("reading %s: %w", r.log.name, err)
		}
		if r.scans {
			r.log.lines++
			r.log.resolution = min(r.log.resolution, r.parser.Resolution())
		}
		if r.scans {
			r.log.disorder = max(r.log.disorder, min(r.order.newest-e.At, int64(r.log.window)))
		}
		r.order.push(e)
	}
}

// bad records a line that can't be parsed.
func (r *logReader) bad(b accesslog.BadLine) {
	if !r.scans {
		return
	}
	r.log.lines++
	r.log.bad++
	if len(r.log.badLines) < mostBadShown {
		r.log.badLines = append(r.log.badLines, b)
	}
}

// An order sorts entries by time. Lines may be out of order by at most window. It is a heap; entries with the same
// time keep the order of the file.
type order struct {
	window int64
	heap   []accesslog.Entry
	newest int64
	oldest int64 // time of the entry returned last
	late   int64 // entries that were further out of order than the window
}

// mostOrdered is the maximum number of entries in the heap, whatever the window: about 100 MB.
const mostOrdered = 1 << 19

func (o *order) less(a, b *accesslog.Entry) bool { return a.At < b.At || a.At == b.At && a.N < b.N }

func (o *order) push(e accesslog.Entry) {
	if e.At < o.oldest {
		e.At = o.oldest
		o.late++
	}
	o.newest = max(o.newest, e.At)
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

// pop returns the first entry if no earlier one can follow; all says that the log has ended.
func (o *order) pop(all bool) (accesslog.Entry, bool) {
	n := len(o.heap)
	if n == 0 || !all && n < mostOrdered && o.heap[0].At > o.newest-o.window {
		return accesslog.Entry{}, false
	}
	e := o.heap[0]
	o.oldest = e.At
	o.heap[0] = o.heap[n-1]
	o.heap[n-1] = accesslog.Entry{}
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
