// Package catalog lists the protocols that brunt speaks.
//
// To add a protocol, write a package below targets with a function that returns its
// [targets.Descriptor], and add a line to [Protocols]. The suite in targets/targetstest tests
// the promises that every protocol makes.
package catalog

import (
	"brunt/targets"
	"brunt/targets/amqp"
	"brunt/targets/dial"
	"brunt/targets/dns"
	"brunt/targets/grpc"
	"brunt/targets/http"
	"brunt/targets/kafka"
	"brunt/targets/memcached"
	"brunt/targets/mongo"
	"brunt/targets/mqtt"
	"brunt/targets/nats"
	"brunt/targets/plugin"
	"brunt/targets/redis"
	"brunt/targets/smtp"
	"brunt/targets/sql"
	"brunt/targets/sql/mysql"
	"brunt/targets/sql/postgres"
	"brunt/targets/stream"
)

// Protocols lists every protocol.
func Protocols() []*targets.Descriptor {
	return []*targets.Descriptor{
		http.Descriptor(),
		grpc.Descriptor(),
		redis.Descriptor(),
		kafka.Descriptor(),
		mongo.Descriptor(),
		dns.Descriptor(),
		nats.Descriptor(),
		amqp.Descriptor(),
		mqtt.Descriptor(),
		smtp.Descriptor(),
		memcached.Descriptor(),
		sql.Descriptor(postgres.Dialect(), mysql.Dialect()),
		plugin.Descriptor(),
		stream.Descriptor(grpc.Streams()),
	}
}

// New creates the set of all protocols for one plan. Its clients dial through package dial.
func New() *targets.Set { return NewSet(Protocols()...) }

// NewSet creates a set of some protocols.
func NewSet(list ...*targets.Descriptor) *targets.Set {
	return targets.NewSet(func(o *targets.Options) (targets.Network, error) { return dial.NewNetwork(o) }, list...)
}
