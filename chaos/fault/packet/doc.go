// Package packet has the faults on packets in the network of a container, and the network faults that are
// done to packets there and by the proxy on a link elsewhere.
//
//	Edge --> injection points --> packets --baseline--> Set --> evidence --> Close --> baseline again
//
// The effect is seen from inside the network, by pings and connections of brunt's own, and by the packets that
// the kernel counts. To add one, say in [Evidence] what proves it and what proves that it is over.
package packet
