// Package guard is the watchdog of a run in the cluster that it breaks: it reverts the faults that the API injected
// when brunt and its machine are gone.
//
//	brunt --entry, before the damage--> ConfigMap <--reverts open entries----- watchdog (a pod of a Job, during the run)
//	  '-----renews each second--------> Lease     <--says that it works-------'
//	                                      ^
//	a person at the cluster: kubectl annotate lease -n NAMESPACE NAME brunt.dev/stop=now
//
// The watchdog acts when it has seen the Lease unchanged for its patience, by its own clock: it never compares two
// clocks. Time in which the API server does not answer it does not count. It also reverts an entry that is past its
// deadline, and all entries when a person asks for it: by the annotation brunt.dev/stop on the Lease or on the
// namespace, or by deleting the Lease or the Job. A run that is still going on then reverts its faults itself, and
// ends.
//
// The ConfigMap owns the other objects. It is deleted last: by brunt at the end of the run, or by the watchdog when no
// entry is open and brunt has been silent for minutes. Only the objects that grant rights to nodes belong to no
// namespace; they are deleted together with it, by name.
//
//	journal.go   the entries in the ConfigMap
//	objects.go   the objects that a run makes in the cluster, and removes
//	rights.go    the rights that this needs
//	watchdog.go  the end in brunt
//	guard.go     the end in the pod
//	found.go     remnants of runs in a cluster, for `brunt status` and `brunt revert`
package guard
