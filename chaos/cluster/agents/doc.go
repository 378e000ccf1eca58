// Package agents has the agents of a run on the nodes of a cluster: a pod on each node with pods of the target, for the
// time of the run.
//
//	New -> Ready: on each node a pod ----port-forward, proof of the run's key----> Served, in the pod
//	Network   --"lend", a pod--> Served opens the network of the pod       --port--> a conversation of package agent
//	Processes --"lend", none---> Served sees the processes of the node     --port--> a conversation of package agent
//	Close: the pods are deleted
//
// The pod of an agent listens only on its own loopback, which a port-forward reaches and the cluster's network does
// not. It knows the public half of a key of the run, and no secret, and it has no account of the cluster. It is root on
// its node, with the capabilities that the faults of the run need, and is not privileged.
//
// A conversation survives the loss of its connection. An agent reverts what it did when it hears nothing of brunt for
// 10 s, and when its pod ends in order, for example by a deletion. If an agent is killed, its [Supervisor], or the next
// one in the same pod, reverts what is left, from a journal that the pod keeps. If the whole pod is gone, another pod
// reverts what is left: whoever replays the journal of the run starts a pod for that purpose only.
//
//	agents.go  the end in brunt
//	pod.go     the pod
//	serve.go   the end in the pod
//	supervisor.go  starts the agent in the pod, and reverts what it did when it is killed
//	undo.go    the undos that revert what agents did, and remove them
//	rights.go  the rights in the cluster that this needs
package agents
