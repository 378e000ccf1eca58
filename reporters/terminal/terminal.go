package terminal

import (
	"bytes"
	"cmp"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"brunt/reporters"
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// Options describe the terminal's abilities, and the texts around the report. The zero value stands for a file of 80
// columns: without colours or cursor movement.
type Options struct {
	TTY     bool                       // the live block is redrawn in place; else a line every 10 s
	Color   bool                       // the caller honours NO_COLOR
	Width   int                        // columns; 0 means 80, Unwrapped no limit
	Height  int                        // rows; 0 means 24
	Size    func() (width, height int) // called before each redraw, to follow a resize; nil keeps Width and Height
	Summary []string                   // lines about the run, shown once before the live block
	Verbose bool                       // the tables of the run come before the answer
	// page of the report or folder of its files, which the last line names; empty: none
	Files string
}

// Unwrapped is the width of a file or pipe, whose reader breaks lines itself.
const Unwrapped = 1 << 16

// A Terminal shows a run in a terminal: while it goes on as a [reporters.Live], at the end as
// a [reporters.Reporter]. It is safe for use by several goroutines.
type Terminal struct {
	w io.Writer
	o Options

	mu      sync.Mutex
	begun   bool       // the summary is written
	block   [][]span   // the live block as last drawn
	drawn   []int      // columns of each of its lines on the screen; empty: not on the screen
	partial []byte     // of Write: an incomplete line
	past    past       // seconds before the live block
	quiet   plainLines // without a TTY
}

var (
	_ reporters.Reporter = (*Terminal)(nil)
	_ reporters.Live     = (*Terminal)(nil)
	_ io.Writer          = (*Terminal)(nil)
)

// New creates a terminal whose live block goes to w.
func New(w io.Writer, o Options) *Terminal {
	return &Terminal{w: w, o: o}
}

// size returns the current size.
func (t *Terminal) size() (width, height int) {
	width, height = t.o.Width, t.o.Height
	if t.o.Size != nil {
		width, height = t.o.Size()
	}
	if width <= 0 {
		width = 80
	}
	if height <= 0 {
		height = 24
	}
	return width, height
}

func (t *Terminal) Observe(iv result.Interval) {
	if iv.Last { // the table follows
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.begun {
		t.begun = true
		for _, s := range t.o.Summary {
			_, _ = io.WriteString(t.w, words.Clean(s)+"\n")
		}
	}
	if !t.o.TTY {
		if line, ok := t.quiet.add(iv); ok {
			_, _ = io.WriteString(t.w, line+"\n")
		}
		return
	}
	width, height := t.size()
	t.past.add(&iv)
	t.block = liveBlock(iv, &t.past, width-1, height-1)
	t.draw(nil)
}

// Write writes whole lines above the live block, so that a log can share the screen with it. It keeps an incomplete
// line until its end arrives.
func (t *Terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.partial = append(t.partial, p...)
	end := bytes.LastIndexByte(t.partial, '\n') + 1
	if end == 0 {
		return len(p), nil
	}
	above := bytes.Clone(t.partial[:end])
	t.partial = append(t.partial[:0], t.partial[end:]...)
	if len(t.drawn) == 0 {
		_, err := t.w.Write(above)
		return len(p), err
	}
	return len(p), t.draw(above)
}

// Clear removes the live block from the screen. The next Observe draws it again.
func (t *Terminal) Clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
}

func (t *Terminal) clear() {
	if len(t.drawn) > 0 {
		width, _ := t.size()
		_, _ = io.WriteString(t.w, t.home(width)+"\x1b[J")
		t.drawn = nil
	}
}

// home moves to the beginning of the block on the screen. If the terminal became narrower since the block was drawn,
// its lines may have wrapped.
func (t *Terminal) home(width int) string {
	rows := 0
	for _, used := range t.drawn {
		rows += max(1, (used+width-1)/width)
	}
	if rows > 1 {
		return "\r\x1b[" + strconv.Itoa(rows-1) + "A"
	}
	return "\r"
}

// draw writes the whole screen in one write: above first, then the block over its previous state. Each line is
// shorter than the screen is wide and there are fewer lines than rows, so that nothing wraps or scrolls. A terminal
// that supports synchronized output shows the change at once.
func (t *Terminal) draw(above []byte) error {
	width, height := t.size()
	var b strings.Builder
	b.WriteString("\x1b[?2026h" + t.home(width))
	if len(above) > 0 {
		b.WriteString("\x1b[J")
		b.Write(above)
	}
	t.drawn = t.drawn[:0]
	for i, line := range t.block[:min(len(t.block), max(1, height-1))] {
		if i > 0 {
			b.WriteByte('\n')
		}
		text, used := render(line, width-1, t.o.Color)
		b.WriteString("\r" + text + "\x1b[K")
		t.drawn = append(t.drawn, used)
	}
	b.WriteString("\x1b[J\x1b[?2026l")
	_, err := io.WriteString(t.w, b.String())
	return err
}

func (*Terminal) Format() reporters.Format {
	return reporters.Format{
		Name:  "terminal",
		About: "What ends a run in a terminal: objectives, faults, why it failed, what to change, and the verdict.",
	}
}

// Report implements [reporters.Reporter] with the final table. A live block is cleared first.
func (t *Terminal) Report(w io.Writer, r *result.Result) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	width, _ := t.size()
	s := summary{width: width, colour: t.o.Color, verbose: t.o.Verbose}
	s.result(r)
	if t.o.Files != "" {
		s.b.WriteString("Report: " + words.Clean(t.o.Files) + "\n") // unwrapped, so that it can be copied
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}

// plainLines formats a line for every ten seconds of a run, for output that is not a terminal.
type plainLines struct {
	begun bool
	last  int64
	sum   result.Interval
	span  time.Duration
	n     int

	reading bool          // the ledger is being read
	written time.Duration // when the ledger's line was last written
}

const plainInterval = 10 * time.Second

func (q *plainLines) add(iv result.Interval) (line string, ok bool) {
	if iv.ToAsk > 0 {
		first := !q.reading || iv.At-q.written >= plainInterval
		if first {
			q.reading, q.written = true, iv.At
		}
		return words.Clock(iv.At.Seconds()) + " " + words.LedgerProgress(iv), first
	}
	ten := int64(math.Floor(iv.At.Seconds() / plainInterval.Seconds()))
	if !q.begun {
		q.begun, q.last = true, ten
	}
	s := &q.sum
	q.span += cmp.Or(iv.Span, time.Second)
	if q.n++; q.n == 1 {
		s.Phase = words.PhaseOf(iv) // the line describes the past second
	}
	s.Offered += iv.Offered
	s.OK += iv.OK
	s.Errors += iv.Errors
	s.P50, s.P95, s.P99 = max(s.P50, iv.P50), max(s.P95, iv.P95), max(s.P99, iv.P99)
	s.Lag = max(s.Lag, iv.Lag)
	for _, f := range iv.Faults {
		if !slices.Contains(s.Faults, f) {
			s.Faults = append(s.Faults, f)
		}
	}
	if ten == q.last {
		return "", false
	}
	q.last = ten
	s.At, s.InFlight = iv.At, iv.InFlight
	line = quietLine(s, q.span)
	q.sum, q.span, q.n = result.Interval{}, 0, 0
	return line, true
}
