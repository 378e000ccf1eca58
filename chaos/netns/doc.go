// Package netns breaks the network of one network namespace: that of a container, or
// one that brunt made itself. It knows no scenario, no container engine and no other
// namespace: whom it harms is a path such as /proc/PID/ns/net, what it does is a [Spec].
//
//	Spec -> Open(path).Set(spec) -> Held
//	         a thread inside        the table, link, queue or qdisc that does it
//
// What it sets dies with the process that set it wherever the kernel can see to that: an
// nftables table with the OWNER flag, a TCX link, an NFQUEUE with bypass, a socket. What
// can't (a qdisc) tells its [Undo] beforehand, as data.
//
// The mechanisms, by the names that [Spec] has for them, and what they are best at:
//
//	nft      cuts, resets, answers to DNS   both ways; who opened a connection; existing connections
//	ebpf     loss, duplicate, corrupt       in or out; the same packets for the same seed
//	nfqueue  latency, reorder               in; bandwidth both ways
//	netem    latency, loss, … where it is   out; outlives brunt
//	tbf      bandwidth                      out; outlives brunt
//
// In is what comes into the namespace, out is what leaves it. Faults by several mechanisms
// add up, as do several by nft, ebpf or nfqueue; a link has place for one of netem and tbf.
//
// A Spec is data as well, so that whoever may not enter a namespace (the docker group
// without root) has a helper inside of it do the same.
package netns
