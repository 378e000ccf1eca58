// Package pods reports what the pods of a target on Kubernetes do beside the load, on the run's clock.
//
//	watches of pods, workloads, events, autoscalers, nodes --> events of the run (pod.ready, hpa.desired, …)
//	                                                       '-> how many pods of each service are ready, asked for and pending
//	                                                       '-> the state of each unit over time
//
// The time of an event is when brunt saw it. The cluster's own time, in whole seconds and by the clock of a node or of
// the API server, is in the text. What happens while the API server does not answer is seen afterwards; meanwhile the
// figures are unknown.
//
//	watcher.go    the watches, and whether the API server answers
//	pod.go        what a pod's change means
//	cluster.go    workloads, events of the cluster, autoscalers and nodes
//	counts.go     the pods of a service over time
//	states.go     the states of the units over time
//	usage.go      the CPU and memory that pods use
package pods
