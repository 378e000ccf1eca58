// Package node has the faults on nodes of Kubernetes that its API makes. guard.allow.nodes says by their labels which nodes may be hit.
package node
