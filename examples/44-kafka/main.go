// Command 44-kafka is a small system that brunt breaks: a broker, and a consumer of the topic orders that posts a
// webhook for each record. Both run this program, with the role as its argument:
//
//	kafka.produce --> broker: the topic orders --> consume: the group shop --> the webhook
//
// The broker is kfake, franz-go's stand-in of Kafka: the same protocol, in memory, and no Kafka. CONSUMER plants a
// defect in the consumer: forget commits records before it posts them, again commits only every 500th, and eager lets
// its partitions go to another consumer while it still works on their records. SESSION is how long the broker waits for
// a consumer that is silent, 1s if it is empty, and WORK is the time that a record takes, 20ms if it is empty.
package main

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "consume" {
		go consume(os.Getenv("BUS"), os.Getenv("BRUNT_HOOK_ORDER"), os.Getenv("CONSUMER"))
		log.Fatal(http.ListenAndServe(os.Getenv("BRUNT_ADDR"), nil))
	}
	_, port, err := net.SplitHostPort(os.Getenv("BRUNT_ADDR"))
	if err != nil {
		log.Fatal(err)
	}
	n, _ := strconv.Atoi(port)
	partitions := 1
	if len(os.Args) > 2 {
		partitions, _ = strconv.Atoi(os.Args[2])
	}
	if _, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(n), kfake.SeedTopics(int32(partitions), "orders"),
		kfake.GroupMinSessionTimeout(500*time.Millisecond)); err != nil {
		log.Fatal(err)
	}
	select {}
}

// consume posts a webhook for each record, for ever.
func consume(bus, hook, defect string) {
	session, work := duration("SESSION", "1s"), duration("WORK", "20ms")
	options := []kgo.Opt{
		kgo.SeedBrokers(bus), kgo.ConsumerGroup("shop"), kgo.ConsumeTopics("orders"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.SessionTimeout(session),
		kgo.HeartbeatInterval(300 * time.Millisecond), kgo.FetchMaxWait(50 * time.Millisecond),
	}
	if defect != "eager" { // partitions are handed over when the records of a poll are done
		options = append(options, kgo.BlockRebalanceOnPoll())
	}
	c, err := kgo.NewClient(options...)
	if err != nil {
		log.Fatal(err)
	}
	most := 20 // so that a rebalance waits for little more than half a second
	if defect != "" {
		most = 200
	}
	ctx := context.Background()
	for n := 0; ; c.AllowRebalance() {
		list := c.PollRecords(ctx, most).Records()
		if defect == "forget" { // the records are only in this process from here on
			_ = c.CommitRecords(ctx, list...)
		}
		for _, r := range list {
			post(hook, r.Value, work)
			if n++; defect == "" || defect == "eager" || defect == "again" && n%500 == 0 {
				_ = c.CommitRecords(ctx, r)
			}
		}
	}
}

// duration reads a variable of the environment.
func duration(name, other string) time.Duration {
	d, err := time.ParseDuration(cmp.Or(os.Getenv(name), other))
	if err != nil {
		log.Fatal(err)
	}
	return d
}

// post sends an order until it is taken, which needs some work besides.
func post(hook string, order []byte, work time.Duration) {
	time.Sleep(work)
	for {
		r, err := http.Post(hook, "application/json", bytes.NewReader(order))
		if err == nil {
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
			if r.StatusCode < 300 {
				return
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
}
