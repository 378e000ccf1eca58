package run

import (
	"fmt"
	"os"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"

	"github.com/klauspost/compress/zstd"
)

// keeper writes the requests of a run to a file as they are counted. One goroutine at a time may use
// it.
type keeper struct {
	file *os.File
	pack *zstd.Encoder
	out  *result.RequestsWriter
	err  error // the first error; nothing is written after it
}

// worded is a call that reports its method and URL.
type worded interface{ Asks() (method, url string) }

// openKeeper creates the file.
func (r *runner) openKeeper() (*keeper, error) {
	head := result.Requests{Run: r.o.ID, T0: r.T0(), Checks: r.Checks}
	for _, l := range r.Series.Loads {
		head.Loads = append(head.Loads, l.Name)
	}
	for _, s := range r.Series.Steps {
		head.Steps = append(head.Steps, result.RequestsStep{Name: s.Name})
	}
	for i := range r.Loads {
		for _, f := range r.Loads[i].Flows {
			for _, s := range f.Steps {
				if c, ok := s.Call.(worded); ok {
					method, url := c.Asks()
					asks(&head.Steps[s.Index], method, r.Scenario.Secrets.Mask(url))
				}
			}
		}
	}
	f, err := os.Create(r.o.Requests)
	if err != nil {
		return nil, fmt.Errorf("the file of requests: %w", err)
	}
	k := &keeper{file: f}
	if k.pack, err = zstd.NewWriter(f, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1)); err == nil {
		k.out, err = result.NewRequestsWriter(k.pack, head)
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("the file of requests: %w", err)
	}
	return k, nil
}

// asks records the method and URL of a step. Where they differ by request, as those of targets do,
// it uses the path in its name.
func asks(to *result.RequestsStep, method, url string) {
	if to.URL != "" && to.URL != url {
		_, url, _ = strings.Cut(to.Name, " ")
	}
	to.Method, to.URL = method, url
}

// keep writes a request, except those of the warm-up and those that were never reached.
func (k *keeper) keep(o *scenarios.Outcome) {
	if k.err == nil && o.Intended >= 0 && o.Kind != scenarios.Skipped {
		k.err = k.out.Write(o)
	}
}

// close ends the file; its error is why the file is incomplete.
func (k *keeper) close() error {
	for _, end := range []func() error{k.out.Flush, k.pack.Close, k.file.Close} {
		if err := end(); k.err == nil {
			k.err = err
		}
	}
	return k.err
}
