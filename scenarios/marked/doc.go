// Package marked finds and ends processes by what they carry in their environment.
//
// A process that a stack has started, and all that it starts in turn, carries the marks of its run:
// unlike a group or a session, a child does not leave them by itself.
package marked
