// Package dns asks DNS servers over UDP, TCP and TLS.
//
//	step --compile--> call                                             once
//	call --Compose--> query --datagrams--> answer                      over UDP
//	                          `- truncated --stream--> whole answer    over TCP, within the service time
//	answer --judge--> outcome, samples, variables
//
//	step.go      the YAML of a step
//	query.go     queries from their text to the wire
//	reply.go     what belongs to a query, and the records of an answer
//	check.go     checks and extractions; schema.go the JSON Schemas of a step
//	client.go    the sockets and connections of a load
//	session.go   one virtual user: a call from its slot to its outcome
//	sample.go    a call as reports show it
//
// A query is sent once. A datagram that is lost leads to a timeout. A datagram with another number or another question
// is not the answer, and the call goes on waiting. The types of records and the parser of answers are those of
// github.com/miekg/dns.
package dns
