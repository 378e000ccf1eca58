// Package kube speaks to a Kubernetes cluster. It knows no fault and no load, and keeps no state.
//
//	New  --> Cluster --Pods(ns), Jobs(ns), …--> Objects: Get, List, Create, Patch, Delete, Watch
//	              |----May-------------------> whether the cluster allows a request
//	              '----Dial------------------> a connection to a port of a pod, through the API server
//
// Every connection goes through [Options].Check with the address that it really leads to: those of requests, of watches
// and of Dial. The environment's proxies are not used, as they would hide that address. Package kubeconfig has
// client-go do what concerns kubeconfigs, credentials and TLS, and nothing else: its clients dial by themselves, so the
// requests are made here.
//
//	cluster.go    the connection, and the identity of a cluster
//	request.go    one request, and the errors of the API
//	objects.go    kinds of objects and their verbs
//	watch.go      a list that is kept up to date
//	api.go        the objects as brunt reads and writes them
//	labels.go     selectors of labels
//	quantity.go   amounts of resources
//	intorstring.go  ports and budgets, by number or by name
//	raw.go        objects of any kind, and references to objects as data
//	discovery.go  what kinds there are
//	edit.go       changes that are marked on the object, and can be taken back
//	stats.go      what pods use
//	pod.go        what brunt's own pods share: their security, and what a container waits for in vain
//	access.go     what the caller may do
//	roles.go      the manifest of the roles that grant it
//	forward.go    connections to pods
//	log.go        what containers have printed
//	tunnel.go     how they are upgraded
//
// To use a further kind of objects, add a method to [Cluster] in objects.go, and its rows to package kubetest.
package kube
