// Package remote executes the operations of package netns in another process: one that may enter a network which brunt
// may not enter, or one that continues while brunt is stopped.
//
//	brunt: Namespace --prepare, set, probe, close--> Server: netns.Namespace
//
// The two ends choose how calls travel: [New] takes the function that calls, and [Server.Operations] answers. A Spec
// that was set ends when it is closed, when its process ends, or when its [netns.Lease] ends.
package remote
