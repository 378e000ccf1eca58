// Package network has the network faults. Between containers they act on packets (package packets); on links the proxy
// applies them (package link). The faults on DNS act on a container's queries to its resolver: failures, timeouts and
// wrong answers.
//
//	traffic{what, packet, toxic, shows} --plan--> packets: a netns.Spec, proved by shows.onPackets
//	                                        '---> links:   a toxic,      proved by shows.onLinks
//
// To add one, write a traffic: what it does to packets and to a link, and the effect that it shows. The effects are
// delayed, limited, cut and ended; another one is a type with a proof for each medium. A fault that only packets can
// show, such as a loss, goes to [packets.Plan] with its [packets.Evidence].
package network
