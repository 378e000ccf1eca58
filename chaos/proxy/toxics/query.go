package toxics

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/query"
)

// RedisError answers a share of the commands of Redis by itself, with an error, and keeps the connection. The upstream
// does not see these commands. Commands in a transaction pass, and so do connections that subscribe.
type RedisError struct {
	Reply string  // such as "LOADING Redis is loading the dataset in memory"
	Share float64 // of the matching commands, from 0 to 1; 0 is all
	// the command in capitals and its first argument, such as "GET user:*", with * for any text; empty is all
	Name string
}

// SQLError answers a share of the statements of PostgreSQL or MySQL by itself, with an error, and keeps the connection.
// The upstream does not see these statements. To the client, an open transaction of PostgreSQL has then failed. A
// transaction of MySQL stays open, so an error that would end it, 40001, is not used inside one.
type SQLError struct {
	State string  // the SQLSTATE, such as 40001
	Text  string  // of the error
	Share float64 // of the matching statements, from 0 to 1; 0 is all
	Name  string  // statement in one line and lower case, such as "update *", with * for any text; empty is all
}

// MongoError answers a share of the commands of MongoDB by itself, with an error, and keeps the connection. The
// upstream does not see these commands. The commands of logins pass.
type MongoError struct {
	Code     int32 // of the error, such as 112
	CodeName string
	Text     string  // of the error
	Share    float64 // of the matching commands, from 0 to 1; 0 is all
	Name     string  // the command and its collection, such as "insert order*", with * for any text; empty is all
}

// QueryDelay delays a share of the requests of a protocol of package query by Delay ± Jitter, together with the bytes
// that follow on the same connection.
type QueryDelay struct {
	Speaks string // the protocol, such as [query.Redis]
	Delay  time.Duration
	Jitter time.Duration // largest deviation, uniform
	Share  float64       // of the matching requests, from 0 to 1; 0 is all
	Name   string        // as in the error of that protocol, such as [RedisError]
}

func (t RedisError) Check(parsed bool) error {
	var errs []error
	if t.Reply == "" || strings.ContainsAny(t.Reply, "\r\n") {
		errs = append(errs, errors.New("an error of Redis is a text of one line"))
	}
	return errors.Join(append(errs, checkRequests(parsed, t.Share))...)
}

func (t SQLError) Check(parsed bool) error {
	var errs []error
	if len(t.State) != 5 || strings.ContainsRune(t.State+t.Text, 0) {
		errs = append(errs, errors.New("a SQLSTATE has five characters"))
	}
	return errors.Join(append(errs, checkRequests(parsed, t.Share))...)
}

func (t MongoError) Check(parsed bool) error {
	var errs []error
	if t.Code <= 0 {
		errs = append(errs, errors.New("the code of an error of MongoDB is more than 0"))
	}
	return errors.Join(append(errs, checkRequests(parsed, t.Share))...)
}

func (t QueryDelay) Check(parsed bool) error {
	return errors.Join(checkDelay(t.Delay, t.Jitter), checkRequests(parsed, t.Share))
}

func (t RedisError) Begin() proxy.Effect {
	return forward(query.Redis, t.Share, t.Name,
		func(f proxy.RequestFilter) proxy.Gate { return &refusing{f, t.Reply, "", false} })
}

func (t SQLError) Begin() proxy.Effect {
	return forward(query.SQL, t.Share, t.Name,
		func(f proxy.RequestFilter) proxy.Gate { return &refusing{f, t.State, t.Text, t.State == "40001"} })
}

func (t MongoError) Begin() proxy.Effect {
	code := strconv.Itoa(int(t.Code)) + " " + t.CodeName
	return forward(query.Mongo, t.Share, t.Name,
		func(f proxy.RequestFilter) proxy.Gate { return &refusing{f, code, t.Text, false} })
}

func (t QueryDelay) Begin() proxy.Effect {
	return forward(t.Speaks, t.Share, t.Name, func(f proxy.RequestFilter) proxy.Gate {
		return &delayer{f, HTTPDelay{Delay: t.Delay, Jitter: t.Jitter}}
	})
}

// forward returns the effect of a gate on requests of a protocol of package query.
func forward(speaks string, share float64, name string, gate func(proxy.RequestFilter) proxy.Gate) proxy.Effect {
	return proxy.Effect{CountsItself: true, Gate: func(s proxy.Point) proxy.Gate {
		if s.Direction != proxy.Forward {
			return nil
		}
		return gate(proxy.NewRequestFilter(s, share, name, "").Speaking(speaks))
	}}
}

// refusing is a gate that answers requests.
type refusing struct {
	proxy.RequestFilter
	code, text string
	ends       bool // the error ends the transaction of the request
}

func (g *refusing) Next(it *proxy.Item, _, _ time.Time) (time.Time, proxy.Verdict) {
	if !(g.ends && it.StaysOpen()) && g.Hits(it) {
		it.Refuse(g.code, g.text)
	}
	if it.Answered() {
		return it.Arrived, proxy.Discard
	}
	return it.Arrived, proxy.Leave
}
