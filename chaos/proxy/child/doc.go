// Package child runs everything that traffic passes through in a separate process, so that traffic flows while brunt is
// stopped, or busy with its load: the proxies of links, the handlers of packets in the networks of containers, and the
// proxies to which connections there are diverted.
//
//	brunt --Start--> brunt proxies ==links==> upstreams
//	      --add, remove, probe (package rpc, on its standard input)-->
//	      --enter, set, divert--> networks of containers
//	watchdog --Clear (TCP on loopback, with a token that the journal holds)-->
//
// While brunt is stopped, traffic passes with the injected faults. Each fault has a lease. The watchdog ends the fault
// by the lease's key without brunt, see [Control.Clear]. Without a watchdog, the process itself ends the fault when its
// time and a margin have passed. The process ends when its input ends, which happens when brunt ends; it then closes or
// resets its connections. On Linux the kernel kills it with brunt, so that a stopped process ends too.
//
// An agent on a node serves the same, without a process of its own and only for the network of a pod:
//
//	brunt --Attach--> an agent's conversation --ServeIn--> the network of a pod
//
// Everything ends with the conversation, or after ten seconds of silence.
//
// The settings of toxics go over the pipe, so the command line and the environment contain nothing of a scenario.
package child
