// Package resource has the faults on what a unit may use: processors, memory, disks and descriptors.
//
// A limit is written into the control group of the unit (package cgroup); a unit that shares its group gets one of its
// own until the fault ends. Stress is a child process in the groups of the unit (package stress), which the kernel ends
// with brunt. The same child measures what the unit gets, and that proves a limit. After a restart of the container the
// fault is injected again, unless `on_restart: void` ends it.
package resource
