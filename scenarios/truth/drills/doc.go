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
// says for how long each of them sent nothing. An answer that came while the prober stood still is not slow for that.
//
// A run is played again, three times at most for a drill, where it can show nothing of the fault: the prober saw the system
// fail before the fault, so that there is no steady state; or its outage was too short to show at the rate of the load, as
// brunt's notes state it, and brunt says that it does not know; or, at an edge of the outage, one of the two sent nothing for so
// long that their times may differ by as much, by the log of writes, and brunt's interval says so. Both come of a machine that
// is busy beyond what the priorities below make up for. Played again is no pardon: what does not follow from that state, such
// as lost writes, a verdict on them, a process left behind or a fault on another unit, is an error of that run too. And
// the run is logged in full.
//
// Writes are lost if the server that takes writes at the end lacks them. On a busy machine a sentinel that is late fails
// over again, 2 s after the first one did: from then on all sentinels name the second new primary, and make the first one
// its replica 10 s later. Clients go on writing to that one, and lose about 800 of 1500 writes, in 3 of 40 runs by the log
// of roles. So front and test read from the primary that most sentinels name and that says it is one, the test reads again
// and again for as long as brunt does, and the log has what each server and sentinel said of itself.
//
// Where a drill has `watch`, each change of a unit's role that lasts is in result.json within 600 ms of the time at which the
// test's own question saw it, each 20 ms by another API; the fault hit a unit of the role that it picks.
//
// A drill is one row of the table drills in drills_test.go. Its system is a function that starts one
// unit in systems_test.go, and a store in a file of its own where it takes writes. The tests run
// with BRUNT_FULL=1; DRILL_RUNS is the number of runs of each drill, 10 unless it is set;
// DRILL_KEEP is a folder that the results of runs go to in which something is wrong.
package drills
