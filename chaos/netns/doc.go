// Package netns injects network faults into one network namespace: the namespace of a container, or one that brunt
// made. It depends on no scenario and no container engine. A path such as /proc/PID/ns/net selects the namespace, and a
// [Spec] describes the fault.
//
//	Spec -> Open(path).Set(spec) -> Held
//	         a thread inside        the table, link, queue or qdisc of the fault
//
// Where the kernel supports it, a fault ends with the process that set it: an nftables table
// with the OWNER flag, a TCX link, an NFQUEUE with bypass, a socket. A mechanism without such
// support (a qdisc) returns its [Undo] in advance, as data.
//
// The mechanisms, by their names in [Spec], their main actions and their directions:
//
//	nft      cuts, resets, answers to DNS   both ways; which end opened a connection; existing connections
//	ebpf     loss, duplicate, corrupt       in or out; the same packets for the same seed
//	nfqueue  latency, reorder               in; bandwidth both ways
//	netem    latency, loss, … if present   out; outlives brunt
//	tbf      bandwidth                      out; outlives brunt
//
// In is traffic that enters the namespace, out is traffic that leaves it. Faults by several
// mechanisms add up, as do several by nft, ebpf or nfqueue. A link holds one of netem and tbf.
//
// A Spec is data, so that a process that may not enter a namespace (the docker group without
// root) can send it to an agent inside. Package agent does that.
package netns
