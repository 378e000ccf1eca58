// Package drills holds brunt against real systems that fail: nginx, etcd, Redis with Sentinel,
// PostgreSQL with a standby and RabbitMQ, as processes on this machine; for a cut of its network, etcd runs in containers.
//
//	brunt run ---load---> entry: nginx, or front ---> system: killed, cut off, frozen
//	prober ---every 5 ms--->-'      |                   |
//	   |                            v                   v
//	   v                     log of writes        all data, read back
//	first failure,           acknowledged         directly
//	first lasting success            \               /
//	   \                              writes lost
//	    '-------------compared with result.json-----'
//
// The prober shares nothing with brunt's packages. It has the load's timeout and connections (kept
// alive, as many as needed), and sends at intended times whether or not earlier answers are in.
//
// Both are asked when a request was sent, and not when it should have been: where the machine stops, both stop. The table
// says for how long each of them sent nothing. A run before whose fault the prober saw the system fail shows nothing of
// the fault: it is logged and played again, three times at most for a drill.
//
// A drill is one row of the table drills in drills_test.go. Its system is a function that starts one
// unit in systems_test.go, and a store in a file of its own where it takes writes. The tests run
// with BRUNT_FULL=1; DRILL_RUNS is the number of runs of each drill, 10 unless it is set.
package drills
