// Package agent injects faults for which brunt lacks the rights, through a process that has them: a container that the
// engine starts beside the target. The container runs brunt's own program, with the hidden command `agent`.
//
//	brunt --plan, inject, verify, revert, gone------> agent --signal, prlimit, cgroup--> processes of a container
//	brunt --network.prepare, .set, .probe, .undo----> agent --nftables, netem, eBPF----> network of a container
//
// There is one agent, [Serve], and one protocol, package rpc. An agent in the network of a container serves
// the operations on the network; an agent that sees the machine's processes serves steps. A step travels as
// the settings of its fault, decoded and checked by brunt, so that an agent reads no scenario.
//
// A [Pool] holds the agents and the network handles of a run. An agent reverts its faults when its input
// closes or stays silent; the journal also has an undo by another agent. The package does not depend on
// faults: [Options] finds one by its kind.
package agent
