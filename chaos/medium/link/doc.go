// Package link has the step that puts a toxic on links, and the proofs of toxics: round trips and outcomes of
// connections over the proxy of the link. Where two containers have no link, the step diverts their connections through
// a proxy.
//
//	Plan --> links, or diverted connections --> Toxic --Inject--> proxy --> Prove --> Revert --> Undone
//
// A busy machine makes a proof by time unclear; [UntilClear] repeats the proof until it is clear.
package link
