package terminal

import (
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// mostWorkers bounds the rows of workers in order.
const mostWorkers = 16

// workers writes a line for each worker. If there are many, it writes only those not in order.
func (s *summary) workers(r *result.Result) {
	if len(r.Workers) == 0 {
		return
	}
	s.head("Workers")
	table, left := [][]string{words.WorkersHead}, int64(0)
	rows, good := words.WorkerRows(r)
	for i, row := range rows {
		if good[i] && len(rows) > mostWorkers {
			left++
			continue
		}
		table = append(table, row)
	}
	if len(table) > 1 {
		s.table(table)
	}
	if left > 0 {
		s.text("  ", "  ", words.Plural(left, "worker was", "workers were")+" in order.", dim)
	}
}
