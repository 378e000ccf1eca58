// Package cluster has the units that are pods of a Kubernetes cluster, and the common parts of faults on pods,
// workloads and nodes.
//
//	Connect --> Find --> Target: services, which are workloads or pods with labels
//	                       '-- Pod: a unit, web[1], which is a slot: after a deletion it holds another pod
//	Units, Nodes: which pods or nodes a fault hits
//	Change: a value of an object that a fault changes, with its proof, and an undo for any process that finds the journal
//
// A pod is identified by its UID. An undo names its cluster by the context and by the UID of the namespace kube-system:
// a context that leads to another cluster since then is refused.
//
//	place.go     which cluster and namespace
//	find.go      the workloads that are services
//	slots.go     their pods, by slot
//	pod.go       the unit
//	units.go     selects the pods that a fault hits
//	asked.go     how a pod is asked, such as for its role
//	door.go      a port of this machine that leads to a pod
//	node.go      a pod as an agent on its node sees it
//	reached.go   addresses of pods, through services and their own
//	nodes.go     selects the node that a fault hits
//	change.go    changes of objects
//	down.go      the containers of a pod that are kept down
//	undo.go      the undo operations
//	usage.go     how much the pods use
//	rights.go    the rights that this needs
//	wait.go      repeats a question until there is an answer
//	waits.go     why a pod of brunt's own waits
package cluster
