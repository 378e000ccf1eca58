// Package kubetest is a server for tests that answers like the API server of Kubernetes, as far as package kube needs
// it:
//
//	get, list in pages, create (dry too), update with optimistic locks, JSON patches with tests, preconditions,
//	watches whose history can end, evictions, access reviews, and connections to ports of pods by WebSocket and by SPDY
//
// Its controllers do the work of a cluster's controllers on pods of workloads, nodes, services and quotas, but at once.
//
// The tests of package kube run on it and on a real cluster (.ci/kube), so that it behaves like a cluster.
//
//	server.go       the server, and the parsing of requests
//	store.go        the objects and their history
//	patch.go        JSON patches
//	forward.go      connections to pods
//	controllers.go  the controllers of workloads and nodes
package kubetest
