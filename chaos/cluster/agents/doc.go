// Package agents has the agents of a run on the nodes of a cluster: a pod on each node with pods of the target, for the
// time of the run.
//
//	New -> Ready: on each node a pod ----port-forward, proof of the run's key----> Served, in the pod
//	Network   --"lend", a pod-----> Served finds a process of the pod, and opens its network --port--> a conversation of package agent
//	Processes --"lend", none------> a conversation of package agent that sees the processes of the node          --port-->
//	Close: the pods are deleted
//
// A pod of an agent listens on its own loopback alone, which a port-forward reaches and the cluster's network does not.
// It knows the public half of a key of the run, and no secret, and it has no account of the cluster. It is root on its
// node with the capabilities that the faults of the run take, and not privileged.
//
// Every conversation lasts over the loss of its connection. One that hears nothing of brunt for 10 s takes back what it
// did, and so does one whose pod ends in order, as by a deletion. What an agent that was killed has left, its
// [Supervisor] takes back, or the next one in the same pod, by a journal that the pod keeps. What a pod that is gone
// has left, another one takes back: the journal of the run says what, and whoever reads it starts a pod that does that
// alone.
//
//	agents.go  the end in brunt
//	pod.go     the pod
//	serve.go   the end in the pod
//	supervisor.go  what starts it there, and takes back what it did when it is killed
//	undo.go    what takes back what agents did, and removes them
//	rights.go  what of the cluster's rights all that takes
package agents
