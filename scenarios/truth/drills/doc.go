// Package drills compares brunt's results with independent measurements of real systems that fail: nginx, etcd, Redis
// with Sentinel, PostgreSQL with a standby, PostgreSQL on three nodes of Patroni behind HAProxy, MariaDB on three nodes
// of Galera, a stream of NATS JetStream with three replicas and RabbitMQ, as processes on this machine. For a cut of
// their network, etcd and Galera run in containers; members of JetStream and agents of Patroni are cut off by brunt's
// links. Where a disk is full, each member has a small filesystem of its own, which only root can mount.
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
// The prober shares nothing with brunt's packages. It has the timeout and the connections of the load (kept alive, as
// many as needed), and sends at intended times whether or not earlier answers have arrived.
//
// The comparison uses the times at which the prober and brunt sent their requests, not the intended times, because
// both stop if the machine stops. The table shows for how long each of them sent nothing. An answer does not count as
// slow if the prober itself stood still.
//
// The test repeats a run, at most three times for a drill, if the run can't show the fault. There are three such
// cases. The prober saw the system fail before the fault, so that there is no steady state. The outage was too short
// to show at the rate of the load, as brunt's notes state it, and brunt says that it does not know. Or, at an edge of
// the outage, the prober or brunt sent nothing for so long that their times may differ by as much, by the log of
// writes, and brunt's interval says so. The cause is a machine that is too busy, in spite of the priorities below.
//
// A repeat excuses only effects of that state: lost writes, a wrong verdict on them, a process left behind and a
// fault on another unit fail the test in any run. The test logs each such run in full.
//
// Writes are lost if the server that takes writes at the end lacks them. On a busy machine a late sentinel fails over
// again, 2 s after the first failover. From then on all sentinels name the second new primary, and make the first one
// its replica 10 s later. Clients go on writing to the first one, and lose about 800 of 1500 writes, in 3 of 40 runs
// by the log of roles. So front and test read from the primary that most sentinels name and that says it is one, the
// test reads again and again for as long as brunt does, and the log records the role that each server and sentinel
// reports.
//
// If a drill has `watch`, result.json has each lasting change of a unit's role within 600 ms of the time at which the
// test saw it; the test asks by another API, or by a client of its own, every 20 ms. The report names the
// unit that the fault hit: it had the role that the fault picks, and it is the unit whose process changed, if one did.
//
// All processes of a drill take at most 2 GiB of memory together. The table shows how much they took.
//
// In every drill, no incident that began before the fault is given to it, and the fault was taken back.
//
// The drills of brunt's library whose proof names real systems are rows as well: `brunt drill run` lays the drill over
// the scenario of the system, as it does for users. There the report also names the member that led, whether the fault
// hit it or not. Some rows take the defence away: a stream with one replica has no member that could take over, and
// messages in memory alone are lost with their broker. TestVerdicts plays such a drill on brunt's built-in system too,
// with the defence and without it: where the verdicts differ, the built-in system is too kind, or too harsh. For
// HAProxy and for zones of etcd it plays the drill on the scenario of an example.
//
// The drills of consistency_test.go read and write keys of etcd, Redis and PostgreSQL while they fail. brunt must find
// the anomalies that each store has by its settings, and none where it has none. For the drill network-island, members
// of etcd and their front run in containers that brunt starts. The front reads from each member in turn, and tells the
// test whether the member that is cut off from the others served it.
//
// The examples of real systems are played beside a prober as well, in examples_test.go. It asks the entry of the
// example as the load does: over connections that are kept, or one for each request, to each entry in turn, or to the
// server that sentinels name. A recovery time of brunt is the prober's within the distance between two requests and 20
// ms.
//
// A drill is one row of the table drills in drills_test.go. Its system is a function in systems_test.go that starts
// one unit, and a store in a file of its own if the system takes writes. The tests run with BRUNT_FULL=1. DRILL_RUNS
// is the number of runs of each drill; the default is 10, and 3 for Patroni, Galera and JetStream. DRILL_KEEP is a
// folder that keeps the results of failed runs.
package drills
