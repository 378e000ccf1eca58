// Package mongo sends commands to MongoDB.
//
//	step --compile--> call                                                        once
//	call --compose--> command --message.Line--> answers --judge--> outcome        for each call
//
//	step.go      the YAML of a step
//	command.go   commands from YAML to BSON
//	exchange.go  sends a command, reads the answer with all its batches, and finds errors in it
//	wire.go      messages on the wire: the codec; document.go checks and converts documents
//	url.go       the URL of an endpoint
//	login.go     the first commands of a connection: hello, and SCRAM
//	errors.go    the codes of errors, their names and their causes
//
// Documents are converted by the package bson of MongoDB's driver for Go. The rest of the driver is not used: it sends
// commands again, opens connections and asks servers for their state in goroutines of its own, behind the load's back.
// Here a command is sent at once, as OP_MSG, on a connection of brunt's own, and again only if it reads, as
// [targets.Resend] says. The protocol is described at
// https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/.
//
// A command goes to the first server of the endpoint's URL that takes it: to the primary of a replica set, unless the
// URL prefers another member. Servers that a server announces are not followed.
package mongo
