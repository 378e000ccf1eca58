package run

import (
	"fmt"
	"os"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"

	"github.com/klauspost/compress/zstd"
)

// A requestLog writes the requests of a run to a file as they are counted. One goroutine at a time may use
// it.
type requestLog struct {
	file *os.File
	pack *zstd.Encoder
	out  *result.RequestsWriter
	err  error // the first error; nothing is written after it
}

// requestHead returns the header of a file of the requests of a run.
func requestHead(run string, t0 time.Time, s *plan.Plan) result.Requests {
	head := result.Requests{Run: run, T0: t0, Checks: s.Checks}
	for _, l := range s.Series.Loads {
		head.Loads = append(head.Loads, l.Name)
	}
	for _, step := range s.Series.Steps {
		head.Steps = append(head.Steps, result.RequestsStep{Name: step.Name})
	}
	head.Steps = result.Masked(head.Steps, s.Scenario.Secrets.Mask)
	for i := range s.Loads {
		for _, f := range s.Loads[i].Flows {
			for _, step := range f.Steps {
				if step.Call == nil { // a pause makes no request
					continue
				}
				if t := step.Call.Traits(); t.URL != "" {
					asks(&head.Steps[step.Index], t.Method, s.Scenario.Secrets.MaskFields(t.URL))
				}
			}
		}
	}
	return head
}

// createRequestLog creates the file of a run.
func createRequestLog(path string, head result.Requests) (*requestLog, error) {
	f, err := disk.Fresh(path, disk.Private)
	if err != nil {
		return nil, fmt.Errorf("the file of requests: %w", err)
	}
	k := &requestLog{file: f}
	if k.pack, err = zstd.NewWriter(f, zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(1)); err == nil {
		k.out, err = result.NewRequestsWriter(k.pack, head)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("the file of requests: %w", err)
	}
	return k, nil
}

// asks records the method and URL of a step. If the URL differs between requests, as for targets of vegeta, it uses
// the path in the step's name.
func asks(to *result.RequestsStep, method, url string) {
	if to.URL != "" && to.URL != url {
		_, url, _ = strings.Cut(to.Name, " ")
	}
	to.Method, to.URL = method, url
}

// Keep writes a request, except those of the warm-up and those that were never reached. A nil requestLog keeps none.
func (l *requestLog) Keep(o *scenarios.Outcome) {
	if l != nil && l.err == nil && kept(o) {
		l.err = l.out.Write(o)
	}
}

// Close ends the file. An error says why the file is incomplete.
func (l *requestLog) Close() error {
	for _, end := range []func() error{l.out.Flush, l.pack.Close, l.file.Close} {
		if err := end(); l.err == nil {
			l.err = err
		}
	}
	return l.err
}

// kept reports whether a file of requests holds a request.
func kept(o *scenarios.Outcome) bool { return o.Intended >= 0 && o.Kind != scenarios.Skipped }

// A requestTeller passes on the requests of each second, of which a file would hold the same. One goroutine at a time
// may use it. A nil requestTeller passes on none.
type requestTeller struct {
	batch result.RequestBatch
	tell  func(result.RequestBatch)
}

// Keep adds a request.
func (t *requestTeller) Keep(o *scenarios.Outcome) {
	if t != nil && kept(o) {
		t.batch.List = append(t.batch.List, *o)
	}
}

// Flush passes on the requests since the last call. The next second likely has as many.
func (t *requestTeller) Flush() {
	if t == nil || len(t.batch.List) == 0 {
		return
	}
	t.tell(t.batch)
	t.batch.List = make([]scenarios.Outcome, 0, len(t.batch.List))
}
