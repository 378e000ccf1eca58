package k6

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// wireVersion is the version of the frames and messages. Brunt and brunt-k6 are built from the same source tree, and
// refuse other versions.
const wireVersion = 4

// A frame is its type, followed by numbers as varints and texts prefixed by their length.
const (
	frameHello     = 'H'
	frameStep      = 'S'
	frameCheck     = 'C'
	frameRequest   = 'R'
	frameIteration = 'I'
	frameDropped   = 'D'
	frameUsers     = 'U'
	frameException = 'X'
	frameNote      = 'N'
)

// mostText is the maximum length of a text in a frame, in bytes.
const mostText = 4 << 20

// A Request is one request of the script. Times are offsets from the hello of the script's process.
type Request struct {
	Step    int
	End     time.Duration
	Service time.Duration // from its start to its last byte
	First   time.Duration // from its start to its first byte; zero means unknown
	// The parts of the time before the answer of an HTTP request. k6 does not separate DNS lookup from the wait for a
	// connection: both are in Queue.
	Queue, Connect, TLS, Send time.Duration
	Status                    int  // of HTTP or gRPC; zero with Answered false: no answer
	Code                      int  // k6's error_code; zero: no error
	Failed                    bool // k6 counts it as failed
	Answered                  bool
	Checks                    int // number of checks of its answer
	Wrong                     int // number of checks that failed
	Check                     int // number of the first check that failed
}

// An Iteration is one whole iteration of the script.
type Iteration struct {
	End, Duration time.Duration
}

// A Handler receives the messages of a script's process. It must not keep its arguments.
type Handler interface {
	Hello(wall time.Time)              // the wall-clock time from which times are offsets
	Step(id int, name string)          // comes before the first request of the step
	Check(id int, name string)         // comes before the first request that fails the check
	Request(r *Request)                // a request that has ended
	Iteration(i *Iteration)            // an iteration that has ended
	Dropped(at time.Duration, n int64) // iterations for which no virtual user was free
	Users(n int64)                     // virtual users that are active now
	Exception(at time.Duration, text string)
	Note(n *Note)
}

func appendText(b []byte, s string) []byte {
	s = s[:min(len(s), mostText)]
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendNumbers(b []byte, all ...int64) []byte {
	for _, n := range all {
		b = binary.AppendVarint(b, n)
	}
	return b
}

func appendHello(b []byte, wall time.Time) []byte {
	return appendNumbers(append(b, frameHello), wireVersion, wall.UnixNano())
}

// appendNamed appends a frame of a number with a text: a step or check with its name, or the time
// of an exception with its message.
func appendNamed(b []byte, frame byte, id int64, name string) []byte {
	return appendText(appendNumbers(append(b, frame), id), name)
}

func appendRequest(b []byte, r *Request) []byte {
	flags := int64(0)
	if r.Failed {
		flags |= 1
	}
	if r.Answered {
		flags |= 2
	}
	return appendNumbers(append(b, frameRequest), int64(r.Step), flags, int64(r.End), int64(r.Service), int64(r.First),
		int64(r.Queue), int64(r.Connect), int64(r.TLS), int64(r.Send), int64(r.Status), int64(r.Code), int64(r.Checks),
		int64(r.Wrong), int64(r.Check))
}

func appendIteration(b []byte, end, duration time.Duration) []byte {
	return appendNumbers(append(b, frameIteration), int64(end), int64(duration))
}

func appendDropped(b []byte, at time.Duration, n int64) []byte {
	return appendNumbers(append(b, frameDropped), int64(at), n)
}

func appendUsers(b []byte, n int64) []byte { return appendNumbers(append(b, frameUsers), n) }

func appendNote(b []byte, n *Note) []byte {
	text, err := json.Marshal(n)
	if err != nil {
		panic(err) // texts and finite numbers always encode
	}
	return append(binary.AppendUvarint(append(b, frameNote), uint64(len(text))), text...)
}

// errFrame means that the data is not a frame: the other side has another version, or a library wrote to its standard
// output.
var errFrame = errors.New("what brunt-k6 sent can't be read")

// readMessages passes all frames to h until r ends. An end within a frame is [io.ErrUnexpectedEOF]: the process died
// while it wrote the frame.
func readMessages(r io.Reader, h Handler) error {
	d := decoder{r: bufio.NewReaderSize(r, 1<<16)}
	for {
		frame, err := d.r.ReadByte()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		d.frame(frame, h)
		if d.err != nil {
			if errors.Is(d.err, io.EOF) {
				d.err = io.ErrUnexpectedEOF
			}
			return d.err
		}
	}
}

// decoder reads one frame. It keeps its first error.
type decoder struct {
	r   *bufio.Reader
	req Request
	it  Iteration
	err error
}

func (d *decoder) number() int64 {
	if d.err != nil {
		return 0
	}
	n, err := binary.ReadVarint(d.r)
	d.err = err
	return n
}

func (d *decoder) bytes() []byte {
	if d.err != nil {
		return nil
	}
	n, err := binary.ReadUvarint(d.r)
	if err == nil && n > mostText {
		err = fmt.Errorf("%w: a text of %d bytes", errFrame, n)
	}
	if d.err = err; err != nil {
		return nil
	}
	b := make([]byte, n)
	_, d.err = io.ReadFull(d.r, b)
	return b
}

func (d *decoder) frame(frame byte, h Handler) {
	switch frame {
	case frameHello:
		version, wall := d.number(), d.number()
		if d.err == nil && version != wireVersion {
			d.err = fmt.Errorf("%w: it speaks version %d and brunt %d; build both from the same tree", errFrame, version,
				wireVersion)
		}
		if d.err == nil {
			h.Hello(time.Unix(0, wall))
		}
	case frameStep, frameCheck, frameException:
		id, text := d.number(), string(d.bytes())
		if d.err != nil {
			return
		}
		switch frame {
		case frameStep:
			h.Step(int(id), text)
		case frameCheck:
			h.Check(int(id), text)
		default:
			h.Exception(time.Duration(id), text)
		}
	case frameRequest:
		d.request(h)
	case frameIteration:
		d.it = Iteration{End: time.Duration(d.number()), Duration: time.Duration(d.number())}
		if d.err == nil {
			h.Iteration(&d.it)
		}
	case frameDropped:
		at, n := time.Duration(d.number()), d.number()
		if d.err == nil {
			h.Dropped(at, n)
		}
	case frameUsers:
		if n := d.number(); d.err == nil {
			h.Users(n)
		}
	case frameNote:
		var n Note
		b := d.bytes()
		if d.err != nil {
			return
		}
		if err := json.Unmarshal(b, &n); err != nil {
			d.err = fmt.Errorf("%w: %w", errFrame, err)
			return
		}
		h.Note(&n)
	default:
		d.err = fmt.Errorf("%w: a frame of type %q", errFrame, frame)
	}
}

func (d *decoder) request(h Handler) {
	r := &d.req
	r.Step = int(d.number())
	flags := d.number()
	r.Failed, r.Answered = flags&1 != 0, flags&2 != 0
	r.End, r.Service, r.First = time.Duration(d.number()), time.Duration(d.number()), time.Duration(d.number())
	r.Queue, r.Connect, r.TLS, r.Send = time.Duration(d.number()), time.Duration(d.number()), time.Duration(d.number()),
		time.Duration(d.number())
	r.Status, r.Code = int(d.number()), int(d.number())
	r.Checks, r.Wrong, r.Check = int(d.number()), int(d.number()), int(d.number())
	if d.err == nil {
		h.Request(r)
	}
}
