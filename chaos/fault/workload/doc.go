// Package workload has the faults on workloads of Kubernetes: how many pods they have, their restart, and objects that a scenario applies
// beside them.
package workload
