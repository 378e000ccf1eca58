// Package containers is what an engine of containers says of itself and of them, as data: addresses, containers,
// networks, limits. It links no client of an engine, so that what is written against containers compiles without one.
// Package docker asks an engine.
package containers
