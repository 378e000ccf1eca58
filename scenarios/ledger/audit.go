package ledger

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"brunt/scenarios/disk"
	"brunt/scenarios/result"
)

// An audit is the file that lists every acknowledged write for an auditor, in the order in which its state became
// known.
type audit struct {
	file *os.File
	to   *bufio.Writer
}

// newAudit creates the file beside the findings. It returns nil if the run keeps no files.
func (l *Ledger) newAudit() (*audit, error) {
	if l.findings == "" {
		return nil, nil
	}
	path := strings.TrimSuffix(l.findings, ".jsonl") + "-acknowledged.jsonl"
	f, err := disk.Fresh(path, disk.Private)
	if err != nil {
		return nil, fmt.Errorf("the list of acknowledged writes: %w", err)
	}
	return &audit{f, bufio.NewWriterSize(f, 1<<16)}, nil
}

// addToAudit adds a write with its state.
func (b *verification) addToAudit(w *result.AcknowledgedWrite) error {
	if b.audit == nil {
		return nil
	}
	w.ID, w.Time = b.run.Mask(w.ID), b.run.T0.Add(w.Acknowledged.D()).UTC()
	line, err := json.Marshal(w)
	if err == nil {
		_, err = b.audit.to.Write(append(line, '\n'))
	}
	return err
}

// endAudit completes the file. If the writes were not read back, or the readings prove nothing, it lists all of them
// as unknown.
func (b *verification) endAudit() (err error) {
	a := b.audit
	if a == nil {
		return nil
	}
	if !b.out.Read {
		a.to.Reset(a.file)
		if _, err = a.file.Seek(0, io.SeekStart); err == nil {
			err = a.file.Truncate(0)
		}
		if err == nil {
			err = b.ledger.kept.Each(func(w loggedWrite) error {
				if !w.Acked {
					return nil
				}
				return b.addToAudit(&result.AcknowledgedWrite{
					ID: w.ID, Acknowledged: result.Sec(w.End), State: result.WriteUnknown,
				})
			})
		}
	}
	return errors.Join(err, a.to.Flush(), a.file.Close())
}

// auditOf describes an acknowledged write whose state is known.
func (b *verification) auditOf(c *checkedWrite, state result.WriteState, s sum) *result.AcknowledgedWrite {
	w := &result.AcknowledgedWrite{ID: c.ID, Acknowledged: result.Sec(c.End), State: state}
	if there := s.most > 0; there || state == result.WriteLost {
		w.Found = &there
	}
	if state == result.WriteLost {
		to := &b.suspects.sets[c.to]
		w.Fault, w.Faults = to.fault(), to.several()
	}
	return w
}
