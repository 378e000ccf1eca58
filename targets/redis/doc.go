// Package redis sends commands to Redis over its protocol RESP3, or over RESP2 if the server knows no other.
//
//	step --compile--> call                                        once
//	call --Compose--> bytes --calls.Make--> connection --> reply  for each call
//	reply --judge--> outcome, samples, variables
//
//	step.go      the YAML of a step
//	command.go   commands from YAML to the wire; words.go the properties of commands by their names
//	check.go     checks and extractions; schema.go the JSON Schemas of a step
//	errors.go    the first words of errors, and their causes
//	reply.go     reads replies: the codec; value.go decodes their values
//	url.go       the URL of an endpoint
//	client.go    the connections of a load; login.go the first commands of a new connection
//	cluster.go   the slots of a cluster, and which node a command goes to
//	sentinel.go  the primary that sentinels name
//	session.go   one virtual user: a call from its slot to its outcome
//	judge.go     checks and extractions of an answer
//	sample.go    a call as reports show it
//
// The connections are those of package h1. A command is sent again if a node of a cluster says that it has not
// executed it (MOVED, ASK), and, if it only reads, as [targets.Resend] says.
// Commands of several calls never share a write.
package redis
