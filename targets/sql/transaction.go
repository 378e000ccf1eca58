package sql

import (
	"brunt/scenarios"
	"brunt/targets"
)

// transact sends the statements of a transaction after BEGIN was answered, and ends the transaction.
//
//	BEGIN -> statement … -> COMMIT
//	              `- failed -> ROLLBACK
func (t *exchange) transact() error {
	first := t.First
	defer func() { t.out.First = first }()
	if t.Failure.Code != "" {
		t.answered(&statement{}, t.out)
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
	if t.send(rollback) == nil && t.Failure.Code == "" {
		t.out.End = t.End
	}
	t.Result = failure
}

// part sends a statement of the transaction, emits its outcome as a part, and adds it to the outcome of the call.
func (t *exchange) part(send *Statement, s *statement) (scenarios.Kind, error) {
	out, began := t.out, t.client.o.Now()
	one := *out
	one.Checks, one.Failed, one.Attempts, one.Bytes, one.Opening = 0, 0, 0, 0, scenarios.Opening{}
	one.Intended, one.Ready, one.Slot = began, began, began
	err := t.send(send)
	one.WasSent, one.Sent, one.Bytes = t.WasSent, t.Sent, t.Result.Bytes
	if t.WasSent {
		one.Attempts = 1
	}
	if err == nil && t.End > t.it.Deadline {
		err = targets.ErrLate
	}
	if err != nil {
		targets.Fail(&one, err, max(t.client.o.Now(), began), t.it.Deadline, t.client.Over().Err() != nil)
	} else {
		t.answered(s, &one)
		out.Answered, out.Status, out.Kind, out.Cause, out.End = true, one.Status, one.Kind, one.Cause, one.End
		out.Checks, out.Failed = out.Checks+one.Checks, out.Failed+one.Failed
	}
	if emit := t.client.o.Emit; emit != nil {
		emit(t.it, t.call, t.at, &one)
	}
	return one.Kind, err
}
