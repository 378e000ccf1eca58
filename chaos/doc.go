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
// To add a fault: a file with a struct whose exported fields are its YAML, its Check
// and Plan methods, and a line in [Kinds]. The suite in chaos/chaostest holds every
// fault to the same promises.
package chaos
