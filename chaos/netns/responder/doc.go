// Package responder answers the DNS queries of a network namespace in place of their resolvers. It
// serves the faults dns.fail, dns.timeout and dns.spoof.
//
//	program --> resolver:53 --> Responder --> affected: an answer, or none
//	            (redirected by      `-------> not affected: resolver:53, and its answer back
//	            an nftables table)
//
// The server is that of github.com/miekg/dns. It sees affected queries only: the reader in front of it
// forwards all other messages, byte by byte, to the resolver to which they were sent. A malformed message
// is never affected, because its name is unknown: the resolver gets it too, and decides what to answer.
//
// At the end of a fault the redirection ends first. Queries in flight are still answered for at most two seconds, over
// the path on which they came, so that a fault on a name that no program asks for harms no query.
//
// The kernel removes the table when brunt ends, even if it is killed; queries then reach their resolvers.
package responder
