// Package netnstest makes namespaces to try faults of the network in, and tells whether
// one is as it was.
package netnstest
