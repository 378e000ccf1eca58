package mongo

import (
	"regexp"
	"strconv"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
)

type exchange = calls.Exchange[frame]

// kind is how a step is made.
type kind struct {
	name     string // such as mongo.find
	verb     string // of the command
	database *template.Text

	collection *template.Text
	command    template.Template // the command as extended JSON, without database
	text       []byte            // the same, if it has no placeholders, and as BSON
	doc        []byte

	writes, reads bool // the command takes the write concern, the read concern of the URL
	lists         bool // its answer has a cursor, whose documents are the answer
	stores        bool // it writes what it finds
}

// storing matches the stages of a pipeline that write.
var storing = regexp.MustCompile(`\$(out|merge)\b`)

// newKind compiles the command of a step.
func newKind(name string, s *step, m *syntax.Mistakes) *kind {
	k := &kind{name: name, database: &s.Database}
	w := &writer{t: &k.command}
	want := func(key string, t *template.JSON, hint string) {
		if t == nil {
			m.AddHint(s.Of(name), hint, "%s wants `%s`", name, key)
		}
	}
	filter := `{}`
	in := map[string]*collection{
		kindFind: &s.Find, kindInsert: &s.Insert, kindUpdate: &s.Update, kindDelete: &s.Delete, kindAggregate: &s.Aggregate,
	}[name]
	if in != nil {
		k.collection = &in.name
		in.check(name, m)
	}
	switch name {
	case kindCommand:
		k.verb = s.Command.name
		k.command.Join("", &s.Command.Template)
		return k.fix(s.Command.At, m)
	case kindFind:
		k.verb, k.lists, k.reads = "find", true, true
		w.begin(k.verb, in)
		w.field("filter", s.Filter, filter)
		w.field("projection", s.Projection, "")
		w.field("sort", s.Sort, "")
		w.number("skip", s.Skip)
		w.number("limit", s.Limit)
	case kindInsert:
		k.verb, k.writes = "insert", true
		w.begin(k.verb, in)
		switch {
		case s.Document != nil && s.Documents != nil:
			m.Add(s.Of("documents"), "mongo.insert wants one of `document` and `documents`, not both")
		case s.Documents != nil:
			w.field("documents", s.Documents, "")
		default:
			want("document", s.Document, "such as document: {total: 12}")
			w.raw(`,"documents":[`)
			w.value(s.Document, "{}")
			w.raw(`]`)
		}
		w.flag("ordered", s.Ordered == nil || *s.Ordered)
	case kindUpdate:
		k.verb, k.writes = "update", true
		want("update", s.Change, "such as update: {$set: {paid: true}}")
		w.begin(k.verb, in)
		w.raw(`,"updates":[{"q":`)
		w.value(s.Filter, filter)
		w.field("u", s.Change, filter)
		w.flag("multi", s.Many)
		w.flag("upsert", s.Upsert)
		w.raw(`}]`)
	case kindDelete:
		k.verb, k.writes = "delete", true
		w.begin(k.verb, in)
		w.raw(`,"deletes":[{"q":`)
		w.value(s.Filter, filter)
		if s.Many {
			w.raw(`,"limit":0}]`)
		} else {
			w.raw(`,"limit":1}]`)
		}
	case kindAggregate:
		k.verb, k.lists, k.reads = "aggregate", true, true
		k.stores = s.Pipeline != nil && storing.MatchString(s.Pipeline.Text())
		want("pipeline", s.Pipeline, "such as pipeline: [{$match: {paid: true}}, {$count: n}]")
		w.begin(k.verb, in)
		w.field("pipeline", s.Pipeline, "[]")
		w.raw(`,"cursor":{}`)
	}
	if s.ReadConcern != "" {
		k.reads = false
		w.raw(`,"readConcern":{"level":"` + s.ReadConcern + `"}`)
	}
	if s.WriteConcern != nil {
		k.writes = false
		w.field("writeConcern", s.WriteConcern, "")
	}
	w.raw(`}`)
	return k.fix(s.Of(name), m)
}

// fix converts a command without placeholders.
func (k *kind) fix(at syntax.Pos, m *syntax.Mistakes) *kind {
	text, static := k.command.Static()
	if !static || m.Len() > 0 {
		return k
	}
	var err error
	if k.doc, err = fromJSON([]byte(text)); err != nil {
		m.AddHint(at, `values of types that JSON lacks are written as {$oid: …}, {$date: "2026-01-31T12:00:00Z"}, {$numberDecimal: "1.5"}`,
			"the command is no extended JSON: %v", err)
	}
	k.text = []byte(text)
	return k
}

// shown describes where the command goes.
func (k *kind) shown() string {
	if k.name == kindCommand {
		return k.verb
	}
	return k.collection.Text()
}

// compose renders the command. The buffer has it as BSON.
func (k *kind) compose(x *exchange) (err error) {
	if x.Sent, x.Buffer = k.text, append(x.Buffer, k.doc...); k.doc == nil {
		if x.Sent, err = k.command.Append(nil, x.It); err != nil {
			return err
		}
		if x.Buffer, err = fromJSON(x.Sent); err != nil {
			return &targets.Error{
				Cause: scenarios.Other, Text: "the command is no extended JSON: " + err.Error(), Final: true,
			}
		}
	}
	if x.Text = k.verb; k.name != kindCommand {
		x.Text = text(x.Buffer, k.verb)
	}
	return nil
}

// whole returns the command with what the connection knows of it: the database and the concerns of the URL.
func (k *kind) whole(x *exchange, s *state) ([]byte, error) {
	database, err := k.database.Append(nil, x.It)
	if err != nil {
		return nil, err
	}
	in := s.database
	if len(database) > 0 {
		in = inDatabase(string(database))
	}
	more := [][]byte{in, s.prefer}
	if k.writes {
		more = append(more, s.write)
	}
	if k.reads {
		more = append(more, s.read)
	}
	return withElements(x.Buffer, more...), nil
}

// writer writes the template of a command.
type writer struct{ t *template.Template }

func (w *writer) raw(text string) { w.t.Join(text, &template.Template{}) }

// begin writes the name of the command and the collection.
func (w *writer) begin(verb string, in *collection) {
	w.raw(`{"` + verb + `":`)
	w.t.Join("", &in.quoted.Template)
}

// value writes a value, or what stands for one that is not given.
func (w *writer) value(v *template.JSON, otherwise string) {
	if v == nil {
		w.raw(otherwise)
		return
	}
	w.t.Join("", &v.Template)
}

// field writes a field, or none if there is no value and nothing that stands for it.
func (w *writer) field(name string, v *template.JSON, otherwise string) {
	if v == nil && otherwise == "" {
		return
	}
	w.raw(`,"` + name + `":`)
	w.value(v, otherwise)
}

// number writes a field with a number, unless that is 0.
func (w *writer) number(name string, n int) {
	if n > 0 {
		w.raw(`,"` + name + `":` + strconv.Itoa(n))
	}
}

func (w *writer) flag(name string, on bool) { w.raw(`,"` + name + `":` + strconv.FormatBool(on)) }
