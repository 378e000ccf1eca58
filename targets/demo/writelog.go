package demo

import "log/slog"

// A writeLog notes every write, a line each, so that what a ledger finds can be held
// against what really happened. The zero value notes nothing.
type writeLog struct{ to *slog.Logger }

func newWriteLog(p parts) writeLog {
	if !p.env.asked("DEMO_LOG_WRITES") {
		return writeLog{}
	}
	return writeLog{p.log}
}

func (l writeLog) log(what, id, key string) {
	if l.to != nil {
		l.to.Info(what, "id", id, "key", key)
	}
}
