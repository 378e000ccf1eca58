// Package dns has the faults on what a container asks its resolver: failures, timeouts and wrong answers.
// They act on packets in the network of the container (package packets).
package dns
