package http_test

import (
	"encoding/json"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/targetstest"
)

// The request contains the query, the variables with their types, and the operation's name.
func TestGraphQL_Request(t *testing.T) {
	var got map[string]any
	var head nethttp.Header
	s := httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		b, _ := io.ReadAll(r.Body)
		got, head = nil, r.Header
		if err := json.Unmarshal(b, &got); err != nil || r.Method != "POST" || r.URL.Path != "/graphql" {
			nethttp.Error(w, "bad", nethttp.StatusBadRequest)
			return
		}
		_, _ = io.WriteString(w, `{"data": {"post": {"id": 7, "tags": ["a"]}}}`)
	}))
	t.Cleanup(s.Close)
	const two = "query A { a } mutation B($x: Int) { b(x: $x) }"
	for _, c := range []struct {
		name, step, called string
		want               map[string]any
	}{
		{"one operation", `{graphql: /graphql, query: "query Post($id: ID!) { post(id: $id) { id } }", variables: {id: "${int(7,7)}", s: "n ${int(8,8)}", ` +
			`deep: {list: ["${int(9,9)}", null, true]}}, extract: {id: "$.data.post.id"}}`, "Post", map[string]any{
			"query": "query Post($id: ID!) { post(id: $id) { id } }", "operationName": "Post",
			"variables": map[string]any{"id": 7., "s": "n 8", "deep": map[string]any{"list": []any{9., nil, true}}},
		}},
		{
			"one without a name", `{graphql: /graphql, query: "{ post { id } }"}`, "POST /graphql",
			map[string]any{"query": "{ post { id } }"},
		},
		{
			"one of two", `{graphql: /graphql, query: "` + two + `", operation: B}`, "B",
			map[string]any{"query": two, "operationName": "B"},
		},
		{
			"with a name of its own", `{graphql: /graphql, query: "query A { a }", name: first}`, "first",
			map[string]any{"query": "query A { a }", "operationName": "A"},
		},
		{
			"from a file", `{graphql: /graphql, query: {file: "` + written(t, "q.graphql",
				[]byte("# a comment { query X }\nfragment F on P { id }\nquery FromFile {\n  a(s: \"query B {\") { ...F }\n}\n")) +
				`"}}`, "FromFile",
			map[string]any{
				"query": "# a comment { query X }\nfragment F on P { id }\nquery FromFile {\n  a(s: \"query B {\") { " +
					"...F }\n}\n",
				"operationName": "FromFile",
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newFixture(t, targets.Options{Base: s.URL}, c.step)
			u := r.user(0)
			r.want(u.Do(0, long), "ok 200")
			if r.Calls[0].Name() != c.called {
				t.Errorf("the step is called %q, want %q", r.Calls[0].Name(), c.called)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			if head.Get("Content-Type") != "application/json" {
				t.Errorf("%v", head)
			}
			if c.name == "one operation" && u.Var("id") != ":7" {
				t.Errorf("extracted %s", u.Var("id"))
			}
		})
	}
}

// Errors in a 200 fail the request, with their own cause and the first message in the sample.
func TestGraphQL_Errors(t *testing.T) {
	for _, c := range []struct{ name, step, answer, want, message string }{
		{
			"errors", ``, `{"errors": [{"message": "no such field", "path": ["post", 0, "id"]}, {"message": "b"}]}`,
			"graphql errors",
			"no such field (at post.0.id); 2 errors in all",
		},
		{"errors beside data", ``, `{"data": {"a": 1}, "errors": [{"message": "half"}]}`, "graphql errors", "half"},
		{"odd errors", ``, `{"errors": ["text"]}`, "graphql errors", "text"},
		{
			"errors before checks", `, check: {"$.data.a": 1}`, `{"data": null, "errors": [{"message": "why"}]}`,
			"graphql errors", "why",
		},
		{"no errors", ``, `{"data": {"a": 1}, "errors": []}`, "ok 200", ""},
		{"errors of null", ``, `{"data": {"a": 1}, "errors": null}`, "ok 200", ""},
		{"data of null", ``, `{"data": null}`, "ok 200", ""},
		{"a page", ``, `<html>`, "protocol", "it holds neither data nor errors"},
		{"other JSON", ``, `{"ok": true}`, "protocol", "it holds neither data nor errors"},
		{
			"errors that the author checks", `, check: {"$.errors[0].message": gone}`, `{"errors": [{"message": "gone"}]}`,
			"ok 200", "",
		},
		{"a check", `, check: {"$.data.a": 2}`, `{"data": {"a": 1}}`, "check $.data.a", "$.data.a was"},
		{"an extraction", `, extract: {x: "$.data.b"}`, `{"data": {"a": 1}}`, "extract x", "nothing stands at"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &samples{}
			url := script(t, each(func(string) string {
				return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + lengthOf(c.answer) + "\r\n\r\n" +
					c.answer
			}))
			r := newFixture(t, targets.Options{Base: url, Sampler: k}, `{graphql: /, query: "{ a }"`+c.step+`}`)
			o := r.user(0).Do(0, long)
			r.want(o, c.want)
			if got := k.last().Message; !strings.Contains(got, c.message) || c.message == "" && got != "" {
				t.Errorf("the sample says %q, want %q", got, c.message)
			}
			if strings.HasPrefix(c.want, "graphql") && (o.Failed != 1 || o.Checks != 2) {
				t.Errorf("%+v", o)
			}
		})
	}
	t.Run("a status", func(t *testing.T) {
		k := &samples{}
		const answer = `{"errors": [{"message": "Cannot query field"}]}`
		url := script(t, each(func(string) string {
			return "HTTP/1.1 400 Bad\r\nContent-Length: " + lengthOf(answer) + "\r\n\r\n" + answer
		}))
		r := newFixture(t, targets.Options{Base: url, Sampler: k}, `{graphql: /, query: "{ a }"}`)
		r.want(r.user(0).Do(0, long), "status 400")
		if got := k.last().Message; got != "Cannot query field" {
			t.Errorf("the sample says %q", got)
		}
	})
}

func TestGraphQL_Mistakes(t *testing.T) {
	for _, c := range []struct{ name, step, want string }{
		{"no query", `{graphql: /}`, "a graphql step has a query"},
		{"an empty query", `{graphql: /, query: " "}`, "the query is empty"},
		{"no operation", `{graphql: /, query: "fragment F on P { id }"}`, "there is no operation in the query"},
		{
			"two operations", `{graphql: /, query: "query A { a } query B { b }"}`,
			"the query has 2 operations, A, B; `operation` names one",
		},
		{
			"another operation", `{graphql: /, query: "query Feed { a } query B { b }", operation: Fed}`,
			`the query has no operation "Fed"; did you mean "Feed"?`,
		},
		{
			"an open brace", `{graphql: /, query: "query A { a { id }"}`,
			`the query is not GraphQL: Expected Name, found the end; a { or ( in it is not closed`,
		},
		{"an open brace, its place", `{graphql: /, query: "query A { a"}`, `:10:41: the query is not GraphQL`},
		{
			"one brace too many in a block", "graphql: /\nquery: |\n  query A {\n    a(s: \"é\") } }\n",
			`:13:25: the query is not GraphQL: Unexpected }`,
		},
		{
			"an escape", `{graphql: /, query: "query A {\n a }}"}`,
			`:10:29: the query is not GraphQL: line 2, column 5: Unexpected }`,
		},
		{
			"a mistake in a file", `{graphql: /, query: {file: "` + written(t, "open.graphql", []byte("query A {\n  a(\n}\n")) + `"}}`,
			`open.graphql:3:1: this is not GraphQL: `,
		},
		{"a subscription", `{graphql: /, query: "subscription S { a }"}`, "a subscription is a stream"},
		{
			"a value of a request", `{graphql: /, query: "query A { a(id: ${data.users.id}) }"}`,
			"is known only while requests are made",
		},
		{"a body", `{graphql: /, query: "{ a }", json: {a: 1}}`, "a graphql step sends only its query and its variables"},
		{"a file that is none", `{graphql: /, query: {file: /nowhere/q.graphql}}`, "file: "},
		{"variables of a get", `{get: /, variables: {a: 1}}`, "`variables` belongs to a graphql step"},
		{"misspelt", `{graphql: /, query: "{ a }", variabels: {a: 1}}`, `did you mean "variables"?`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := targetstest.Try(http.Descriptor(), "data: {users: {inline: [{id: 1}]}}", c.step); err == nil ||
				!strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func lengthOf(s string) string { return strconv.Itoa(len(s)) }
