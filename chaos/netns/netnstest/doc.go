// Package netnstest makes network namespaces for tests of network faults, and checks that a
// namespace is restored.
package netnstest
