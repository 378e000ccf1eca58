package burner

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// Run is the child's own life: it reads its job from in, does it, and reports to out. It
// returns when in ends, which it does with brunt.
func Run(in io.Reader, out io.Writer) error {
	r := bufio.NewReader(in)
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil // brunt has changed its mind
	}
	var j Job
	if err := json.Unmarshal(line, &j); err != nil {
		return fmt.Errorf("the job is not understood: %w", err)
	}
	if j.Unit != 0 {
		if err := endWith(j.Unit); err != nil {
			return err
		}
	}
	said := &reports{out: json.NewEncoder(out)}
	switch {
	case j.CPU != nil:
		err = j.CPU.burn(said)
	case j.Memory != nil:
		err = j.Memory.burn(r, said)
	case j.Disk != nil:
		err = j.Disk.burn(os.NewFile(3, "dir"), said)
	case j.Clock != nil:
		err = j.Clock.read(said)
	default:
		err = errors.New("there is no job")
	}
	if err != nil {
		said.say(Report{Error: err.Error()})
		return err
	}
	_, _ = io.Copy(io.Discard, r)
	return nil
}

// reports writes what is said by several workers.
type reports struct {
	mu  sync.Mutex
	out *json.Encoder
	sum Report
}

// say writes a report. One that nobody reads any more is nothing to care for.
func (s *reports) say(r Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.out.Encode(r)
}

// add adds to what was said.
func (s *reports) add(r Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sum.Bytes += r.Bytes
	s.sum.Spent += r.Spent
	_ = s.out.Encode(s.sum)
}
