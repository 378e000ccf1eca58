// Package pod has the faults on pods of Kubernetes that its API makes: their deletion, their eviction, and images that can't be started.
package pod
