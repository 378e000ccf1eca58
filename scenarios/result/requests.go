package result

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"brunt/scenarios"
)

// Requests is the header of a file of requests: its first line, as JSON. After it follow records
// of a fixed size, roughly in the order in which the requests ended. A run of any length is
// written and read in little memory.
type Requests struct {
	Version int            `json:"version"` // version of the file
	Run     string         `json:"run"`
	T0      time.Time      `json:"t0"`
	Loads   []string       `json:"loads"` // by the number that outcomes carry
	Steps   []RequestsStep `json:"steps"` // by the number that outcomes carry
	Checks  []string       `json:"checks"`
}

// RequestsStep is a step of a load, as its author wrote it: placeholders are not filled in.
type RequestsStep struct {
	Name   string `json:"name" mask:"word"`
	Method string `json:"method"`
	URL    string `json:"url"`
}

// RequestBatch holds the requests that were counted in a second of a run. Its receiver does not change it.
type RequestBatch struct {
	Head   *Requests
	Causes scenarios.Causes // names of the causes of the requests
	List   []scenarios.Outcome
}

// A RequestSource provides the requests of a run, from the first on.
type RequestSource interface {
	// Open returns a reader of the requests, and a function to close it.
	Open() (r *RequestsReader, done func(), err error)
}

// requestsVersion is the version of a file of requests.
const requestsVersion = 1

// recordSize is the size of a request in its file, in bytes.
const recordSize = 8*6 + 4*4 + 2

// RequestsWriter writes a file of requests. It is used by one goroutine at a time.
type RequestsWriter struct {
	w   *bufio.Writer
	mem [recordSize]byte
}

// NewRequestsWriter writes the header of a file.
func NewRequestsWriter(w io.Writer, head Requests) (*RequestsWriter, error) {
	head.Version = requestsVersion
	b, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	out := &RequestsWriter{w: bufio.NewWriterSize(w, 1<<16)}
	_, err = out.w.Write(append(b, '\n'))
	return out, err
}

// Write adds a request.
func (w *RequestsWriter) Write(o *scenarios.Outcome) error {
	b := w.mem[:0]
	for _, t := range []time.Duration{o.Intended, o.Ready, o.Slot, o.Sent, o.End} {
		b = binary.LittleEndian.AppendUint64(b, uint64(t))
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(o.Bytes))
	for _, n := range []int32{o.Load, o.Step, o.Status, int32(o.Cause)} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	b = append(b, byte(o.Kind), flags(o.Closed, o.WasSent, o.Answered))
	_, err := w.w.Write(b)
	return err
}

// Flush writes the buffered data.
func (w *RequestsWriter) Flush() error { return w.w.Flush() }

// flags packs flags into a byte, the first in the lowest bit.
func flags(all ...bool) (b byte) {
	for i, on := range all {
		if on {
			b |= 1 << i
		}
	}
	return b
}

// RequestsReader reads a file of requests.
type RequestsReader struct {
	Requests
	// the families of the run's protocols, for the names of causes; nil if they are not known
	Families []scenarios.CauseFamily
	r        *bufio.Reader
	mem      [recordSize]byte
}

// Causes returns the names of the causes of the requests.
func (r *RequestsReader) Causes() scenarios.Causes {
	return scenarios.Causes{Checks: r.Checks, Families: r.Families}
}

// maxHead is the maximum size of the header of a file of requests, in bytes.
const maxHead = 64 << 20

// NewRequestsReader reads the header of a file.
func NewRequestsReader(r io.Reader) (*RequestsReader, error) {
	out := &RequestsReader{r: bufio.NewReaderSize(r, 1<<16)}
	line, err := out.line()
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(line, &out.Requests); err != nil {
		return nil, fmt.Errorf("this is not a file of requests: %w", err)
	}
	if out.Version != requestsVersion {
		return nil, fmt.Errorf("the file of requests is of version %d, and this brunt reads version %d", out.Version,
			requestsVersion)
	}
	return out, nil
}

func (r *RequestsReader) line() ([]byte, error) {
	var line []byte
	for {
		part, err := r.r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("this is not a file of requests: %w", err)
		case len(line) > maxHead:
			return nil, errors.New("this is not a file of requests: its first line has no end")
		}
	}
}

// Read fills in the next request; its error is [io.EOF] after the last. It ignores an incomplete
// record at the end, which a killed run leaves.
func (r *RequestsReader) Read(o *scenarios.Outcome) error {
	if _, err := io.ReadFull(r.r, r.mem[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return err
	}
	at := func(i int) time.Duration { return time.Duration(binary.LittleEndian.Uint64(r.mem[8*i:])) }
	num := func(i int) int32 { return int32(binary.LittleEndian.Uint32(r.mem[48+4*i:])) }
	is := func(i int) bool { return r.mem[65]&(1<<i) != 0 }
	*o = scenarios.Outcome{
		Intended: at(0), Ready: at(1), Slot: at(2), Sent: at(3), End: at(4), Bytes: int64(at(5)),
		Load: num(0), Step: num(1), Status: num(2), Cause: scenarios.Cause(num(3)), Kind: scenarios.Kind(r.mem[64]),
		Closed: is(0), WasSent: is(1), Answered: is(2),
	}
	if o.Load < 0 || int(o.Load) >= len(r.Loads) || o.Step < 0 || int(o.Step) >= len(r.Steps) ||
		o.Kind >= scenarios.Kinds {
		return errors.New("the file of requests is damaged: a request is of a step that it does not name")
	}
	return nil
}
