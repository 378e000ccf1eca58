package ledger

import (
	"errors"
	"fmt"
	"strings"

	"brunt/scenarios/disk"
	"brunt/scenarios/result"
)

// newAudit creates the file beside the findings that lists every acknowledged write for an auditor, in the order in
// which its state became known. It returns nil if the run keeps no files.
func (l *Ledger) newAudit() (*disk.Lines, error) {
	if l.findings == "" {
		return nil, nil
	}
	to, err := disk.FreshLines(strings.TrimSuffix(l.findings, ".jsonl") + "-acknowledged.jsonl")
	if err != nil {
		return nil, fmt.Errorf("the list of acknowledged writes: %w", err)
	}
	return to, nil
}

// addToAudit adds a write with its state.
func (b *verification) addToAudit(w *result.AcknowledgedWrite) error {
	if b.audit == nil {
		return nil
	}
	w.ID, w.Time = b.run.Mask(w.ID), b.run.T0.Add(w.Acknowledged.D()).UTC()
	return b.audit.Add(w)
}

// endAudit completes the file. If the writes were not read back, or the readings prove nothing, it lists all of them
// as unknown.
func (b *verification) endAudit() (err error) {
	if b.audit != nil && !b.out.Read {
		if err = b.audit.Clear(); err == nil {
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
	return errors.Join(err, b.audit.Close())
}

// auditOf describes an acknowledged write whose state is known.
func (b *verification) auditOf(c *checkedWrite, state result.WriteState, s sum) *result.AcknowledgedWrite {
	w := &result.AcknowledgedWrite{ID: c.ID, Acknowledged: result.Sec(c.End), State: state}
	if there := s.most > 0; there || state == result.WriteLost {
		w.Found = &there
	}
	if state == result.WriteLost {
		to := &b.suspects.sets[c.to]
		w.Fault, w.Faults = to.fault(), to.possible()
	}
	return w
}
