// Package nfqueue delays, reorders and shapes packets that the kernel queues to brunt through NFQUEUE.
package nfqueue
