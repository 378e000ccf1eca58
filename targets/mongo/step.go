package mongo

import (
	"net/url"
	"reflect"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
	"brunt/targets/mongo/codes"
)

// The kinds of steps.
const (
	kindCommand   = "mongo"
	kindFind      = "mongo.find"
	kindInsert    = "mongo.insert"
	kindUpdate    = "mongo.update"
	kindDelete    = "mongo.delete"
	kindAggregate = "mongo.aggregate"
)

// Descriptor describes MongoDB.
func Descriptor() *targets.Descriptor {
	d := &targets.Descriptor{
		Name: "mongo", Doc: "Finds, inserts, updates, deletes or aggregates documents of MongoDB, or sends another command.",
		Kinds:   []string{kindCommand, kindFind, kindInsert, kindUpdate, kindDelete, kindAggregate},
		Schemes: []string{scheme, schemeTLS}, PerUser: true, Causes: []scenarios.CauseFamily{causes},
		Wires: map[string]targets.Wire{
			scheme: {Formats: []string{"mongo"}, Port: 27017}, schemeTLS: {TLS: true},
		},
		Settings: reflect.TypeFor[step](),
		Compile:  compile,
		Absent:   calls.IsAbsent,
		Bind:     calls.Bind[frame],
		Retry:    func(_ scenarios.Call, out *scenarios.Outcome) bool { return temporary[out.Status] },
		OfUnit: func(endpoint *url.URL, addr string) string {
			u := *endpoint
			u.Host = addr
			query := u.Query()
			for _, name := range []string{"addr", "replicaSet", "readPreference"} {
				query.Del(name)
			}
			u.RawQuery = query.Encode()
			return u.String()
		},
	}
	d.Client = func(o targets.Options) (targets.Client, error) { return calls.NewClient(o, d, &protocol) }
	return d
}

// step is the YAML of a step.
type step struct {
	syntax.Place
	// a command of the database, as db.runCommand of mongosh takes it: {ping: 1}. Its first key is its name. Values are
	// extended JSON: {$oid: …}, {$date: …}. The answer is the server's. An answer that tells an error of the command, of a
	// write or of its write concern is an error
	Command command `yaml:"mongo"`
	// finds documents of this collection, by further commands until all have come; the answer is their list
	Find collection `yaml:"mongo.find"`
	// inserts into this collection the document of `document`, or those of `documents`
	Insert collection `yaml:"mongo.insert"`
	// changes the first document of this collection that `filter` matches, or with `many` all, by `update`; $.n of the
	// answer says how many match, and $.nModified how many were changed
	Update collection `yaml:"mongo.update"`
	// deletes the first document of this collection that `filter` matches, or with `many` all; $.n of the answer says
	// how many
	Delete collection `yaml:"mongo.delete"`
	// runs the stages of `pipeline` on this collection; the answer is the list of all documents that come out
	Aggregate collection `yaml:"mongo.aggregate"`

	Database template.Text `yaml:"database"` // default: that in the endpoint's URL, or test
	// of mongo.find, mongo.update and mongo.delete: which documents, such as {_id: 7}; default: all
	Filter     *template.JSON `yaml:"filter"`
	Projection *template.JSON `yaml:"projection"`  // of mongo.find: the fields that are wanted, such as {total: 1}
	Sort       *template.JSON `yaml:"sort"`        // of mongo.find: the order, such as {total: -1}
	Skip       int            `yaml:"skip,min=0"`  // of mongo.find: how many documents are left out at the beginning
	Limit      int            `yaml:"limit,min=1"` // of mongo.find: how many documents are wanted at most; default: all
	// of mongo.insert: the document; the server gives it an _id if it has none
	Document  *template.JSON `yaml:"document"`
	Documents *template.JSON `yaml:"documents"` // of mongo.insert: a list of documents
	// of mongo.insert: the documents after one that is refused are left out; default: on
	Ordered *bool `yaml:"ordered"`
	// of mongo.update: what changes, such as {$set: {paid: true}}; a document without operators replaces the one that is
	// found, and a list is a pipeline
	Change *template.JSON `yaml:"update"`
	Upsert bool           `yaml:"upsert"` // of mongo.update: inserts a document if none matches
	Many   bool           `yaml:"many"`   // of mongo.update and mongo.delete: all that match, in place of the first
	// of mongo.aggregate: the list of stages, such as [{$match: {paid: true}}, {$count: n}]
	Pipeline *template.JSON `yaml:"pipeline"`
	// what a read may return; default: readConcernLevel in the endpoint's URL, or the server's own
	ReadConcern string `yaml:"read_concern,oneof=local|available|majority|linearizable|snapshot"`
	// how many members have a write when it is acknowledged, such as {w: majority, j: true, wtimeout: 500}; default: w,
	// journal and wtimeoutMS in the endpoint's URL, or the server's own
	WriteConcern *template.JSON `yaml:"write_concern"`

	calls.Answers `yaml:",inline"`
}

type call = calls.Call[frame]

// belongs says which kinds of steps a key belongs to.
var belongs = map[string][]string{
	"filter":        {kindFind, kindUpdate, kindDelete},
	"projection":    {kindFind},
	"sort":          {kindFind},
	"skip":          {kindFind},
	"limit":         {kindFind},
	"document":      {kindInsert},
	"documents":     {kindInsert},
	"ordered":       {kindInsert},
	"update":        {kindUpdate},
	"upsert":        {kindUpdate},
	"many":          {kindUpdate, kindDelete},
	"pipeline":      {kindAggregate},
	"read_concern":  {kindFind, kindAggregate},
	"write_concern": {kindInsert, kindUpdate, kindDelete, kindAggregate},
}

// command is the YAML of a command.
type command struct {
	template.JSON
	name string // its first key; empty: it has no key
}

func (c *command) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind != syntax.Map || len(n.Fields) == 0 {
		m.AddHint(n.Pos, "such as mongo: {ping: 1}", "a command is a map, whose first key is its name")
		return
	}
	c.name = n.Fields[0].Key
	for _, f := range n.Fields {
		if f.Key == "$db" {
			m.AddHint(f.Pos, "such as database: shop", "`database` of the step names the database")
		}
	}
	c.JSON.DecodeNode(n, m)
}

// collection is the name of a collection.
type collection struct {
	name   template.Text
	quoted template.JSON // as JSON
}

func (c *collection) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	c.name.DecodeNode(n, m)
	c.quoted.DecodeNode(n, m)
}

func (c *collection) Schema() syntax.Schema { return c.name.Schema() }

// check notes a mistake in the name.
func (c *collection) check(kind string, m *syntax.Mistakes) {
	text, static := c.name.Static()
	if static && (text == "" || strings.ContainsAny(text, "$\x00") || strings.HasPrefix(text, "system.")) {
		m.AddHint(c.name.At, "such as "+kind+": orders", "%q is not the name of a collection", syntax.Clip(text, 60))
	}
}

// compile compiles a step.
func compile(block syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	s, ok := syntax.Resolve(block, map[string]func() *step{block.Kind: func() *step { return new(step) }}, m)
	if !ok {
		return nil, false
	}
	before := m.Len()
	calls.Refuse(&s.Place, block.Kind, belongs, m)
	k := newKind(block.Kind, s, m)
	c := &call{Compose: k.compose, Run: k.run, Command: k.sent}
	c.Is.URL = k.shown()
	c.Is.Repeats = k.lists && !k.stores
	c.Is.Refs = slices.Concat(k.command.Refs(), s.Database.Refs())
	c.Compile(&calls.Settings{Answers: s.Answers}, block, in, m, codes.Parse, "11000 or DuplicateKey")
	calls.CheckEndpoint(in, func(u *url.URL) ([]string, error) {
		l, err := locate(u)
		return l.addresses, err
	}, such, m)
	return c, m.Len() == before
}

// sent returns a command for mongosh and a POSIX shell.
func (*kind) sent(s *result.Sent) string {
	if s.Cut > 0 || s.Base64 {
		return ""
	}
	word := func(text string) string { return result.ShellWord(text, "SECRET", false) }
	return "mongosh " + word(s.URL) + " --quiet --eval " + word("db.runCommand(EJSON.deserialize("+s.Body+"))")
}
