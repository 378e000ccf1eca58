// Package cgroup reads and writes the control groups of Linux that processes are in:
// what they may use of processors, memory and disks. Version 1, with a tree for each
// controller, and version 2, with one tree for all, are both known, side by side too.
//
//	/proc/PID/cgroup --path--> tree of the controller --> Group --> Setting: read, compare, write
//	                           /proc/self/mountinfo
//
// Nothing is kept here: who writes a setting knows what was there before, and what it
// wrote. A [Group] knows its inode, which no later group of the same path has, so that a
// container that was made again is told from the one that was limited.
package cgroup
