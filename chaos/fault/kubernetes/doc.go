// Package kubernetes has the faults that the API of a cluster injects:
//
//	on pods       delete.go evict.go fail.go       delete pods, evict them, set images that can't be started
//	on nodes      cordon.go drain.go taint.go      guard.allow.nodes selects, by labels, the nodes that may be hit
//	on workloads  scale.go restart.go apply.go     change the number of pods, restart, create other objects
package kubernetes
