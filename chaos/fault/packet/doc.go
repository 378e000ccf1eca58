// Package packet has the network faults. Between containers they are done to packets in the network of
// one; on links they are done by the proxy.
//
//	Edge --> injection points --> packets --baseline--> Set --> evidence --> Close --> baseline again
//
// The effect is measured from inside the network, by pings and connections of brunt's own, and by the
// packets that the kernel counts. To add one, define in [Evidence] what proves it and what proves that
// it is over.
package packet
