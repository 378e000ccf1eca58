package http

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http/h1"

	"github.com/ohler55/ojg/jp"
	"github.com/ohler55/ojg/oj"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// graphQLStep is the YAML of a request in GraphQL over HTTP.
type graphQLStep struct {
	// where the query is posted to: a path under the target's URL, or a whole URL
	URL   template.URL `yaml:"graphql"`
	Query *querySource `yaml:"query"` // of graphql: a query or a mutation, or {file: PATH}
	// of graphql: variables by name; a placeholder that is a whole value keeps its type
	Variables map[string]*template.JSON `yaml:"variables"`
	// of graphql: which operation of the query is run; zero is the only one
	Operation string `yaml:"operation"`
}

// querySource is a GraphQL document: a text, or a file.
type querySource struct {
	text *syntax.Node
	file *fileSource
}

func (q *querySource) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind == syntax.Map {
		q.file = new(fileSource)
		syntax.Decode(n, q.file, m)
		return
	}
	if _, ok := n.Text(m); ok {
		q.text = n
	}
}

// graphQL holds the fields of a call that are specific to GraphQL.
type graphQL struct {
	asked bool // the author's checks look at the errors
}

// compileGraphQL compiles a graphql step: a POST of a query.
func (c *Call) compileGraphQL(kind string, s *requestStep, in targets.Scope, m *syntax.Mistakes) {
	if kind != "graphql" {
		for _, key := range []string{"query", "variables", "operation"} {
			if s.Has(key) {
				m.Add(s.Of(key), "`%s` belongs to a graphql step", key)
			}
		}
		return
	}
	c.method, c.graphql, c.whole = "POST", new(graphQL), true
	if s.Check != nil {
		c.graphql.asked = slices.ContainsFunc(s.Check.Paths, func(k check.Field) bool {
			return strings.HasPrefix(k.Name, "$.errors") || strings.HasPrefix(k.Name, "$['errors']")
		})
	}
	if s.GraphQL.Query == nil {
		if !s.Has("query") {
			m.AddHint(s.Of("graphql"), `such as query: "query Feed { posts { id } }"`, "a graphql step has a query")
		}
		return
	}
	query, at := s.GraphQL.Query.read(in, m)
	if query == "" {
		return
	}
	doc := s.GraphQL.Query.parse(query, m)
	if doc == nil {
		return
	}
	name, err := operationOf(doc, s.GraphQL.Operation)
	if err != nil {
		if s.GraphQL.Operation != "" {
			at = s.Of("operation")
		}
		m.Add(at, "%v", err)
		return
	}
	if c.name == "" {
		c.name = name
	}
	body := new(template.Template)
	body.Join(`{"query":`+oj.JSON(query), new(template.Template))
	if s.Has("variables") {
		sep := `,"variables":{`
		for _, v := range slices.Sorted(maps.Keys(s.GraphQL.Variables)) {
			body.Join(sep+oj.JSON(v)+":", &s.GraphQL.Variables[v].Template)
			sep = ","
		}
		if len(s.GraphQL.Variables) > 0 {
			body.Join("}", new(template.Template))
		}
	}
	if name != "" {
		body.Join(`,"operationName":`+oj.JSON(name), new(template.Template))
	}
	body.Join("}", new(template.Template))
	c.body, c.bodyType = body, "application/json"
}

// read returns the document's text and its place.
func (q *querySource) read(in targets.Scope, m *syntax.Mistakes) (string, syntax.Pos) {
	if q.file != nil {
		if q.file.Type != "" {
			m.Add(q.file.Of("type"), "a query has no content type")
		}
		return string(q.file.read(in, m)), q.file.Of("file")
	}
	if q.text == nil { // noted already
		return "", syntax.Pos{}
	}
	if strings.TrimSpace(q.text.Value) == "" {
		m.Add(q.text.Pos, "the query is empty")
		return "", q.text.Pos
	}
	return q.text.Value, q.text.Pos
}

// parse parses the document, and returns nil after a mistake. It does not know the server's schema.
func (q *querySource) parse(query string, m *syntax.Mistakes) *ast.QueryDocument {
	// Without blank lines at the end, a missing bracket is missed where the text ends.
	doc, err := parser.ParseQuery(&ast.Source{Input: strings.TrimRight(query, " \t\r\n")})
	if err == nil {
		return doc
	}
	why, ok := errors.AsType[*gqlerror.Error](err)
	if !ok || len(why.Locations) == 0 {
		why = gqlerror.ErrorLocf("", 1, 1, "%v", err)
	}
	hint := ""
	if strings.HasSuffix(why.Message, "<EOF>") {
		hint = "a { or ( in it is not closed"
	}
	what := strings.ReplaceAll(why.Message, "<EOF>", "the end")
	if at := why.Locations[0]; q.file != nil {
		m.AddHint(q.file.Of("file"), hint, "%s:%s: this is not GraphQL: %s", q.file.File, at, what)
	} else if pos, found := m.PosIn(q.text, at.Line, at.Column); found {
		m.AddHint(pos, hint, "the query is not GraphQL: %s", what)
	} else {
		m.AddHint(pos, hint, "the query is not GraphQL: line %d, column %d: %s", at.Line, at.Column, what)
	}
	return nil
}

// operationOf returns the operation of a document with the name want. An empty name stands for the only operation,
// which may have no name.
func operationOf(doc *ast.QueryDocument, want string) (string, error) {
	var names []string
	for _, op := range doc.Operations {
		if op.Operation == ast.Subscription && (want == "" || op.Name == want) {
			return "", fmt.Errorf("a subscription is a stream; a graphql step asks once")
		}
		names = append(names, op.Name)
	}
	switch {
	case want != "" && slices.Contains(names, want):
		return want, nil
	case want != "":
		return "", fmt.Errorf("the query has no operation %q; %s", want, syntax.DidYouMean(want, names))
	case len(names) == 0:
		return "", fmt.Errorf("there is no operation in the query; one is written query Name { … } or mutation Name { … }")
	case len(names) > 1:
		return "", fmt.Errorf("the query has %d operations, %s; `operation` names one", len(names), strings.Join(names, ", "))
	}
	return names[0], nil
}

var (
	errorsPath = jp.MustParseString("$.errors")
	dataPath   = jp.MustParseString("$.data")
)

// failure returns why a GraphQL answer is an error: it contains errors, or it is not a GraphQL answer (GraphQL,
// section 7.1).
func (g *graphQL) failure(a *h1.Answer) (cause scenarios.Cause, why string) {
	found, has := check.First(a.JSON(errorsPath))
	if list, ok := found.([]any); has && ok && len(list) > 0 {
		if g.asked {
			return scenarios.NoCause, ""
		}
		return scenarios.GraphQLErrors, firstError(list)
	}
	if len(a.JSON(dataPath)) == 0 && !(has && g.asked) {
		return scenarios.Protocol, "the answer is not a GraphQL response: it holds neither data nor errors"
	}
	return scenarios.NoCause, ""
}

// firstError describes the first of an answer's errors.
func firstError(list []any) string {
	why := check.ValueText(list[0])
	if e, ok := list[0].(map[string]any); ok {
		if message, ok := e["message"].(string); ok {
			why = message
			if path, ok := e["path"].([]any); ok && len(path) > 0 {
				var at []string
				for _, p := range path {
					at = append(at, check.ValueText(p))
				}
				why += " (at " + strings.Join(at, ".") + ")"
			}
		}
	}
	if len(list) > 1 {
		why += fmt.Sprintf("; %d errors in all", len(list))
	}
	return why
}
