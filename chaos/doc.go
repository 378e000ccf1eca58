// Package chaos breaks things on purpose, proves that they are broken, and always
// puts them back.
//
//	entry --due--> Plan --> journal: intent --> Inject --> Verify ... wait ... --> Revert --> Gone --> journal: done
//	               reads    written before      damage     effect,                 CAS        effect
//	               only     the damage                     not setting                        is over
//
// A fault names units (replicas of services) or edges (links from one service to
// another). What can be undone by anyone is data in a [Journal], written down before
// the damage; what dies with brunt, such as a proxy's toxics, is held. A guard, a
// child in a session of its own, replays the journal when brunt dies; the next run
// does when the guard died too.
//
// # The packets of a container
//
// Between processes a fault of the network is a toxic of the proxy on a link. Containers
// have no such links: it is done to packets, in the network namespace of the unit that has
// it, or of the one at the other end where its direction wants that (package netns).
//
//	edge --> spots: whose network, which packets --> packets --> before: who answers
//	                                                 Prepare     Set, look, count ... Close, look
//
// brunt enters the namespace itself, or has a helper that its engine starts in there do
// the same: [Insides] keeps the ways in. What is seen is seen from inside, by pings,
// connections and questions of brunt's own, and by what the fault says it has met. What
// the kernel takes back when brunt dies has an undo all the same, for a brunt that hangs:
// the guard ends it. A container that is started again has another network: the fault is
// put in anew, or void.
//
// What a proxy alone can do, to requests and connections, is done between containers by one
// that listens in the caller's own network, to which a table that the kernel takes back with
// brunt diverts what goes to the other end: nobody's way leads through a brunt that is dead.
//
// # Where brunt is not the machine's root
//
// A brunt that reaches the engine's socket and may not touch processes, or sees none since it
// runs in a container, has a helper that sees them do the whole fault: a hand, with the rights
// that the kind takes and no other. Where brunt runs in a container its guard and its journal
// would end with it: a [Warden], a container beside brunt's and of the same image, is told each
// line of the journal before what it says is done, and takes back by the engine what is open.
// Both speak by package talk, and act when brunt is silent.
//
// # What a unit may use
//
// Faults on processors, memory, disks, descriptors and the clock are done from without, to
// the processes of a unit, whether those are brunt's own, a stranger's or a container's:
//
//   - A limit is written into the unit's control group (package cgroup), past whoever made
//     the group, and the old value is in the journal. A unit that shares its group gets one
//     of its own for the time, where that is possible: nobody else is limited, and brunt
//     never. Memory is counted where it was taken, so for memory.limit it is not.
//   - What uses something up is a child of brunt's in the unit's groups (package burner),
//     which the kernel ends with brunt. The same child measures what the unit gets, and
//     that is what proves a limit.
//   - Files are reached below /proc/PID/root (package rootfs); what fills a disk has no name
//     and goes with brunt. The clock is the code by which a process reads it (package vdso).
//
// # To add a fault
//
// Write a file with a struct whose exported fields are its YAML, and a line in [Kinds].
//
//   - Its Check tells every mistake of the settings, and refuses what could not be
//     verified or taken back, before anything starts.
//   - Its Plan finds whom it hits, by a [Selector] for units or an [Edge] for links, and
//     gives a [Step] for each. It only reads: a dry run plans as well.
//   - A Step that leaves something behind when brunt dies names it in Undo, and says in
//     [Undo.Identity] whom it is for; whatever undoes it goes into Undo.do. One that
//     dies with brunt has none.
//   - Its [Held] proves the effect by what a victim would see, never by reading back
//     what was set, and that it is over in the same way.
//   - Whom it may touch is told by [Reaching], for policies that protect some; Selector,
//     Edge and Own have it already.
//   - What is optional is found by its methods: [OneShot] for what is over once it is
//     done, [Hits] to be bounded by max_units before the run, [Linked] to have a proxy on
//     its links, [Slow] where the effect takes its time, [Meter] to count what met it, [Zoned] and
//     [Led] to be aimed at a zone and at the leader.
//
// A unit may be a [Container] of a Docker engine, found by package docker. What is done to
// it is held against its id and the time of its start, so that a container that takes its
// Name is never touched; an undo names its engine. A fault that lives in a container's
// namespaces implements [Rooted]: the timeline tells it of a restart.
//
// A toxic of package proxy becomes a fault by ToxicPlan: say what proves it and what
// proves that it is gone.
//
// Then add it to the tables of TestFaults, where the suite in chaos/chaostest holds it to
// all of this, in a world where it has an effect and in one where it has none; and
// measure each setting in TestParameters….
package chaos
