package mongo

import (
	"strings"

	"brunt/targets/calls"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// mostAnswer is the maximum size in bytes of the documents that a call finds.
const mostAnswer = 64 << 20

// run sends the command, and reads the answer.
func (k *kind) run(x *exchange) error {
	s := x.Line.State.(*state)
	doc, err := k.whole(x, s)
	if err != nil {
		return err
	}
	answer, ok, err := ask(x, s, doc)
	if err != nil || !ok {
		return err
	}
	x.Answer.Data, x.Answer.Decode = answer, toJSON
	if k.lists {
		err = k.list(x, s, answer)
	}
	x.Answer.First, x.Answer.End = x.Out.First, x.Out.End
	return err
}

// ask sends a command and waits for its answer; ok is false if the answer tells an error, which becomes that of the
// call.
func ask(x *exchange, s *state, doc []byte) (answer []byte, ok bool, err error) {
	s.number++
	if err := x.Send(appendMessage(nil, s.number, doc)); err != nil {
		return nil, false, err
	}
	for {
		f, at, err := x.Next(x.It.Deadline)
		if err != nil {
			return nil, false, err
		}
		if f.to != s.number { // it belongs to an earlier call
			continue
		}
		x.Came(at, f.len)
		r := refusalIn(f.doc)
		if r.code != 0 {
			x.Answer.Data, x.Answer.Decode = f.doc, toJSON
			x.Refuse(r.code, r.text)
			if moved(r.code) {
				x.Ended()
			}
		}
		return f.doc, r.code == 0, nil
	}
}

// list reads the documents of a cursor, and makes them the answer.
func (k *kind) list(x *exchange, s *state, answer []byte) error {
	var all []byte
	found := false
	batch := "firstBatch"
	for {
		cursor := nested(answer, "cursor")
		if cursor == nil || nested(cursor, batch) == nil {
			return malformed("the answer to %s has no cursor with documents", k.verb)
		}
		documents := nested(cursor, batch)
		all = append(all, documents...)
		found = found || len(documents) > 5 // an empty array has 5 bytes
		id := integer(cursor, "id")
		if id == 0 {
			break
		}
		if len(all) > mostAnswer {
			x.Ended()
			return malformed("the documents have more than %d MiB; `limit` bounds them", mostAnswer>>20)
		}
		database, name, _ := strings.Cut(text(cursor, "ns"), ".")
		more := document(bson.D{
			{Key: "getMore", Value: id}, {Key: "collection", Value: name}, {Key: "$db", Value: database},
		})
		var ok bool
		var err error
		if answer, ok, err = ask(x, s, more); err != nil || !ok {
			return err
		}
		batch = "nextBatch"
	}
	x.Answer.Data, x.Answer.Decode = all, listToJSON
	if !found {
		x.Status = calls.Absent
	}
	return nil
}
