//go:build !linux

package proc

import "time"

// stateReader reads the state of a process.
type stateReader struct{ seen }

func readState(id Identity) (stateReader, error) { return stateReader{seen{id: id}}, nil }

func (*stateReader) close() {}

// look reads the state. It returns when the stop was over.
func (r *stateReader) look(now time.Time) (over time.Time, killed bool) {
	is := runs
	switch {
	case !r.id.Alive():
		is = hasEnded
	case IsStopped(r.id.PID):
		is = isStopped
	}
	return r.note(is, now)
}
