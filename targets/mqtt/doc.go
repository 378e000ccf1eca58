// Package mqtt publishes to a broker of MQTT 3.1.1 or 5, and takes messages.
//
//	step.go      the YAML of a step
//	url.go       the URL of an endpoint, with the settings of connections
//	exchange.go  what each kind of step sends, and how it reads the answer
//	session.go   the state of a connection, and of a client over several connections
//	login.go     CONNECT, pings, and packets that no call waits for
//	wire.go      packets: the codec
//	errors.go    reason codes, and their causes
//
// The package has a codec of its own for both versions: a packet is sent when its call is made, once, and a connection
// that is lost is opened again by the next call alone. The library paho.mqtt.golang speaks 3.1.1 alone, takes the
// memory that a packet announces before the packet comes, and has several goroutines for each connection. The
// versions are described at
// https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/mqtt-v3.1.1.html and
// https://docs.oasis-open.org/mqtt/mqtt/v5.0/mqtt-v5.0.html.
//
// With `client` in the URL each virtual user is a device: it has one connection, a client id that stays, and by
// `session` subscriptions that outlive the connection. Otherwise connections have random ids, and users share them.
package mqtt
