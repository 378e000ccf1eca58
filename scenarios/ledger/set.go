package ledger

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"brunt/scenarios/load"
	"brunt/scenarios/result"
)

// A Set holds the ledgers of a run; the zero value has none. Several ledgers may record the writes of one step.
type Set []*Ledger

// Open starts to record the writes of all ledgers. path is the file for the findings of a ledger without a name. For
// a ledger with a name, the name is added to it.
func Open(specs []*Spec, path string, shards int) (Set, error) {
	var s Set
	for _, p := range specs {
		of := path
		if of != "" && p.Name != "" {
			of = strings.TrimSuffix(path, filepath.Ext(path)) + "." + p.Name + filepath.Ext(path)
		}
		l, err := open(p, of, shards)
		if err != nil {
			return nil, errors.Join(err, s.Close())
		}
		s = append(s, l)
	}
	return s, nil
}

// Collect starts to record the writes of one of several parts of the load, for the ledgers of the whole run.
func Collect(specs []*Spec, parts, shards int) (s Set) {
	for _, p := range specs {
		s = append(s, collect(p, parts, shards))
	}
	return s
}

// Close discards the recorded writes.
func (s Set) Close() error {
	var errs []error
	for _, l := range s {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// User wraps a virtual user and records its writes.
func (s Set) User(u load.User, shard int) load.User {
	for _, l := range s {
		u = l.User(u, shard)
	}
	return u
}

// Probe begins to read writes back while the load runs, for the ledgers that ask for it. run returns the description
// of the run for a ledger.
func (s Set) Probe(ctx context.Context, run func(*Spec) Run) error {
	for _, l := range s {
		if err := l.Probe(ctx, run(l.spec)); err != nil {
			return err
		}
	}
	return nil
}

// ReadBetween reads writes of all ledgers in each gap between faults, while the load runs. run returns the description
// of the run for a ledger.
func (s Set) ReadBetween(ctx context.Context, run func(*Spec) Run, gaps []Gap) {
	for _, l := range s {
		l.ReadBetween(ctx, run(l.spec), gaps)
	}
}

// EndProbe ends the reads of Probe and ReadBetween.
func (s Set) EndProbe() {
	for _, l := range s {
		l.EndProbe()
	}
}

// Verify reads the writes of all ledgers back, one ledger after the other. See [Ledger.Verify].
func (s Set) Verify(ctx context.Context, run func(*Spec) Run) (out []*result.LedgerRecord, err error) {
	alone := time.Duration(-1)
	for _, l := range s {
		r := run(l.spec)
		if alone < 0 {
			alone = r.Now()
		}
		r.Alone = alone // the next ledger need not wait again for the target to settle
		found, err := l.Verify(ctx, r)
		if found != nil {
			found.Name = l.spec.Name
			out = append(out, found)
		}
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// Take returns the records of each ledger since its last call; see [Ledger.Take].
func (s Set) Take() (all []*Batch, more bool) {
	for _, l := range s {
		b, rest := l.Take()
		all, more = append(all, b), more || rest
	}
	return all, more
}

// Import adds the records of a worker's ledgers, in the same order. Any goroutine may call it.
func (s Set) Import(all []*Batch) {
	for i, b := range all {
		if i < len(s) && b != nil {
			s[i].Import(b)
		}
	}
}
