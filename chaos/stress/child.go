package stress

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// Run is the child's program: it reads its job from in, does it, and writes reports to out. It returns
// when in ends, which happens when brunt ends.
func Run(in io.Reader, out io.Writer) error {
	r := bufio.NewReader(in)
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil // brunt has closed the input before it sent a job
	}
	var j Job
	if err := json.Unmarshal(line, &j); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	if j.Unit != 0 {
		if err := exitWith(j.Unit); err != nil {
			return err
		}
	}
	to := &reporter{out: json.NewEncoder(out)}
	switch {
	case j.CPU != nil:
		err = j.CPU.run(to)
	case j.Memory != nil:
		err = j.Memory.run(r, to)
	case j.Disk != nil:
		err = j.Disk.run(os.NewFile(FileNumber, "dir"), to)
	case j.Fill != nil:
		err = j.Fill.run(os.NewFile(FileNumber, "file"), to)
	case j.Clock != nil:
		err = j.Clock.run(to)
	default:
		err = errors.New("the job is empty")
	}
	if err != nil {
		to.send(Report{Error: err.Error()})
		return err
	}
	_, _ = io.Copy(io.Discard, r)
	return nil
}

// reporter writes the reports of several workers.
type reporter struct {
	mu  sync.Mutex
	out *json.Encoder
	sum Report
}

// send writes a report. An error means that brunt no longer reads, and is ignored.
func (s *reporter) send(r Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.out.Encode(r)
}

// add adds to the sum of all workers and writes it.
func (s *reporter) add(r Report) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sum.Bytes += r.Bytes
	s.sum.Spent += r.Spent
	_ = s.out.Encode(s.sum)
}
