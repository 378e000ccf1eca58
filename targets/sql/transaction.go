package sql

import (
	"brunt/scenarios"
	"brunt/targets"
)

// transact sends the statements of a transaction, and ends it.
//
//	BEGIN -> statement … -> COMMIT
//	              `- failed -> ROLLBACK
func (t *exchange) transact() error {
	if err := t.send(&t.Progress, &t.call.begin); err != nil {
		return err
	}
	if t.Failure.Code != "" {
		t.answered(&statement{}, t.Out)
		return nil
	}
	for t.at = range t.call.statements {
		s := &t.call.statements[t.at]
		if err := t.compose(s); err != nil {
			t.rollBack()
			return err
		}
		if kind, err := t.part(&s.Statement, s); err != nil {
			return err
		} else if kind != scenarios.OK {
			t.rollBack()
			return nil
		}
	}
	t.at = len(t.call.statements)
	_, err := t.part(commit, &statement{})
	return err
}

// rollBack ends a failed transaction. If it fails, the connection is not reused; there is no other sign.
func (t *exchange) rollBack() {
	if !t.conn.Usable() {
		return
	}
	failure := t.Result // for the sample
	t.one = scenarios.Outcome{}
	t.within.Begin(&t.client.o, t.client, t.It, &t.one)
	if t.send(&t.within, rollback) == nil && t.Failure.Code == "" {
		t.Out.End = t.one.End
	}
	t.Out.Bytes += t.one.Bytes
	t.Result = failure
}

// part sends a statement of the transaction, emits its outcome as a part, and adds it to the outcome of the call.
func (t *exchange) part(send *Statement, s *statement) (scenarios.Kind, error) {
	out, one, began := t.Out, &t.one, t.Now()
	*one = *out
	one.Checks, one.Failed, one.Attempts, one.Bytes, one.Opening = 0, 0, 0, 0, scenarios.Opening{}
	one.Intended, one.Ready, one.Slot, one.Sent, one.First, one.WasSent = began, began, began, 0, 0, false
	t.within.Begin(&t.client.o, t.client, t.It, one)
	err := t.send(&t.within, send)
	out.Bytes += one.Bytes
	if err == nil && one.End > t.It.Deadline {
		err = targets.ErrLate
	}
	if err != nil {
		targets.Fail(one, err, max(t.Now(), began), t.It.Deadline, t.client.Over().Err() != nil)
	} else {
		t.answered(s, one)
		out.Answered, out.Status, out.Kind, out.Cause, out.End = true, one.Status, one.Kind, one.Cause, one.End
		out.Checks, out.Failed = out.Checks+one.Checks, out.Failed+one.Failed
	}
	if emit := t.client.o.Emit; emit != nil {
		emit(t.It, t.call, t.at, one)
	}
	return one.Kind, err
}
