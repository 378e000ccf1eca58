// Package chaos injects faults, proves that they have an effect, reverts them, and proves that the
// effect is over.
//
//	entry --due--> Plan --> journal: intent --> Inject --> Verify ... wait ... --> Revert --> Gone --> journal: done
//	               reads    written before      damage     effect,                 CAS        effect
//	               only     the damage                     not setting                        is over
//
// A [Fault] names units (replicas of services) or edges (links from one service to another) and plans a
// [Step] for each. An injected step is a [Held]. The [Record] of an occurrence holds its times and its
// proofs. Package timeline plays the faults of a scenario.
//
// # Packages
//
//	chaos                the contract: faults, steps, units, links, undos
//	chaos/timeline       when each fault occurs: entries, groups, and their play during a run
//	chaos/catalog        every fault and every undo operation, one line each
//	chaos/fault/...      the faults, by family
//	chaos/selector       which units, links, zones and leaders a fault hits
//	chaos/protect        protected units, which no fault may hit
//	chaos/journal        the journal, watchdogs, and the recovery of faults that dead runs left
//	chaos/agent          privileged processes, which inject the faults that brunt itself may not
//	chaos/probe          calls and commands that ask a target or the team's monitoring
//	chaos/victim         the process of a unit, for faults on processes and resources
//	chaos/medium/link    toxics on links, and their proofs
//	chaos/medium/packets faults on the packets of a container, and their proofs
//	chaos/proof          bounds of proofs that several families use
//	chaos/seed           random choices, derived from one seed
//	chaos/container      units in containers
//	chaos/cluster        units in pods of Kubernetes, agents on its nodes, and a watchdog in the cluster
//	chaos/proc           processes by pid and start time
//	chaos/netns, proxy, cgroup, stress, rootfs, vdso, kube, oci, rpc: mechanisms
//
// # Faults that end with brunt, and faults that need an undo
//
// A step that would outlive brunt has an [Undo]: data in the journal, written before the injection. When brunt dies, a
// watchdog replays the journal. When the watchdog dies too, the next run does. If brunt runs in a container, its
// watchdog is another container of the same image. The proxies of links, packet rules, a full disk and stress are held
// by child processes, which end with brunt; if brunt is stopped (SIGSTOP), their undo ends them or takes one fault off.
// A fault on traffic in such a process also has a lease (package proxy/child): it ends by itself 30 s after its planned
// end, even without a watchdog. For a fault that an agent in an engine holds, the undo kills a brunt that hangs.
//
// # Networks
//
// Between processes a network fault is a toxic of the proxy on a [Link]. Containers have no links: the
// fault acts on packets in the network namespace of a unit (package netns). A rule of the kernel diverts
// connections and requests between containers to a proxy in the caller's network. The kernel removes the
// rule when its process exits, so no connection depends on a dead proxy. A separate process of brunt enters
// the namespace, so that packets pass while brunt is stopped; or an agent that the engine starts there does
// ([Agents]).
//
// # Resources
//
// Faults on processors, memory, disks, descriptors and the clock act from outside on the processes
// of a unit. brunt writes a limit into the unit's control group, and the old value into the journal.
// Stress is a child process in the same group; it measures what the unit gets, which proves a limit.
// See package fault/resource.
//
// # To add a fault
//
// Write a file with a struct whose exported fields are its YAML settings in a package below
// chaos/fault, and a line in Faults of package catalog.
//
//   - Describe returns the [Descriptor]: the kind, one sentence that says what the fault does, what it
//     acts on, the rights of an agent, the undo operations, and a check of the machine.
//   - Check notes every mistake in the settings, and refuses what cannot be verified or reverted.
//   - Plan makes a [Step] for each unit with Steps of a selector.Selector, which resolves a unit to a
//     container.Target once, or finds the links with a selector.Edge. It only reads. The [Env] says what
//     may be hit ([Targets]), what the run has on this machine ([Host]), and for which [Occurrence].
//   - A Step that would outlive brunt returns an [Undo]. Its Identity names the thing that the undo restores. Its
//     [Operation] is listed in the Undo of the Descriptor; package catalog collects the operations of all kinds.
//   - Held proves the effect as a victim sees it, never by reading back a setting, and proves in the same way that the
//     effect is over.
//   - Traits returns the [Traits] of the fault: the units that it may hit, their number, whether it is a one-shot,
//     whether it is on links. Selector and Edge return the common ones; a fault changes those that differ.
//   - The [HeldTraits] of a Held describe optional properties: the time that the effect takes, the affected traffic,
//     and what to do when a container is restarted or changes networks.
//
// A step on a container checks the container's id and start time, so that a successor of the same name
// is never hit.
//
// Then add a row to the table of the conformance suite for each thing that the fault acts on;
// TestKinds names the tables. The suite in chaos/chaostest runs the fault in a world where it has an
// effect and in one where it has none. TestParametersOfLinks, TestParametersOfProcesses and
// TestResources measure what a setting does.
package chaos
