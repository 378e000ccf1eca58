// Package agent does what brunt may not do itself, by a process with the rights for it: a container that
// the engine starts beside the target.
//
//	brunt --plan, inject, verify, revert, gone--> agent --signal, prlimit, cgroup--> processes of a container
//	brunt --prepare, set, look, undo-----------> agent --nftables, netem, eBPF---> network of a container
//
// A [Pool] holds the agents and the network handles of a run. An agent reverts what it did when its
// input closes or stays silent; the journal has an undo by another agent besides. The package knows no
// fault: [Serve] takes what finds one by its kind.
package agent
