package push

import (
	"context"
	"io"
	"os"
	"strings"
	"time"

	"brunt/reporters"
	"brunt/scenarios/result"
)

// RequestsTo is the kind of file that receives every request while the run goes on, in a format. Open begins to write
// to a file.
func RequestsTo(f reporters.Format, open func(w io.Writer) func(result.RequestBatch) error) Kind {
	return Kind{
		Name: f.Name, Brief: "every request, to a file", Each: true,
		About: strings.TrimSuffix(f.About, ".") + ", to a file that grows each second.",
		open:  func(o Out, _ Run) encoder { return &requestFile{path: o.File, begin: open} },
	}
}

// requestFile writes requests to a file.
type requestFile struct {
	path  string
	begin func(w io.Writer) func(result.RequestBatch) error
	file  *os.File // nil: not yet open
	write func(result.RequestBatch) error
}

func (f *requestFile) encode(t tick) batch {
	if t.requests == nil {
		return nil
	}
	return &fileBatch{f, *t.requests}
}

func (*requestFile) last(time.Time) batch { return nil }

// Close closes the file. All of it is written, because no batch is kept back.
func (f *requestFile) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

// A fileBatch holds the requests of one second for a file.
type fileBatch struct {
	*requestFile
	result.RequestBatch
}

// send appends the requests to the file. A part may be written before an error, so that it is not tried again.
func (b *fileBatch) send(context.Context) error {
	if b.file == nil {
		file, err := os.OpenFile(b.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o666)
		if err != nil {
			return partlyError{err}
		}
		b.file, b.write = file, b.begin(file)
	}
	if err := b.write(b.RequestBatch); err != nil {
		return partlyError{err}
	}
	return nil
}
