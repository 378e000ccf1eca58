// Package grpc makes gRPC calls over HTTP/2. It knows the messages from .proto files, from a set of descriptors, or
// from the server's reflection.
//
//	step --compile--> call --Bind--> method and message     once
//	call --compose--> request --h2.Line--> answer           for each call
//	answer --judge--> outcome, samples, variables
//
//	step.go      the YAML of a step; check.go checks of an answer and extractions; schema.go their JSON Schemas
//	endpoint.go  the settings of an endpoint, and the files of its services
//	registry.go  the services of an endpoint, and the methods in them
//	health.go    the service grpc.health.v1.Health, which needs no file
//	reflect.go   asks a server for its services
//	message.go   messages, from YAML to the wire and from the wire to JSON
//	client.go    the connections of a load; request.go renders a call
//	session.go   one virtual user: a call from its slot to its outcome
//	stream.go    streams of messages: how they are sent and read, and what is measured of them
//	held.go      calls with messages in both directions, for package stream
//	answer.go    reads the status and the message of an answer
//	sample.go    a call as reports show it
//	command.go   the sample as a command of grpcurl
//
// The wire is package h2, which HTTP steps use too. A call is sent once: there are no retries, no hedging and no
// waiting for a connection as in grpc-go. A call that the server has certainly not begun is sent again on another
// connection, as in package http.
package grpc
