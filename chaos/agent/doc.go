// Package agent does what brunt may not do itself, by a process with the rights for it: a container that
// the engine starts beside the target. It runs brunt's own program, with the hidden command `agent`.
//
//	brunt --plan, inject, verify, revert, gone------> agent --signal, prlimit, cgroup--> processes of a container
//	brunt --network.prepare, .set, .look, .undo-----> agent --nftables, netem, eBPF----> network of a container
//
// There is one agent, [Serve], and one protocol, package rpc. An agent in the network of a container serves
// the operations on the network; an agent that sees the machine's processes serves steps. A step travels as
// the settings of its fault, decoded and checked by brunt, so that an agent reads no scenario.
//
// A [Pool] holds the agents and the network handles of a run. An agent reverts what it did when its
// input closes or stays silent; the journal has an undo by another agent besides. The package knows no
// fault: [Options] has what finds one by its kind.
package agent
