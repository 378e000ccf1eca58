// Package remote does what package netns does by another process: one that may enter a network that brunt may not, or
// one that goes on while brunt is stopped.
//
//	brunt: Namespace --prepare, set, probe, close--> Server: netns.Namespace
//
// How a question travels is up to both ends: [New] takes the function that asks, and [Server.Operations] answers.
// What is set ends when it is closed, with its process, or as its [netns.Lease] says.
package remote
