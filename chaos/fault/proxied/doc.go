// Package proxied has the faults that brunt's proxy applies to connections and requests on a link.
// Between containers, where there are no links, brunt diverts the caller's connections to a proxy in
// the caller's network.
//
//	Edge --> links --> Toxic --Prove--> effect on brunt's own probe connection --Undone--> no effect
//
// To add one, write a toxic in package proxy/toxics and a [link.Toxic] that proves it.
package proxied
