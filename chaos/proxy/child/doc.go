// Package child runs what traffic passes in a process of its own, so that a brunt that is stopped, or busy with its
// load, holds up no link: the proxies of links, the handlers of packets in the networks of containers, and the proxies
// that connections there are diverted to.
//
//	brunt --Start--> brunt proxies ==links==> upstreams
//	      --add, remove, probe (package rpc, on its standard input)-->
//	      --enter, set, divert--> networks of containers
//	watchdog --Clear (TCP on loopback, with a token that the journal holds)-->
//
// All passes on while brunt is stopped, with the faults that are in. Each fault has a lease. The watchdog ends it by its
// key, see [Control.Clear], which needs no brunt. The process ends it itself at the end of its time and a margin, which
// needs no watchdog. The process ends when its input ends, as it does with brunt; its connections are
// closed or reset then. On Linux the kernel kills it with brunt, so that a stopped one ends too.
//
// Nothing that a scenario holds is in the command line or in the environment: settings of toxics go over the pipe.
package child
