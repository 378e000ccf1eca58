package remote

// Die ends the renewals, as the death of brunt does.
func (w *Watchdog) Die() {
	w.end()
	w.over.Wait()
}
