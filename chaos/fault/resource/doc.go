// Package resource has the faults on the resources of a unit: processors, memory, disks and file descriptors.
//
// A limit is written into the control group of the unit (package cgroup); a unit that shares its group gets one of its
// own until the fault ends. Stress is a child process in the groups of the unit (package stress); the kernel ends it
// when brunt ends. The same child measures how much the unit gets, which proves a limit. After a restart of the
// unit the fault is injected again, unless `on_restart: void` ends it.
package resource
