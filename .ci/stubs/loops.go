package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/smtp"
	"net/textproto"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/quic-go/quic-go/http3"
	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// loops are bare loops of the field's libraries, by protocol: each prepares one of the calls that are under way at
// once. The settings are those with which brunt makes the same call.
var loops = map[string]func(addr string) (call func() error, err error){
	"kafka": kafkaLoop, "amqp": amqpLoop, "mqtt": mqttLoop, "memcached": memcachedLoop, "h3": h3Loop,
	"nats": natsLoop, "mongodb": mongoLoop, "smtp": smtpLoop,
}

// loop makes calls of a protocol for a time, n at once, and returns how many.
func loop(protocol, addr string, n int, length time.Duration) int64 {
	prepare := loops[protocol]
	if prepare == nil {
		log.Fatalf("there is no loop of %s", protocol)
	}
	calls := make([]func() error, n)
	for i := range calls {
		var err error
		if calls[i], err = prepare(addr); err != nil {
			log.Fatal(err)
		}
	}
	var made atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(length)
	for _, call := range calls {
		all.Go(func() {
			for time.Now().Before(end) {
				if err := call(); err != nil {
					log.Fatal(err)
				}
				made.Add(1)
			}
		})
	}
	all.Wait()
	return made.Load()
}

// kafkaLoop has a client of its own for each call, as one client would send the records of all calls in one request.
func kafkaLoop(addr string) (func() error, error) {
	c, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ProducerLinger(0), kgo.RecordRetries(0),
		kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.AllISRAcks()))
	return func() error {
		return c.ProduceSync(context.Background(), &kgo.Record{Topic: "orders", Value: []byte("hello")}).FirstErr()
	}, err
}

func amqpLoop(addr string) (func() error, error) {
	c, err := amqp.Dial("amqp://guest:guest@" + addr + "/")
	if err != nil {
		return nil, err
	}
	ch, err := c.Channel()
	if err != nil {
		return nil, err
	}
	if _, err := ch.QueueDeclare("orders", false, false, false, false, amqp.Table{"x-max-length": 1000}); err != nil {
		return nil, err
	}
	if err := ch.Confirm(false); err != nil {
		return nil, err
	}
	return func() error {
		sent, err := ch.PublishWithDeferredConfirm("", "orders", false, false, amqp.Publishing{Body: []byte("hello")})
		if err != nil {
			return err
		}
		if !sent.Wait() {
			return errors.New("the broker refuses a message")
		}
		return nil
	}, nil
}

func mqttLoop(addr string) (func() error, error) {
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + addr))
	if t := c.Connect(); t.Wait() && t.Error() != nil {
		return nil, t.Error()
	}
	return func() error {
		t := c.Publish("orders", 1, false, "hello")
		t.Wait()
		return t.Error()
	}, nil
}

func memcachedLoop(addr string) (func() error, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	in := bufio.NewReader(c)
	return func() error {
		if _, err := io.WriteString(c, "get user:1\r\n"); err != nil {
			return err
		}
		for {
			line, err := in.ReadSlice('\n')
			if err != nil || string(line) == "END\r\n" {
				return err
			}
		}
	}, nil
}

// h3Client is the one client of all calls. CERT names the certificate of the server.
var h3Client = sync.OnceValues(func() (*http.Client, error) {
	pem, err := os.ReadFile(os.Getenv("CERT"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &http.Client{Transport: &http3.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}, nil
})

func h3Loop(addr string) (func() error, error) {
	c, err := h3Client()
	return func() error {
		answer, err := c.Get("https://" + addr + "/")
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		_, err = io.Copy(io.Discard, answer.Body)
		return err
	}, err
}

// natsLoop publishes to a stream of JetStream, which it makes, over a connection of its own for each call.
func natsLoop(addr string) (func() error, error) {
	c, err := nats.Connect("nats://" + addr)
	if err != nil {
		return nil, err
	}
	stream, err := jetstream.New(c)
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	_, err = stream.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: "ORDERS", Subjects: []string{"orders"}, Storage: jetstream.MemoryStorage, MaxMsgs: 1000,
	})
	return func() error {
		_, err := stream.Publish(ctx, "orders", []byte("hello"), jetstream.WithRetryAttempts(0))
		return err
	}, err
}

// mongoCollection is that of all calls, whose client has as many connections as there are calls. It has one document.
var mongoCollection = sync.OnceValues(func() (*mongo.Collection, error) {
	uri := "mongodb://" + os.Args[3] + "/?retryReads=false&directConnection=true"
	c, err := mongo.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		return nil, err
	}
	orders := c.Database("shop").Collection("orders")
	_, err = orders.ReplaceOne(context.Background(), bson.D{{Key: "_id", Value: 1}},
		bson.D{{Key: "_id", Value: 1}, {Key: "name", Value: "tea"}}, options.Replace().SetUpsert(true))
	return orders, err
})

func mongoLoop(string) (func() error, error) {
	orders, err := mongoCollection()
	return func() error {
		_, err := orders.FindOne(context.Background(), bson.D{{Key: "_id", Value: 1}}).Raw()
		return err
	}, err
}

// smtpMail has the headers that brunt writes.
const smtpMail = "From: <brunt@brunt.invalid>\r\nTo: <ann@example.test>\r\nSubject: hello\r\n" +
	"Date: Thu, 26 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1.2.3@brunt.invalid>\r\n\r\nhello\r\n"

func smtpLoop(addr string) (func() error, error) {
	c, err := smtp.Dial(addr)
	if err != nil {
		return nil, err
	}
	return func() error {
		if err := c.Mail("brunt@brunt.invalid"); err != nil {
			return err
		}
		if err := c.Rcpt("ann@example.test"); err != nil {
			return err
		}
		w, err := c.Data()
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, smtpMail); err != nil {
			return err
		}
		return w.Close()
	}, nil
}

// serveSMTP takes mails and forgets them.
func serveSMTP(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go takeMails(c)
	}
}

func takeMails(c net.Conn) {
	defer c.Close()
	in := textproto.NewReader(bufio.NewReader(c))
	for answer := "220 stubs ESMTP"; ; answer = "250 ok" {
		if _, err := io.WriteString(c, answer+"\r\n"); err != nil {
			return
		}
		line, err := in.ReadLineBytes()
		if err != nil {
			return
		}
		if !bytes.EqualFold(line, []byte("DATA")) {
			continue
		}
		if _, err := io.WriteString(c, "354 go on\r\n"); err != nil {
			return
		}
		if _, err := in.ReadDotBytes(); err != nil {
			return
		}
	}
}

// plugin is a plug-in of brunt that does nothing: it answers each line at once, and writes when it has read all lines
// that are there.
func plugin() {
	in, out := bufio.NewReaderSize(os.Stdin, 64<<10), bufio.NewWriterSize(os.Stdout, 64<<10)
	_, _ = in.ReadSlice('\n')
	_, _ = out.WriteString(`{"hello":1,"name":"stubs","calls":["say"]}` + "\n")
	for {
		if in.Buffered() == 0 {
			_ = out.Flush()
		}
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		id, _, _ := bytes.Cut(bytes.TrimPrefix(line, []byte(`{"id":`)), []byte(","))
		_, _ = fmt.Fprintf(out, `{"id":%s,"body":{"count":7,"name":"tea"}}`+"\n", id)
	}
}

// serveH3 answers requests of HTTP/3 with 64 bytes, with the certificate CERT and its KEY.
func serveH3(addr string) error {
	body := strings.Repeat("0", 64)
	s := &http3.Server{Addr: addr, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, body)
	})}
	return s.ListenAndServeTLS(os.Getenv("CERT"), os.Getenv("KEY"))
}

// serveKafka is kfake, franz-go's stand-in of Kafka, with the topic orders.
func serveKafka(addr string) error {
	var port int
	if _, err := fmt.Sscanf(addr, "127.0.0.1:%d", &port); err != nil {
		return err
	}
	if _, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port), kfake.SeedTopics(1, "orders")); err != nil {
		return err
	}
	select {}
}
