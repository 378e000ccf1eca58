// Package kubetest is a server for tests that answers as the API server of Kubernetes does, as far as package kube asks
// it:
//
//	get, list in pages, create (dry too), update with optimistic locks, JSON patches with tests, deletions with preconditions,
//	watches whose history can end, evictions, access reviews, and connections to ports of pods by WebSocket and by SPDY
//
// Its controllers do what those of a cluster do with the pods of workloads, with nodes, services and quotas, at once.
//
// The tests of package kube run on it and on a real cluster (.ci/kube), so that it promises nothing that a cluster does
// not keep.
//
//	server.go       the server, and what a request asks for
//	store.go        the objects and their history
//	patch.go        JSON patches
//	forward.go      connections to pods
//	controllers.go  what becomes of workloads and nodes
package kubetest
