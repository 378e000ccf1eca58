// Package catalog lists every fault. It imports all families of faults, so that no family has to import another for the
// sake of the list.
//
// To add a fault, write its file in a package below chaos/fault, with a Describe method, and add its line to
// [Faults]. The undo operations that a descriptor names need no further line.
package catalog
