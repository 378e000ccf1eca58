// Package kube has the manifests of a stack of pods on Kubernetes. It asks no cluster: package scenarios/run/target
// makes the objects, and removes them.
//
//	platform.Spec --Objects--> a StatefulSet for each service, all pods at once: web-0, web-1, …
//	                           a headless Service, by which they have names: web-0.web
//	                           a Service with an address of its own for the entry, to which the load goes
//
// A pod is ready by the readiness check of its service. It is found by its name whether it is ready or not, as a
// process is: what a caller does about one that does not answer is the caller's own.
package kube
