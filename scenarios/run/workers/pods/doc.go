// Package pods runs workers as the pods of a Job of Kubernetes, which exists for the time of a run.
//
//	Hirer.Hire:  rights -> Job -> pods run -> port-forward to each, proof of the run's key -> posts
//	             '- what a pod waits for, as the cluster words it, where one is missing in the end
//	watch ----->  a pod that ends before its run: lost at once, with the reason
//	Dismiss -->   the Job is deleted, and its pods with it
//
// A pod listens on its own loopback alone, which a port-forward reaches and the cluster's network does not. The run
// dials, so nothing in the cluster has to reach it. A pod knows the public half of a key of the run, and no secret: the
// scenario and all that it names travel over that conversation. It survives the loss of its connection for the patience
// of the workers.
//
// When brunt dies, the pods end after their patience, and the cluster deletes the Job five minutes later.
//
//	job.go     the Job
//	hire.go    its pods, until all have joined
//	post.go    one pod
//	serve.go   the other end, in the pod
//	check.go   which plans pods can make the load of
//	reason.go  why a pod does not run, or runs no more
//	doctor.go  whether a cluster would take them
//	rights.go  what of the cluster's rights all this takes
package pods
