package guard

// Die ends the renewals, as the death of brunt does.
func (w *Watchdog) Die() {
	w.end()
	w.over.Wait()
}

// OperationsFrom gives tests what a watchdog takes faults back with.
var OperationsFrom = operationsFrom
