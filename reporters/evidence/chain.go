package evidence

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"brunt/scenarios/disk"
	"brunt/scenarios/result"
)

// hashChain links the lines of events.jsonl: the field prev of a line holds the SHA-256 of the line before it,
// without its newline. The first line has zeros.
//
//	{"t":0,…,"prev":"0000…"}
//	{"t":1,…,"prev":"sha256 of the line above"}
//
// So a line that is changed, removed, inserted or moved causes a mismatch in the line after it. SHA256SUMS protects
// the last line.
type hashChain struct{ prev string }

var chainStart = strings.Repeat("0", hex.EncodedLen(sha256.Size))

// line returns the next line, with its newline.
func (c *hashChain) line(e result.Event) ([]byte, error) {
	if c.prev == "" {
		c.prev = chainStart
	}
	e.Prev = c.prev
	if _, err := json.Marshal(e.Data); err != nil {
		e.Data = asText(e.Data) // JSON has no infinity: keep the event with its data as text
	}
	line, err := encodeLine(e)
	if err == nil && bytes.Contains(line, []byte(`\ufffd`)) {
		// Invalid UTF-8 is escaped the first time, but it is valid once it was read back. A line must be the same
		// each time it is written.
		var again result.Event
		if err = json.Unmarshal(line, &again); err == nil {
			line, err = encodeLine(again)
		}
	}
	if err != nil {
		return nil, err
	}
	c.prev = hashOf(bytes.TrimSuffix(line, []byte("\n")))
	return line, nil
}

func encodeLine(e result.Event) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(e)
	return b.Bytes(), err
}

func hashOf(line []byte) string {
	sum := sha256.Sum256(line)
	return hex.EncodeToString(sum[:])
}

// An EventLog writes events.jsonl while a run goes on, so that a killed run leaves its events so far. Its caller
// never waits for the disk. After the run, [Events] replaces the file with all events in the order of the run's
// clock.
type EventLog struct {
	file   *os.File
	events chan result.Event // closed by Close
	done   chan struct{}
	err    error // error of the first line that could not be written; known once done is closed

	mu     sync.Mutex
	closed bool
}

// waiting is the number of events that may wait for the disk; further ones are dropped.
const waiting = 4096

// OpenEvents creates the events.jsonl of dir, in place of one that is there.
func OpenEvents(dir string) (*EventLog, error) {
	f, err := disk.Fresh(eventsPath(dir), disk.Private)
	if err != nil {
		return nil, err
	}
	l := &EventLog{file: f, events: make(chan result.Event, waiting), done: make(chan struct{})}
	go l.write()
	return l, nil
}

// Add writes an event. It may be called by several goroutines. Events after Close are ignored.
func (l *EventLog) Add(e result.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	select {
	case l.events <- e:
	default:
	}
}

func (l *EventLog) write() {
	defer close(l.done)
	var c hashChain
	for e := range l.events {
		if l.err != nil { // nothing may follow an incomplete line
			continue
		}
		line, err := c.line(e)
		if err == nil {
			_, err = l.file.Write(line)
		}
		l.err = err
	}
}

// Close waits until all events are written. It returns the first error, once.
func (l *EventLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	close(l.events)
	<-l.done
	return errors.Join(l.err, l.file.Close())
}

// A chainReport is the result of checkChain for an events.jsonl.
type chainReport struct {
	lines    int // complete lines
	last     result.Event
	findings []Finding
}

// checkChain reads an events.jsonl and reports each line that is not linked to the line before
// it.
func checkChain(r io.Reader) (out chainReport, err error) {
	add := func(n int, format string, args ...any) {
		out.findings = append(out.findings, Finding{eventsFile, n, fmt.Sprintf(format, args...)})
	}
	br := bufio.NewReaderSize(r, 1<<16)
	prev := chainStart
	for n := 1; ; n++ {
		line, err := disk.Line(br, longestLine)
		if err == io.EOF && len(line) == 0 {
			return out, nil
		}
		if err != nil && err != io.EOF {
			return out, err
		}
		body, whole := bytes.CutSuffix(line, []byte("\n"))
		if !whole {
			add(n, "this line is torn: its writer was killed, or the disk was full")
			return out, nil
		}
		out.lines = n
		var e result.Event
		switch jerr := json.Unmarshal(body, &e); {
		case jerr != nil:
			add(n, "this line is not an event: %v", jerr)
		case e.Prev == "":
			add(n, "this line is not chained: it has no prev")
		case e.Prev != prev && n == 1:
			add(n, "lines before this one were removed: its prev says that it was not the first")
		case e.Prev != prev:
			add(n, "the chain breaks here: line %d is not the one that this line was written after; it was changed, or lines "+
				"between them were removed or put in", n-1)
		}
		out.last, prev = e, hashOf(body)
		if len(out.findings) >= mostFindings {
			return out, nil
		}
	}
}
