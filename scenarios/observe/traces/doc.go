// Package traces receives the spans that the services of the target send during a run, by OpenTelemetry's protocol
// (OTLP), and says where the requests of the load spent their time.
//
//	services --OTLP/HTTP: protobuf, JSON; gRPC--> Receiver --decode--> Store <--Request-- outcomes of the load
//	                                                                     |
//	                                      result.Traces <--Find----------'
//
// A request of brunt is the root of its trace: its trace id begins with the half that its load drew, and its span id
// follows from the trace id ([scenarios.RootSpan]). Spans of other traces are only counted.
//
//	receiver.go  the listener: bounds of messages, the three forms of the protocol
//	protobuf.go  reads messages in protobuf, json.go in JSON
//	store.go     the spans by trace; if there are too many, those of a random part of the requests
//	forward.go   sends the messages on to another receiver
//	find.go      self times by service, the slowest requests, whole traces
//
// Messages come from outside. A message has a limit of bytes, the spans of a trace and of all traces one of numbers,
// and a text one of characters. A message that can't be read is counted and answered, and ends nothing.
//
// The decoders are ours. The generated one (go.opentelemetry.io/proto/otlp) takes some 300 bytes of memory even for an
// empty span, which is 2 bytes of a message: a message of 8 MiB could take more than 1 GiB. FuzzReceive compares ours
// with it. For JSON, protojson would read the ids, which OTLP writes in hexadecimal, as base64.
package traces
