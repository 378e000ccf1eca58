// Package kubernetes has the faults that the API of a cluster makes:
//
//	on pods       delete.go evict.go fail.go       their deletion, their eviction, images that can't be started
//	on nodes      cordon.go drain.go taint.go      guard.allow.nodes says by their labels which nodes may be hit
//	on workloads  scale.go restart.go apply.go     how many pods they have, their restart, objects beside them
package kubernetes
