package demo

import (
	"log/slog"
	"sync"
	"time"
)

// A sampler limits frequent log messages: it logs each message at most once a second, with the
// number of omitted ones.
type sampler struct {
	log *slog.Logger

	mu   sync.Mutex
	last map[string]*sample
}

type sample struct {
	at      time.Time
	skipped int
}

func newSampler(log *slog.Logger) *sampler {
	return &sampler{log: log, last: map[string]*sample{}}
}

// warn logs msg, which must be one of a few fixed texts.
func (s *sampler) warn(msg string, args ...any) {
	now := time.Now()
	s.mu.Lock()
	l := s.last[msg]
	if l != nil && now.Sub(l.at) < time.Second {
		l.skipped++
		s.mu.Unlock()
		return
	}
	if l == nil {
		l = &sample{}
		s.last[msg] = l
	}
	skipped := l.skipped
	*l = sample{at: now}
	s.mu.Unlock()
	if skipped > 0 {
		args = append(args, "left_out", skipped)
	}
	s.log.Warn(msg, args...)
}

// A writeLog logs every write in one line, to compare a ledger's findings with the actual writes.
// The zero value logs nothing.
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
