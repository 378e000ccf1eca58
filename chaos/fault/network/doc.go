// Package network has the network faults. Between containers they act on packets (package packets); on links the
// proxy applies them (package link). Those on DNS act on what a container asks its resolver: failures, timeouts and
// wrong answers.
//
// To add one, define in [packets.Evidence] what proves it and what proves that it is over, and on links in
// [link.Toxic].
package network
