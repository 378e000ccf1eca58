// Package child runs in a separate process everything that traffic passes, so that traffic flows while brunt is
// stopped, or busy with its load: the proxies of links, the handlers of packets in the networks of containers, and the
// proxies to which connections there are diverted.
//
//	brunt --Start--> brunt proxies ==links==> upstreams
//	      --add, remove, probe (package rpc, on its standard input)-->
//	      --enter, set, divert--> networks of containers
//	watchdog --Clear (TCP on loopback, with a token that the journal holds)-->
//
// While brunt is stopped, traffic passes with the faults that are in. Each fault has a lease. The watchdog ends it by
// its key, see [Control.Clear], without brunt. The process ends it itself at the end of its time and a margin, without
// a watchdog. The process ends when its input ends, which happens when brunt ends; it then closes or resets its
// connections. On Linux the kernel kills it with brunt, so that a stopped process ends too.
//
// Without a process of its own, an agent on a node serves the same for the network of a pod alone:
//
//	brunt --Attach--> an agent's conversation --ServeIn--> the network of a pod
//
// All of it ends with the conversation, or after ten seconds of silence.
//
// The settings of toxics go over the pipe, so the command line and the environment contain nothing of a scenario.
package child
