// Package containers describes a container engine and its objects as data: addresses, containers, networks, limits.
// It links no client of an engine, so that code for containers compiles without one. Package docker asks an engine.
package containers
