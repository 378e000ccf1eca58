package mongo

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/calls"
	"brunt/targets/scram"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// mechanism is how a user is proved.
const mechanism = "SCRAM-SHA-256"

// protocol is how MongoDB goes over connections.
var protocol = calls.Protocol[frame]{
	Causes: causes, Login: login, Read: read,
}

// state is what a connection knows: the elements that its commands take from the URL.
type state struct {
	database []byte // of steps that name none
	number   int32  // of the last request
	write    []byte
	read     []byte
	prefer   []byte
}

// inDatabase returns the elements that name the database of a command.
func inDatabase(name string) []byte { return elementsOf(document(bson.D{{Key: "$db", Value: name}})) }

// login asks the server what it is, and proves the user to it.
func login(ctx context.Context, l *calls.Line[frame], to *url.URL, config *tls.Config) error {
	if config != nil {
		if err := l.Secure(ctx, config); err != nil {
			return err
		}
	}
	targets.StagesOf(ctx).Enter(scenarios.InLogin)
	at, err := locate(to)
	if err != nil {
		return err
	}
	s := &state{database: inDatabase(at.database)}
	l.State = s
	if at.concern != nil {
		s.write = elementsOf(document(bson.D{{Key: "writeConcern", Value: at.concern}}))
	}
	if at.level != "" {
		s.read = elementsOf(document(bson.D{{Key: "readConcern", Value: bson.D{{Key: "level", Value: at.level}}}}))
	}
	if at.prefer != "" && at.prefer != "primary" {
		s.prefer = elementsOf(document(bson.D{{Key: "$readPreference", Value: bson.D{{Key: "mode", Value: at.prefer}}}}))
	}
	about, err := converse(l, bson.D{{Key: "hello", Value: int32(1)}, {Key: "client", Value: bson.D{
		{Key: "application", Value: bson.D{{Key: "name", Value: "brunt"}}},
		{Key: "driver", Value: bson.D{{Key: "name", Value: "brunt"}, {Key: "version", Value: "1"}}},
		{Key: "os", Value: bson.D{{Key: "type", Value: "unknown"}}},
	}}}, "admin", "hello")
	if err != nil {
		return err
	}
	if err := at.takes(about); err != nil {
		return err
	}
	if at.user == "" {
		return nil
	}
	return prove(l, &at)
}

// takes returns why a server, by its answer to hello, is not one that the URL asks for; nil: it is one.
func (l *location) takes(about []byte) error {
	set := text(about, "setName")
	refuse := func(format string, args ...any) error {
		return &targets.Error{Cause: causes.Cause(notWritablePrimary), Text: fmt.Sprintf(format, args...)}
	}
	switch {
	case l.set != "" && set != l.set:
		return refuse("the server is in the replica set %q, and not in %q", set, l.set)
	case l.primary && number(about, "isWritablePrimary") != 1:
		return refuse("the server is not the primary")
	case l.prefer == "secondary" && number(about, "secondary") != 1:
		return refuse("the server is not a secondary")
	}
	return nil
}

// converse sends a command of the login and returns the answer.
func converse(l *calls.Line[frame], command bson.D, database, what string) ([]byte, error) {
	s := l.State.(*state)
	s.number++
	doc := document(append(command, bson.E{Key: "$db", Value: database}))
	if _, err := l.Write(appendMessage(nil, s.number, doc)); err != nil {
		return nil, err
	}
	f, err := read(l.Reader)
	switch {
	case err != nil:
		return nil, err
	case f.to != s.number:
		return nil, malformed("the answer to %s is one to request %d, and request %d is open", what, f.to, s.number)
	}
	return f.doc, refusalIn(f.doc).err(what)
}

// prove proves the user by SCRAM.
func prove(l *calls.Line[frame], at *location) error {
	var conversation bson.RawValue
	over := false
	send := func(said string) (string, error) {
		payload := bson.Binary{Data: []byte(said)}
		command := bson.D{{Key: "saslContinue", Value: int32(1)}, {Key: "conversationId", Value: conversation}}
		if conversation.IsZero() {
			command = bson.D{
				{Key: "saslStart", Value: int32(1)},
				{Key: "mechanism", Value: mechanism},
				{Key: "options", Value: bson.D{{Key: "skipEmptyExchange", Value: true}}},
			}
		}
		doc, err := converse(l, append(command, bson.E{Key: "payload", Value: payload}), at.source, "the login")
		if err != nil {
			return "", err
		}
		kind, value := field(doc, "conversationId")
		conversation = bson.RawValue{Type: bson.Type(kind), Value: value}
		over = number(doc, "done") == 1
		kind, value = field(doc, "payload")
		if kind != typeBinary || conversation.IsZero() {
			return "", malformed("an answer to the login has no payload or no conversationId")
		}
		return string(value[5:]), nil
	}
	if err := scram.Prove(sha256.New, at.user, at.password, send); err != nil {
		return err
	}
	if !over { // a server before version 4.4 wants another, empty exchange
		if _, err := send(""); err != nil {
			return err
		}
	}
	if !over {
		return errors.New("the login has no end")
	}
	return nil
}
