package toxics

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/query"
)

// KafkaError answers a share of the requests of Kafka by itself, with an error code, and keeps the connection. The
// upstream does not see these requests. A request of more than 1 MiB passes, and so does one that asks for no answer.
type KafkaError struct {
	Code  int16   // the error code, not 0
	Share float64 // of the matching requests, from 0 to 1; 0 is all
	// the kind of request and the first topic in it, such as "Produce orders", with * for any text; empty is all
	Name string
}

// AMQPNack changes a share of a broker's confirms into negative ones: the broker has the message, and its publisher is
// told that it has not.
type AMQPNack struct {
	Share float64 // of the confirms, from 0 to 1; 0 is all
}

func (t KafkaError) Check(parsed bool) error {
	var errs []error
	if t.Code == 0 {
		errs = append(errs, errors.New("an error code of Kafka is not 0"))
	}
	return errors.Join(append(errs, checkRequests(parsed, t.Share))...)
}

func (t AMQPNack) Check(parsed bool) error { return checkRequests(parsed, t.Share) }

func (t KafkaError) Begin() proxy.Effect {
	return forward(query.Kafka, t.Share, t.Name,
		func(f proxy.RequestFilter) proxy.Gate { return &refusing{f, strconv.Itoa(int(t.Code)), "", false} })
}

func (t AMQPNack) Begin() proxy.Effect {
	return proxy.Effect{CountsItself: true, Gate: func(s proxy.Point) proxy.Gate {
		if s.Direction != proxy.Back {
			return nil
		}
		return &nacking{s, s.Random(), t.Share}
	}}
}

// nacking is a gate that makes confirms negative.
type nacking struct {
	at     proxy.Point
	random *rand.Rand
	share  float64
}

func (g *nacking) Next(it *proxy.Item, _, _ time.Time) (time.Time, proxy.Verdict) {
	if it.Confirms() {
		hit := g.share == 0 || g.random.Float64() < g.share
		if hit {
			query.Nack(it.Bytes)
		}
		g.at.Count(len(it.Bytes), hit)
	}
	return it.Arrived, proxy.Leave
}
