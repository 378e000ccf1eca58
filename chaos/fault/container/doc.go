// Package container has the faults on containers: kill, stop, restart, pause and disconnect from a network. For a
// container of an engine, the engine executes them; for a container of a pod, an agent on its node and the API of the
// cluster do. Each undo holds the id and the start time of the container.
//
//	stop.go        kill, stop and restart
//	pod.go         kill and stop of the container of a pod
//	pause.go       pause, by the engine
//	stopped.go     pause, by signals on the node of a pod
//	disconnect.go  disconnect
//	undo.go        the undo operations
//	find.go        finds faults without a journal
package container
