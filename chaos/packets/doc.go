// Package packets has the step that does something to the packets of one container, and its proof: the
// families of faults on packets and on DNS queries give it what to do and what shows it.
//
//	Plan --> injection points --> Step --baseline--> Set --> Evidence --> Close --> baseline again
//
// The effect is measured from inside the container's network, by probes of brunt's own and by the packets
// that the kernel counts.
package packets
