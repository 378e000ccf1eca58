// Package cgroup reads and writes the Linux control groups of processes: their limits of
// processors, memory and disks. It supports version 1, with a tree for each controller,
// version 2, with one tree for all, and both side by side.
//
//	/proc/PID/cgroup --path--> tree of the controller --> Group --> Setting: read, compare, write
//	                           /proc/self/mountinfo
//
// The package keeps no state: the caller that writes a setting stores the old and the new value. A [Group] contains its
// inode, which differs in a later group of the same path, so that a recreated container is not mistaken for the one
// that was limited.
package cgroup
