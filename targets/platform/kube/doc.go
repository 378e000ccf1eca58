// Package kube makes the manifests of a stack of pods on Kubernetes. It does not use a cluster: package
// scenarios/run/target creates the objects, and removes them.
//
//	platform.Spec --Objects--> a StatefulSet for each service, all pods at once: web-0, web-1, …
//	                           a headless Service, by which they have names: web-0.web
//	                           a Service with an address of its own for the entry, to which the load goes
//
// The readiness check of its service decides whether a pod is ready. A pod is found by its name whether it is ready
// or not, like a process. It is up to the caller how to handle a pod that does not answer.
package kube
