// Package kube is a client for a Kubernetes cluster. It knows no fault and no load, and keeps no state.
//
//	New  --> Cluster --Pods(ns), Jobs(ns), …--> Objects: Get, List, Create, Patch, Delete, Watch
//	              |----May-------------------> whether the cluster allows a request
//	              '----Dial------------------> a connection to a port of a pod, through the API server
//
// [Options].Check sees the real address of every connection: of requests, watches and Dial. Proxies of the environment
// are not used, because they would hide that address. Package kubeconfig uses client-go only for kubeconfigs,
// credentials and TLS; the clients of client-go dial by themselves, so requests are made here.
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
//	discovery.go  the kinds of objects that the cluster knows
//	edit.go       changes that are marked on the object, and can be reverted
//	stats.go      the resource use of pods
//	pod.go        brunt's own pods: their security, and the reasons why a container waits in vain
//	access.go     the rights of the caller
//	roles.go      the manifest of the roles that grant rights
//	forward.go    connections to pods
//	log.go        the output of containers
//	tunnel.go     the upgrade of such connections
//
// To use a further kind of objects, add a method to [Cluster] in objects.go, and its rows to package kubetest.
package kube
