// Package cluster has the units that are pods of a Kubernetes cluster, and what the faults on pods, workloads and nodes
// share.
//
//	Connect --> Find --> Target: services, which are workloads or pods with labels
//	                       '-- Pod: a unit, web[1], which is a slot: the pod in it is another one after a deletion
//	Units, Nodes: which of them a fault hits
//	Change: a value of an object that a fault changes, with its proof, and the undo of any process that finds the journal
//
// A pod is identified by its UID. An undo names its cluster by the context and by the UID of the namespace kube-system:
// a context that leads to another cluster since then is refused.
//
//	place.go     which cluster and namespace
//	find.go      the workloads that are services
//	slots.go     their pods, by slot
//	pod.go       the unit
//	units.go     which pods a fault hits
//	node.go      what an agent on its node is told of a pod
//	reached.go   where pods are reached, by services and directly
//	nodes.go     which node a fault hits
//	change.go    changes of objects
//	down.go      the containers of a pod that are kept down
//	undo.go      what takes them back
//	usage.go     what tells how much the pods use
//	rights.go    what all that needs of the cluster
//	wait.go      questions that are asked until there is an answer
//	waits.go     what a pod of brunt's own waits for
//	source.go    the text of the package, for the reference
package cluster
