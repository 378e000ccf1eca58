// Package packets has the step that applies a fault to the packets of one container, and proves it. The
// packet and DNS families supply a [netns.Spec] and an [Evidence].
//
//	Plan --> injection points --> Step --baseline--> Set --> Evidence --> Close --> baseline again
//
// The effect is measured from inside the container's network, by probes of brunt's own and by the packets
// that the kernel counts.
package packets
