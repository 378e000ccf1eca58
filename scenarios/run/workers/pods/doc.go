// Package pods runs workers as the pods of a Job of Kubernetes, which exists for the time of a run.
//
//	Hirer.Hire:  rights -> Job -> pods run -> port-forward to each, proof of the run's key -> posts
//	             '- what a pod waits for, as the cluster words it, where one is missing in the end
//	watch ----->  a pod that ends before its run: lost at once, with the reason
//	Dismiss -->   the Job is deleted, and its pods with it
//
// A pod listens only on its own loopback, which a port-forward reaches and the cluster's network does not. The run
// dials, so nothing in the cluster has to reach the run. A pod knows the public half of a key of the run, but no
// secret: the scenario and its files are sent over the authenticated conversation. The conversation survives the loss
// of its connection for the patience of the workers.
//
// When brunt dies, the pods end after their patience, and the cluster deletes the Job five minutes later.
//
//	job.go     the Job
//	hire.go    its pods, until all have joined
//	post.go    one pod
//	serve.go   the other end, in the pod
//	check.go   whether pods can make the load of a plan
//	reason.go  why a pod does not run, or no longer runs
//	doctor.go  whether a cluster would accept the pods
//	rights.go  the rights in the cluster that all this needs
package pods
