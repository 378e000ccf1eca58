// Package toxics holds the faults that a proxy can put on a link: Latency, Bandwidth, Slicer, SlowClose, Limit, Stall,
// Blackhole, Partition, Reset, HTTPError, HTTPDelay, HTTPRewrite, GRPCError, GRPCDelay, RedisError, MongoError,
// SQLError, KafkaError, QueryDelay and AMQPNack.
//
//	Toxic --Check--> mistakes in its settings
//	      --Begin--> proxy.Effect --Gate--> its effect on one direction of one connection
//	                              --Edit--> its effect on one request and its response
//
// To add a toxic, write a file with a struct whose fields are its settings, and the methods Check and Begin.
// The package proxy needs no change.
package toxics
