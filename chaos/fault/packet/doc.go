// Package packet has the network faults. Between containers they are done to packets (package packets); on
// links they are done by the proxy (package link).
//
// To add one, define in [packets.Evidence] what proves it and what proves that it is over, and on links in
// [link.Toxic].
package packet
