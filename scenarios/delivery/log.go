package delivery

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"brunt/scenarios/disk"
	"brunt/scenarios/result"
)

// A sentLog keeps in a file what a run knows of its messages, for the case that brunt is killed: one line of JSON for
// each [result.DeliveryEvent]. Sending does not wait for the disk: the watch writes the lines, so the file lacks at
// most the lines of the last watchEvery. A nil sentLog keeps nothing.
type sentLog struct {
	file   *os.File
	keys   ids
	broken error // of the file; only one goroutine at a time flushes

	mu    sync.Mutex
	lines []byte // not yet written
	spare []byte // to exchange with lines
	kept  int64  // number of lines
}

// mostLogged bounds the lines of a file, which has some 400 MB then. Its last line says that it is full.
const mostLogged = 8_000_000

// openLog creates [result.SentFile] beside the file for the findings; an empty path means no file.
func openLog(findings string, keys ids) (*sentLog, error) {
	if findings == "" {
		return nil, nil
	}
	f, err := disk.Fresh(filepath.Join(filepath.Dir(findings), result.SentFile), disk.Private)
	if err != nil {
		return nil, fmt.Errorf("a file for the deliveries: %w", err)
	}
	return &sentLog{file: f, keys: keys}, nil
}

// add keeps what happened to message n of a tracker, whose lock the caller holds. The first line of a message has its
// id, which is given for an id of the target's own and otherwise empty.
func (l *sentLog) add(t *tracker, n uint64, is result.DeliveryEventKind, at time.Duration, id string) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept++; l.kept > mostLogged {
		return
	}
	if l.kept == mostLogged {
		is = result.DeliveryLogFull
	}
	b := append(append(append(l.lines, `{"delivery":`...), t.quoted...), `,"n":`...)
	b = append(append(append(strconv.AppendUint(b, n, 10), `,"is":"`...), is...), `","t":`...)
	b = strconv.AppendFloat(b, at.Seconds(), 'f', 6, 64)
	switch {
	case id != "":
		text, _ := json.Marshal(id) // never fails for a string
		b = append(append(b, `,"id":`...), text...)
	case is == result.DeliverySent:
		b = append(appendID(append(b, `,"id":"`...), l.keys.of(t.group.index, n)), '"')
	}
	l.lines = append(b, "}\n"...)
}

// flush writes the lines to the file. It returns the first error of any flush.
func (l *sentLog) flush() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	lines := l.lines
	l.lines, l.spare = l.spare[:0], nil
	l.mu.Unlock()
	if len(lines) > 0 && l.broken == nil {
		_, l.broken = l.file.Write(lines)
	}
	l.mu.Lock()
	l.spare = lines
	l.mu.Unlock()
	return l.broken
}

// Close closes the file and removes it.
func (l *sentLog) Close() error {
	if l == nil {
		return nil
	}
	return errors.Join(l.file.Close(), os.Remove(l.file.Name()))
}
