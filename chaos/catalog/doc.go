// Package catalog lists every fault and every undo operation. It stands above the families of faults, so
// that none of them imports another for the list's sake.
//
// To add a fault, write its file in a package below chaos/fault and its line in [Kinds].
package catalog
