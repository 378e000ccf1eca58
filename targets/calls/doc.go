// Package calls makes the calls of the protocols that use a connection for one call at a time: of brokers of messages,
// memcached, MongoDB, SMTP, Redis, DNS, databases, Kafka and plug-ins. A protocol says how a call is composed, sent and
// judged; this package has the rest once, and with it the definition of the response time.
//
//	Progress.Do --Compose--> Run --Make--> Places.Get --Exchange--> Judge --> outcome, sample
//	                                       slot         Wrote, Came: sent, first, end
//
// Most protocols have no exchange of their own. They give it a codec, a login and the talk of each kind of step:
//
//	step --Settings--> Call: Compose, Run                               once
//	Call.Compose --> bytes --Make--> Line --Call.Run--> Exchange        for each call
//	Exchange.Answer --judge--> outcome, samples, variables
//
//	progress.go  any call, from its slot to its outcome: its times, its attempts, its sample
//	routes.go    the connections to each server of an endpoint
//	line.go      a connection, from its login to its end
//	reader.go    how frames are read as they come, by a goroutine that ends while nothing comes, or by the call
//	client.go    the connections of a load
//	call.go      one call on a line
//	settings.go  the YAML that the steps of all brokers share
//
// A broker sends without being asked: pings, heartbeats, notices. So a goroutine reads each connection, and records
// when each frame came; an idle connection is parked. A server that sends only answers needs none: each call reads its
// own connection. A connection carries one call at a time. When a call is sent again, [targets.Resend] decides.
package calls
