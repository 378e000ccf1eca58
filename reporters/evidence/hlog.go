package evidence

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"strconv"
	"time"

	"brunt/reporters"
	"brunt/reporters/words"
	"brunt/scenarios/disk"
	"brunt/scenarios/result"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Hlog writes latency.hlog: every histogram of the run in the log format of HdrHistogram, version 1.3, as V2
// compressed histograms. The tag of a histogram is its number in result.json. Values are microseconds. The column
// Interval_Max is in milliseconds, because plotters of the format expect that.
type Hlog struct{}

var _ reporters.Reporter = Hlog{}

const hlogFile = "latency.hlog"

func (Hlog) Format() reporters.Format {
	return reporters.Format{
		Name: "hlog", File: hlogFile, Evidence: true,
		About: "Every histogram of response times, in the log format of HdrHistogram V2.",
	}
}

func (Hlog) Report(w io.Writer, r *result.Result) error {
	base := r.T0.Add(earliest(r)).Truncate(time.Millisecond) // so that no offset is negative
	stamp := fmt.Sprintf("%d.%03d", base.Unix(), base.Nanosecond()/1e6)
	_, err := fmt.Fprintf(w, `#[Histogram log format version 1.3]
#brunt run %s: values are response times in microseconds; a tag is a number "hist" in result.json
#[BaseTime: %s (seconds since epoch)]
#[StartTime: %s (seconds since epoch), %s]
"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"
`, words.Clean(r.Run), stamp, stamp, base.UTC().Format("2006-01-02T15:04:05.000Z07:00"))
	if err != nil || r.Histograms == nil {
		return err
	}
	encode := newHistogramEncoder()
	for h, err := range r.Histograms.All() {
		if err != nil {
			return err
		}
		payload, err := encode.histogram(h.HDR)
		if err != nil {
			return fmt.Errorf("encoding histogram %d: %w", h.N, err)
		}
		start := max(0, r.T0.Add(h.Start).Sub(base))
		if _, err := fmt.Fprintf(w, "Tag=%d,%.6f,%.6f,%.3f,%s\n", h.N, start.Seconds(), h.Span.Seconds(),
			float64(h.HDR.Max())/1e3, payload); err != nil {
			return err
		}
	}
	return nil
}

// earliest returns the earliest time for which a value was recorded.
func earliest(r *result.Result) time.Duration {
	first := 0.0
	for _, p := range r.Phases {
		if float64(p.Start) < first {
			first = float64(p.Start)
		}
	}
	for _, w := range r.Windows {
		if float64(w.T) < first {
			first = float64(w.T)
		}
	}
	return time.Duration(math.Floor(first*1e3)) * time.Millisecond
}

// hlog reads histograms from a log on disk. It keeps only their positions in memory.
type hlog struct {
	path  string
	lines []hlogLine // in the order of the file
	byTag map[int]int
}

type hlogLine struct {
	n           int
	at          int64 // of the payload in the file
	size        int
	start, span time.Duration
}

var errTorn = errors.New("the line is torn")

// openHlog finds the histograms in the log at path. Offsets count from t0.
func openHlog(path string, t0 time.Time) (*hlog, error) {
	f, err := disk.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l := &hlog{path: path, byTag: map[int]int{}}
	base, based := time.Duration(0), false
	at := int64(0)
	in := bufio.NewReaderSize(f, 1<<20)
	for n := 1; ; n++ {
		line, err := disk.Line(in, longestLine)
		if err != nil && err != io.EOF {
			return nil, err
		}
		if rest, ok := bytes.CutPrefix(line, []byte("#[BaseTime: ")); ok {
			stamp, _, _ := bytes.Cut(rest, []byte(" "))
			since, err := parseSeconds(stamp)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			base, based = time.Unix(0, 0).Add(since).Sub(t0), true
		}
		if bytes.HasPrefix(line, []byte("Tag=")) {
			h, err := parseHlogLine(line)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			h.at += at
			h.start = (h.start + base).Round(time.Microsecond)
			l.byTag[h.n] = len(l.lines)
			l.lines = append(l.lines, h)
		}
		at += int64(len(line))
		if err == io.EOF && !based {
			return nil, errors.New("it is not a log of histograms, or its beginning is gone")
		}
		if err == io.EOF {
			return l, nil
		}
	}
}

// parseHlogLine reads Tag=N,START,LENGTH,MAX,PAYLOAD.
func parseHlogLine(line []byte) (hlogLine, error) {
	parts := bytes.SplitN(line, []byte(","), 5)
	if len(parts) < 5 || !bytes.HasSuffix(line, []byte("\n")) {
		return hlogLine{}, errTorn
	}
	n, err := strconv.Atoi(string(parts[0][len("Tag="):]))
	if err != nil {
		return hlogLine{}, fmt.Errorf("a tag is a number: %w", err)
	}
	h := hlogLine{n: n, at: int64(len(line) - len(parts[4])), size: len(bytes.TrimSpace(parts[4]))}
	if h.start, err = parseSeconds(parts[1]); err == nil {
		h.span, err = parseSeconds(parts[2])
	}
	return h, err
}

// parseSeconds parses a decimal number of seconds without the rounding of a float64.
func parseSeconds(b []byte) (time.Duration, error) { return time.ParseDuration(string(b) + "s") }

// lacking counts the histograms that a result names, and those of them that the log does not have.
func (l *hlog) lacking(r *result.Result) (lacking, all int) {
	named := map[int]bool{}
	for i := range r.Cells {
		named[r.Cells[i].Hist] = true
	}
	for i := range r.Windows {
		named[r.Windows[i].Hist] = true
	}
	delete(named, 0) // none
	for n := range named {
		if _, has := l.byTag[n]; !has {
			lacking++
		}
	}
	return lacking, len(named)
}

func (l *hlog) Get(n int) (*hdrhistogram.PackedHistogram, error) {
	i, ok := l.byTag[n]
	if !ok {
		return nil, nil
	}
	f, err := disk.Open(l.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return l.lines[i].decode(f)
}

func (h hlogLine) decode(f *os.File) (*hdrhistogram.PackedHistogram, error) {
	b := make([]byte, h.size)
	if _, err := f.ReadAt(b, h.at); err != nil {
		return nil, fmt.Errorf("reading histogram %d: %w", h.n, err)
	}
	hdr, err := hdrhistogram.DecodePacked(b)
	if err != nil {
		return nil, fmt.Errorf("decoding histogram %d: %w", h.n, err)
	}
	return hdr, nil
}

func (l *hlog) All() iter.Seq2[result.HistogramInfo, error] {
	return func(yield func(result.HistogramInfo, error) bool) {
		f, err := disk.Open(l.path)
		if err != nil {
			yield(result.HistogramInfo{}, err)
			return
		}
		defer f.Close()
		for _, h := range l.lines {
			hdr, err := h.decode(f)
			if !yield(result.HistogramInfo{N: h.n, Start: h.start, Span: h.span, HDR: hdr}, err) || err != nil {
				return
			}
		}
	}
}
