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
// A Spec is data as well, so that whoever may not enter a namespace (the docker group
// without root) has a helper inside of it do the same.
package netns
