// Package pods reports the changes of the pods of a target on Kubernetes while the load runs, on the run's clock.
//
//	watches of pods, workloads, events, autoscalers, nodes --> events of the run (pod.ready, hpa.desired, …)
//	                                                       '-> numbers of ready, wanted and pending pods of each service
//	                                                       '-> the state of each unit over time
//
// The time of an event is the time when brunt saw it. Its text has the cluster's own time, in whole seconds and by
// the clock of a node or of the API server. Events that happen while the API server does not answer are seen
// afterwards; meanwhile the figures are unknown.
//
//	watcher.go    the watches, and whether the API server answers
//	pod.go        events that follow from a change of a pod
//	cluster.go    workloads, events of the cluster, autoscalers and nodes
//	counts.go     the pods of a service over time
//	states.go     the states of the units over time
//	usage.go      the CPU and memory that pods use
package pods
