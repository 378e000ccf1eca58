// Package amqp publishes to brokers of AMQP 0.9.1, such as RabbitMQ, takes messages from queues, and makes calls.
//
//	step.go      the YAML of a step
//	exchange.go  what each kind of step sends, and how it reads the answer
//	wire.go      frames, methods and contents on the wire: the codec
//	login.go     how a connection and its channel begin
//	errors.go    the numbers of errors, and their causes
//
// The package speaks the protocol itself. A connection has one channel and carries one call at a time, so that the time
// of a confirm is that of its message, and an error of a channel is one of the call that caused it. The library
// amqp091-go parses what a server sends in a goroutine of its own, where brunt can't turn a panic into an error of the
// call. The protocol is described at
// https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf and
// https://www.rabbitmq.com/docs/confirms.
//
// AMQP answers neither a message without confirms nor an acknowledgement. There a step makes a further request on the
// channel, basic.qos, whose answer says that the server has read what came before.
package amqp
