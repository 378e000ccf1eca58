// Package vegeta sends the requests of a load with vegeta's attacker and net/http's client, over connections that
// package dial opens. It also reads vegeta's target files.
//
//	Engine.Attack: arrival --Pacer--> worker --Targeter, RoundTrip--> Result --> outcome
package vegeta
