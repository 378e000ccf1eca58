// Package kafka produces records to Kafka, consumes them, and asks for the lag of a group.
//
//	kafka.produce  --batch of one record--> leader of the partition --acknowledgement--> outcome
//	kafka.consume  --reader--> fetches, one goroutine for each leader --> records --> outcome, and a part for each
//	                  '- member: joins the group, heartbeats, partitions
//	kafka.lag      offsets of the group, ends of the partitions --> outcome
//
//	step.go      the YAML of a step
//	url.go       the URL of an endpoint
//	wire.go      a connection: requests and answers, by the messages of github.com/twmb/franz-go/pkg/kmsg
//	login.go     versions of requests, and SASL: PLAIN, SCRAM
//	record.go    batches of records, to and from the wire; compress.go decompresses them
//	cluster.go   the leaders of partitions, coordinators and offsets
//	client.go    the connections of a load
//	session.go   one virtual user: a call from its slot to its outcome
//	produce.go   kafka.produce; consume.go kafka.consume; lag.go kafka.lag
//	reader.go    reads the partitions of a topic; member.go is a member of a group
//	check.go     checks and extractions; schema.go the JSON Schemas of a step
//	errors.go    the error codes; sample.go a call as reports show it
//
// The connections are brunt's own, and so are the goroutines that parse: no library sends a record again, waits for
// more records or follows an address that the allowlist refuses. A request to produce holds one record and uses a
// connection of its own, so its times are those of its own bytes. A request that a broker refuses, such as by
// NOT_LEADER_FOR_PARTITION, is an error; brunt then asks for the leaders again.
//
// A consumer reads uncommitted records, as Kafka's own consumer does by default, unless it has `read: committed`.
package kafka
