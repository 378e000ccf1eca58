// Package container has the faults on containers that the engine executes: kill, stop, restart, pause and
// disconnect from a network. Each undo holds the id and the start time of the container.
package container
