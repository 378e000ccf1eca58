// Package container has the faults on containers: kill, stop, restart, pause and disconnect from a network. The engine
// of a container executes them, and an agent on the node of a pod together with the API of its cluster. Each undo holds
// the id and the start time of the container.
//
//	stop.go        kill, stop and restart
//	pod.go         kill and stop of the container of a pod
//	pause.go       pause, by the engine
//	stopped.go     pause, by signals on the node of a pod
//	disconnect.go  disconnect
//	undo.go        what takes them back
//	find.go        what finds them without a journal
//	source.go      the text of the package, for the reference
package container
