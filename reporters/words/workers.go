package words

import (
	"brunt/scenarios/result"
)

// WorkersHead holds the column names of a table of workers; see [WorkerRows].
var WorkersHead = []string{"worker", "state", "share", "sent", "lost", "p95", "lag p99", "cores", "memory"}

// WorkersFoot explains the table.
const WorkersFoot = "Share is what the schedule gives a worker of all iterations; lost are those of them that the " +
	"run has not received, and at most " +
	"so many were sent as the note says. A worker that was silent answered late, and nothing of it is lost. Lag is its " +
	"own delay of sending."

// WorkerRows returns the rows of a run's workers; good tells which workers are in order.
func WorkerRows(r *result.Result) (rows [][]string, good []bool) {
	owed := int64(0)
	for i := range r.Workers {
		owed += r.Workers[i].Owed
	}
	for i := range r.Workers {
		w := &r.Workers[i]
		state, ok := workerState(w, r.Generator.LagLimit)
		name := Int(int64(w.N))
		if w.Node != "" {
			name += " on " + Clean(w.Node)
		}
		rows = append(rows, []string{
			name, state, Share(w.Owed, owed), Count(w.Sent), lostOf(w), Seconds(w.P95), Seconds(w.Lag), Number(float64(w.CPU)),
			Bytes(w.Memory),
		})
		good = append(good, ok)
	}
	return rows, good
}

// workerState describes the state of a worker, and reports whether the worker was in order.
func workerState(w *result.Worker, limit result.Num) (text string, ok bool) {
	switch {
	case w.LostWhy != "":
		return "lost at " + Offset(w.LostAt), false
	case w.Lag.Known() && limit > 0 && w.Lag > limit:
		return "late", false
	case w.Silent > 0:
		return "silent for " + Seconds(w.Silent), true
	}
	return "in order", true
}

// lostOf describes how much of its part of the load a worker has lost.
func lostOf(w *result.Worker) string {
	switch {
	case w.Lost > 0:
		return Count(w.Lost)
	case w.LostTime > 0:
		return Seconds(w.LostTime) + " of users"
	}
	return "0"
}
