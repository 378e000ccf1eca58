// Package allow holds the allow-lists of a plan: the addresses that load and faults may reach beyond
// loopback and beyond the services that brunt starts.
//
//	guard.allow.load   --\
//	policy allow.load  ---+--> New --> List.CheckURL   before the run, by name
//	hosts of the target --/                List.Check    at each connection, by address
//
// A [List] is made of [Rules], one for the scenario and one for each policy. All of them must allow an address. The
// lists for faults are read from guard.allow.chaos in the same way.
//
// A name may resolve to any address, so CheckURL refuses a name only if this machine's hosts file decides it. Check
// sees the address of the connection after redirects, `resolve` and DNS, and decides the rest.
//
// To add a kind of entry, such as a range of ports, extend [scenarios.Reach], which parses and matches
// the entries of all lists.
package allow
