// Package nfqueue delays, reorders and shapes packets that the kernel queues to brunt through NFQUEUE.
//
//	kernel --packet--> Socket --> Worker asks a Schedule when the packet leaves --verdict--> kernel
//
// To add an effect on packets, write a [Schedule].
package nfqueue
