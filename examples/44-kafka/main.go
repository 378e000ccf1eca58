// Command 44-kafka is a small system that brunt breaks: a broker, and a consumer of the topic orders that posts a
// webhook for each record. Both run this program, with the role as its argument:
//
//	kafka.produce --> broker: the topic orders --> consume: the group shop --> the webhook
//
// The broker is kfake, franz-go's stand-in of Kafka: the same protocol, in memory, and no Kafka. CONSUMER plants a
// defect in the consumer: forget commits records before it posts them, and again commits only every 500th.
package main

import (
	"bytes"
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
	if _, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(n), kfake.SeedTopics(1, "orders"),
		kfake.GroupMinSessionTimeout(500*time.Millisecond)); err != nil {
		log.Fatal(err)
	}
	select {}
}

// consume posts a webhook for each record, for ever.
func consume(bus, hook, defect string) {
	c, err := kgo.NewClient(kgo.SeedBrokers(bus), kgo.ConsumerGroup("shop"), kgo.ConsumeTopics("orders"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(), kgo.SessionTimeout(time.Second),
		kgo.HeartbeatInterval(300*time.Millisecond), kgo.FetchMaxWait(50*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	for n := 0; ; {
		list := c.PollRecords(ctx, 200).Records()
		if defect == "forget" { // the records are only in this process from here on
			_ = c.CommitRecords(ctx, list...)
		}
		for _, r := range list {
			post(hook, r.Value)
			if n++; defect == "" || defect == "again" && n%500 == 0 {
				_ = c.CommitRecords(ctx, r)
			}
		}
	}
}

// post sends an order until it is taken, which needs 20 ms of work besides.
func post(hook string, order []byte) {
	time.Sleep(20 * time.Millisecond)
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
