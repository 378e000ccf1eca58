package main

// reap has nothing to wait for: on Windows no process replaces another.
func reap() <-chan struct{} {
	done := make(chan struct{})
	close(done)
	return done
}
