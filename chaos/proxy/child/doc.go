// Package child runs proxies in a process of their own, so that a brunt that is stopped, or busy with its load,
// holds up no link.
//
//	brunt --Start--> brunt proxies ==links==> upstreams
//	      --add, remove, probe (package rpc, on its standard input)-->
//	watchdog --Clear (TCP on loopback, with a token that the journal holds)-->
//
// The links pass on while brunt is stopped, with the toxics that are on them. The watchdog takes a toxic off by
// [Clear], which needs no brunt. The process ends when its input ends, as it does with brunt; its connections are
// closed or reset then. On Linux the kernel kills it with brunt, so that a stopped one ends too.
//
// Nothing that a scenario holds is in the command line or in the environment: settings of toxics go over the pipe.
package child
