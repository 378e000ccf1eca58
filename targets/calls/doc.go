// Package calls makes the calls of protocols whose servers are brokers of messages, and of memcached. A protocol
// gives it a codec, a login and the exchange of each kind of step; this package has the rest once.
//
//	step --Settings--> Call: Compose, Run                               once
//	Call.Compose --> bytes --Places.Get--> Line --Call.Run--> Exchange  for each call
//	Exchange.Answer --judge--> outcome, samples, variables
//
//	line.go      a connection, from its login to its end
//	reader.go    how frames are read as they come, by a goroutine that ends while nothing comes, or by the call
//	client.go    the connections of a load
//	call.go      one call, from its slot to its outcome
//	settings.go  the YAML that the steps of all brokers share
//
// A broker sends without being asked: pings, heartbeats, notices. So a goroutine reads each connection, and records
// when each frame came; an idle connection is parked. A server that sends only answers needs none: each call reads its
// own connection. A connection carries one call at a time. When a call is sent again, [targets.Resend] decides.
package calls
