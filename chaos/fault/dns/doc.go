// Package dns has the faults on what a container asks its resolver: failures, timeouts and wrong answers.
// They are done to packets in the network of the container (package packet).
package dns
