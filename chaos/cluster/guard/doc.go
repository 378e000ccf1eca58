// Package guard is the watchdog of a run in the cluster that it breaks: it takes the faults of the API back when brunt
// and its machine are gone.
//
//	brunt --entry, before the damage--> ConfigMap <--takes back what is open-- watchdog (a pod of a Job, for the time of the run)
//	  '-----renews each second--------> Lease     <--says that it is there----'
//	                                      ^
//	a person at the cluster: kubectl annotate lease -n NAMESPACE NAME brunt.dev/stop=now
//
// The watchdog acts on a Lease that it has seen unchanged for its patience, by its own clock: no two clocks are
// compared. While the API server does not answer it, nothing counts as silence. It takes an entry back as well when
// that is past its deadline, and all of them when a person asks for it: by the annotation brunt.dev/stop on the Lease
// or on the namespace, or by deleting the Lease or the Job. A run that goes on takes its faults back by itself then,
// and ends.
//
// The ConfigMap owns all the rest. It is deleted last: by brunt at the end of the run, or by the watchdog when nothing
// is open and brunt has not been heard of for minutes. Only what grants rights to nodes is no object of a namespace,
// and is deleted with it by name.
//
//	journal.go   the entries in the ConfigMap
//	objects.go   what a run makes in the cluster, and removes
//	rights.go    what rights that takes
//	watchdog.go  the end in brunt
//	guard.go     the end in the pod
//	found.go     what runs have left in a cluster, for `brunt status` and `brunt revert`
package guard
