// Package network has the network faults. Between containers they act on packets (package packets); on links the proxy
// applies them (package link). The faults on DNS act on a container's queries to its resolver: failures, timeouts and
// wrong answers.
//
// To add a fault, define in a [packets.Evidence] the proofs of its effect and of its end, and for links in a
// [link.Toxic].
package network
