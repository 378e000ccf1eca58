package evidence

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/result"
)

// requestsAtOnce is the number of requests that are sorted in memory, about 40 MB.
const requestsAtOnce = 1 << 18

// Ordered calls write with every request of a run, in the order of their intended times, and with the names of their
// loads, steps and causes. The error is [ErrNoRequests] if the run kept none.
func Ordered(
	r *result.Result,
	write func(head *result.Requests, names scenarios.Causes, all iter.Seq2[*scenarios.Outcome, error]) error,
) error {
	if r.Requests == nil {
		return ErrNoRequests
	}
	in, done, err := r.Requests.Open()
	if err != nil {
		return err
	}
	defer done()
	return write(&in.Requests, in.Causes(), inOrder(in, requestsAtOnce))
}

// inOrder yields requests in the order of their intended times. If they do not fit into memory, it sorts them in
// pieces, in a temporary file.
func inOrder(r *result.RequestsReader, atOnce int) iter.Seq2[*scenarios.Outcome, error] {
	return func(yield func(*scenarios.Outcome, error) bool) {
		s := sorter{head: r.Requests}
		defer s.close()
		if err := s.fill(r, atOnce); err != nil {
			yield(nil, err)
			return
		}
		for {
			o, err := s.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(o, err) || err != nil {
				return
			}
		}
	}
}

// A sorter merges sorted pieces.
type sorter struct {
	head   result.Requests
	file   *os.File // holds all pieces but the last; nil: no such pieces
	size   int64
	rest   []scenarios.Outcome // the last piece
	pieces []*piece            // in the order they were read
	out    scenarios.Outcome
}

// A piece is a run of sorted requests; first is its next request.
type piece struct {
	first scenarios.Outcome
	next  func(o *scenarios.Outcome) error
}

func byIntended(a, b scenarios.Outcome) int { return cmp.Compare(a.Intended, b.Intended) }

// fill reads all requests and prepares the pieces.
func (s *sorter) fill(r *result.RequestsReader, atOnce int) error {
	for {
		s.rest = append(s.rest, scenarios.Outcome{})
		err := r.Read(&s.rest[len(s.rest)-1])
		if err != nil {
			s.rest = s.rest[:len(s.rest)-1]
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(s.rest) == atOnce {
			if err := s.spill(); err != nil {
				return fmt.Errorf("sorting the requests: %w", err)
			}
		}
	}
	slices.SortStableFunc(s.rest, byIntended)
	return s.add(func(o *scenarios.Outcome) error {
		if len(s.rest) == 0 {
			return io.EOF
		}
		*o, s.rest = s.rest[0], s.rest[1:]
		return nil
	})
}

// spill writes the requests in memory to the file, as one piece.
func (s *sorter) spill() (err error) {
	if s.file == nil {
		if s.file, err = disk.Temp("brunt-requests-*"); err != nil {
			return err
		}
	}
	slices.SortStableFunc(s.rest, byIntended)
	w, err := result.NewRequestsWriter(s.file, s.head)
	if err != nil {
		return err
	}
	for i := range s.rest {
		if err := w.Write(&s.rest[i]); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	end, err := s.file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	r, err := result.NewRequestsReader(io.NewSectionReader(s.file, s.size, end-s.size))
	if err != nil {
		return err
	}
	s.size, s.rest = end, s.rest[:0]
	return s.add(r.Read)
}

// add adds a piece.
func (s *sorter) add(next func(*scenarios.Outcome) error) error {
	p := &piece{next: next}
	err := next(&p.first)
	if err == nil {
		s.pieces = append(s.pieces, p)
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// next returns the next request of all pieces. It checks each piece, since there are few.
func (s *sorter) next() (*scenarios.Outcome, error) {
	if len(s.pieces) == 0 {
		return nil, io.EOF
	}
	first := 0
	for i, p := range s.pieces {
		if p.first.Intended < s.pieces[first].first.Intended {
			first = i
		}
	}
	p := s.pieces[first]
	s.out = p.first
	if err := p.next(&p.first); errors.Is(err, io.EOF) {
		s.pieces = slices.Delete(s.pieces, first, first+1)
	} else if err != nil {
		return nil, err
	}
	return &s.out, nil
}

func (s *sorter) close() {
	if s.file != nil {
		_ = disk.Drop(s.file)
	}
}
