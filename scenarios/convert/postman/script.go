package postman

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/syntax"

	"github.com/grafana/sobek/ast"
	"github.com/grafana/sobek/file"
	"github.com/grafana/sobek/token"
)

// A script is a script of a request under conversion.
type script struct {
	c     *collection
	r     *draft.Request
	test  bool // it runs after the answer
	line  func(file.Idx) int
	paths map[string]string // JSON paths of the answer, by the variables of the script that hold them
}

// scripts converts the scripts of a request that listen to an event.
func (c *collection) scripts(events []*syntax.Node, listen string, r *draft.Request) {
	for _, e := range events {
		if c.d.Text(e, "listen") != listen {
			continue
		}
		n := draft.At(e, "script", "exec")
		if n == nil || c.d.Text(e, "disabled") == "true" {
			if n != nil {
				c.lose(r, draft.Line(n), "a script, which is disabled")
			}
			continue
		}
		var text strings.Builder
		lines := []int{0} // of the source, by the lines of the script
		for _, item := range n.OneOrMore() {
			for range strings.Count(item.Value, "\n") + 1 {
				lines = append(lines, item.Pos.Line)
			}
			text.WriteString(item.Value + "\n")
		}
		c.d.Skip(e)
		program, at, err := c.d.ParseScript(text.String(), false)
		if err != nil {
			c.lose(r, draft.Line(n), "a script that can't be read")
			continue
		}
		s := &script{c: c, r: r, test: listen == "test", paths: map[string]string{}, line: func(i file.Idx) int {
			return lines[min(max(at(i), 1), len(lines)-1)]
		}}
		s.statements(program.Body)
	}
}

// lose reports a part of a script, once for all requests that it is a part of.
func (c *collection) lose(r *draft.Request, line int, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if key := fmt.Sprint(line, what); !c.told[key] {
		c.told[key] = true
		c.d.LoseAt(&r.Above, line, "%s", what)
	}
}

// statements converts statements, and reports those that it can't convert.
func (s *script) statements(list []ast.Statement) {
	for _, one := range list {
		switch one := one.(type) {
		case *ast.ExpressionStatement:
			if s.expression(one.Expression) {
				continue
			}
		case *ast.VariableStatement:
			if s.declare(one.List) {
				continue
			}
		case *ast.LexicalDeclaration:
			if s.declare(one.List) {
				continue
			}
		case *ast.EmptyStatement:
			continue
		}
		s.lose(one, kindOf(one))
	}
}

// kindOf names a statement by the call that it is, without its values.
func kindOf(n ast.Statement) string {
	switch n := n.(type) {
	case *ast.ExpressionStatement:
		if c, ok := chainOf(n.Expression); ok {
			return draft.Clip(strings.Join(c.words, "."), 60) + "(…)"
		}
	case *ast.IfStatement:
		return "what depends on a condition"
	case *ast.ForStatement, *ast.ForInStatement, *ast.ForOfStatement, *ast.WhileStatement, *ast.DoWhileStatement:
		return "a loop"
	}
	return "a statement"
}

func (s *script) lose(n ast.Node, what string) {
	kind := "the script before the request"
	if s.test {
		kind = "the test"
	}
	s.c.lose(s.r, s.line(n.Idx0()), "%s of %s", what, kind)
}

// declare notes variables that hold the answer or a part of it, or a constant.
func (s *script) declare(list []*ast.Binding) bool {
	done := true
	for _, b := range list {
		id, ok := b.Target.(*ast.Identifier)
		path, found := s.path(b.Initializer)
		if !ok || !found {
			done = false
			continue
		}
		s.paths[id.Name.String()] = path
	}
	return done
}

// chain is a chain of calls and fields: pm.expect(x).to.eql(1) is [pm expect to eql] with the arguments of each call.
type chain struct {
	words []string
	args  map[int][]ast.Expression // by the index of the word that is called
}

// chainOf returns the chain of an expression. It reports false if the expression is another.
func chainOf(e ast.Expression) (c chain, ok bool) {
	switch e := e.(type) {
	case *ast.Identifier:
		return chain{[]string{e.Name.String()}, map[int][]ast.Expression{}}, true
	case *ast.DotExpression:
		if c, ok = chainOf(e.Left); ok {
			c.words = append(c.words, e.Identifier.Name.String())
		}
	case *ast.CallExpression:
		if c, ok = chainOf(e.Callee); ok {
			c.args[len(c.words)-1] = e.ArgumentList
		}
	}
	return c, ok
}

// is reports whether the chain begins with words.
func (c chain) is(words ...string) bool {
	return len(c.words) >= len(words) && slices.Equal(c.words[:len(words)], words)
}

// last returns the arguments of the last word, and whether it is called.
func (c chain) last() ([]ast.Expression, bool) {
	args, ok := c.args[len(c.words)-1]
	return args, ok
}

// path returns the JSON path that an expression reads from the answer.
func (s *script) path(e ast.Expression) (string, bool) {
	switch e := e.(type) {
	case *ast.Identifier:
		path, ok := s.paths[e.Name.String()]
		return path, ok
	case *ast.DotExpression:
		path, ok := s.path(e.Left)
		return path + "." + e.Identifier.Name.String(), ok && plain.MatchString(e.Identifier.Name.String())
	case *ast.BracketExpression:
		path, ok := s.path(e.Left)
		key, number, known := literal(e.Member)
		if number {
			return path + "[" + key + "]", ok
		}
		return path + "['" + key + "']", ok && known && !strings.ContainsAny(key, `'\`)
	case *ast.CallExpression:
		c, ok := chainOf(e)
		if ok && c.is("pm", "response", "json") && len(c.words) == 3 {
			return "$", true
		}
		if ok && c.is("JSON", "parse") && len(e.ArgumentList) == 1 {
			inner, _ := chainOf(e.ArgumentList[0])
			return "$", inner.is("responseBody") || inner.is("pm", "response", "text")
		}
	}
	return "", false
}

// plain matches keys that a JSON path names after a dot.
var plain = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// literal returns the value of a text, a number or a truth value.
func literal(e ast.Expression) (text string, number, ok bool) {
	switch e := e.(type) {
	case *ast.StringLiteral:
		return e.Value.String(), false, true
	case *ast.NumberLiteral:
		return fmt.Sprint(e.Value), true, true
	case *ast.BooleanLiteral:
		return strconv.FormatBool(e.Value), false, true
	case *ast.UnaryExpression:
		if v, number, ok := literal(e.Operand); ok && number && e.Operator == token.MINUS {
			return "-" + v, true, true
		}
	}
	return "", false, false
}

// setters begin the calls that set a variable of Postman.
var setters = [][]string{
	{"pm", "environment", "set"},
	{"pm", "collectionVariables", "set"},
	{"pm", "globals", "set"},
	{"pm", "variables", "set"},
	{"postman", "setEnvironmentVariable"},
	{"postman", "setGlobalVariable"},
}

// expression converts an expression, and reports whether it could.
func (s *script) expression(e ast.Expression) bool {
	if a, ok := e.(*ast.AssignExpression); ok {
		return s.oldTest(a)
	}
	c, ok := chainOf(e)
	if !ok {
		return false
	}
	args, called := c.last()
	switch {
	case !called && !c.is("pm", "response") && !c.is("pm", "expect"):
		return false
	case c.is("console"):
		return true // changes nothing
	case c.is("pm", "test") && len(c.words) == 2 && len(args) == 2:
		return s.function(args[1])
	case len(args) == 2 && slices.ContainsFunc(setters, func(w []string) bool { return slices.Equal(c.words, w) }):
		return s.set(args[0], args[1])
	case s.test && c.is("pm", "response"):
		return s.response(c)
	case s.test && c.is("pm", "expect") && len(c.args[1]) > 0:
		return s.expect(c.args[1][0], chain{c.words[2:], shifted(c.args, 2)})
	}
	return false
}

func shifted(args map[int][]ast.Expression, by int) map[int][]ast.Expression {
	out := map[int][]ast.Expression{}
	for i, a := range args {
		out[i-by] = a
	}
	return out
}

// function converts the body of a function, whose statements report themselves.
func (s *script) function(e ast.Expression) bool {
	switch f := e.(type) {
	case *ast.FunctionLiteral:
		s.statements(f.Body.List)
		return true
	case *ast.ArrowFunctionLiteral:
		switch body := f.Body.(type) {
		case *ast.BlockStatement:
			s.statements(body.List)
			return true
		case *ast.ExpressionBody:
			return s.expression(body.Expression)
		}
	}
	return false
}

// set makes an extraction of a value of the answer that a script keeps, or a value of a constant.
func (s *script) set(name, v ast.Expression) bool {
	key, _, ok := literal(name)
	if !ok {
		return false
	}
	if text, _, is := literal(v); is {
		s.c.values[key] = value{line: s.line(v.Idx0()), text: text, secret: draft.IsSecret(key)}
		delete(s.c.made, key)
		return true
	}
	finder, ok := s.path(v)
	if c, is := chainOf(v); !ok && is && c.is("pm", "response", "headers", "get") && len(c.words) == 4 {
		if args, _ := c.last(); len(args) == 1 {
			header, _, known := literal(args[0])
			finder, ok = "header "+header, known && header != ""
		}
	}
	if !ok || !s.test {
		return false
	}
	variable := key
	if !syntax.IsVariable(variable) {
		variable = strings.ReplaceAll(draft.Slug(key, "value"), "-", "_")
	}
	s.r.Extract.Set(variable, draft.Plain(finder))
	s.c.values[key] = value{set: draft.Ref("var." + variable)}
	return true
}

// oldTest converts tests["…"] = responseCode.code === 200.
func (s *script) oldTest(a *ast.AssignExpression) bool {
	left, ok := a.Left.(*ast.BracketExpression)
	right, is := a.Right.(*ast.BinaryExpression)
	if !ok || !is || !s.test {
		return false
	}
	tests, _ := chainOf(left.Left)
	code, _ := chainOf(right.Left)
	if !tests.is("tests") || !code.is("responseCode", "code") || right.Operator != token.STRICT_EQUAL &&
		right.Operator != token.EQUAL {
		return false
	}
	return s.status([]ast.Expression{right.Right})
}

// statuses are the assertions on a class of statuses.
var statuses = map[string]string{
	"ok": "2xx", "success": "2xx", "info": "1xx", "redirection": "3xx", "clientError": "4xx", "serverError": "5xx",
}

// response converts an assertion such as pm.response.to.have.status(200).
func (s *script) response(c chain) bool {
	if !c.is("pm", "response", "to") || slices.Contains(c.words, "not") {
		return false
	}
	args, called := c.last()
	switch word := c.words[len(c.words)-1]; {
	case word == "status" && called:
		return s.status(args)
	case statuses[word] != "":
		return s.check("status", draft.Plain(statuses[word]))
	case word == "header" && len(args) > 0:
		return s.header(args[0], args[1:])
	case word == "body" && len(args) == 1:
		if text, _, ok := literal(args[0]); ok {
			return s.check("body", draft.Plain("= "+text))
		}
	case word == "json" && !called:
		return s.check("$", draft.Plain("exists"))
	}
	return false
}

// check adds a condition. It reports false if there is one already.
func (s *script) check(key string, n *draft.Node) bool {
	if have := s.r.Check.Get(key); have != nil {
		return have.YAML == n.YAML && have.Items == nil
	}
	s.r.Check.Set(key, n)
	return true
}

// status checks the status, one or several.
func (s *script) status(args []ast.Expression) bool {
	list := draft.List()
	for _, a := range args {
		text, _, _ := literal(a)
		code, err := strconv.Atoi(text)
		if err != nil || code < 100 || code > 599 {
			return false
		}
		list.Items = append(list.Items, draft.Number(code))
	}
	if len(list.Items) == 1 {
		return s.check("status", list.Items[0])
	}
	return len(list.Items) > 0 && s.check("status", list)
}

// header checks that a header is there, or that it has a value.
func (s *script) header(name ast.Expression, want []ast.Expression) bool {
	key, _, ok := literal(name)
	if !ok || key == "" {
		return false
	}
	n := draft.Plain("exists")
	if len(want) > 0 {
		text, _, ok := literal(want[0])
		if !ok {
			return false
		}
		n = draft.Plain("= " + text)
	}
	return s.headerIs(key, n)
}

func (s *script) headerIs(key string, n *draft.Node) bool {
	all := s.r.Check.Get("header")
	if all == nil {
		all = new(draft.Node)
		s.r.Check.Set("header", all)
	}
	if all.Get(key) != nil {
		return false
	}
	all.Set(key, n)
	return true
}

// fillers are words of assertions that say nothing.
var fillers = []string{
	"to", "be", "been", "is", "that", "which", "and", "has", "have", "with", "at", "of", "same", "but", "does", "still",
	"deep",
}

// expect converts an assertion on a value, such as pm.expect(pm.response.code).to.eql(200).
func (s *script) expect(of ast.Expression, c chain) bool {
	args, _ := c.last()
	var words []string
	for _, w := range c.words {
		if !slices.Contains(fillers, w) {
			words = append(words, w)
		}
	}
	if c, ok := chainOf(of); ok {
		inner, _ := c.last()
		switch {
		case c.is("pm", "response", "code") && len(c.words) == 3:
			return s.expectStatus(words, args)
		case c.is("pm", "response", "responseTime") && len(c.words) == 3:
			return s.expectTime(words, args)
		case c.is("pm", "response", "text") || c.is("responseBody"):
			n, ok := matcher(words, args)
			return ok && s.check("body", n)
		case c.is("pm", "response", "headers", "get") && len(inner) == 1:
			n, ok := matcher(words, args)
			name, _, known := literal(inner[0])
			return ok && known && name != "" && s.headerIs(name, n)
		}
	}
	path, ok := s.path(of)
	if !ok {
		return false
	}
	if len(words) == 1 && words[0] == "property" && len(args) > 0 {
		key, number, ok := literal(args[0])
		if !ok || number || strings.ContainsAny(key, `'\.[`) {
			return false
		}
		if path += "." + key; !plain.MatchString(key) {
			path = strings.TrimSuffix(path, "."+key) + "['" + key + "']"
		}
		if words, args = []string{"exist"}, args[1:]; len(args) > 0 {
			words = []string{"eql"}
		}
	}
	n, ok := matcher(words, args)
	return ok && draft.IsKey(path) && s.check(path, n)
}

func (s *script) expectStatus(words []string, args []ast.Expression) bool {
	if len(words) != 1 {
		return false
	}
	switch words[0] {
	case "eql", "equal", "equals", "eq":
		return s.status(args)
	case "oneOf":
		if len(args) == 1 {
			if list, ok := args[0].(*ast.ArrayLiteral); ok {
				return s.status(list.Value)
			}
		}
	}
	return false
}

func (s *script) expectTime(words []string, args []ast.Expression) bool {
	if len(words) != 1 || len(args) != 1 ||
		!slices.Contains([]string{"below", "lessThan", "lt", "most", "lte", "lessThanOrEqual"}, words[0]) {
		return false
	}
	text, number, _ := literal(args[0])
	v, err := strconv.ParseFloat(text, 64)
	if !number || err != nil || v < 1 || v > 86_400_000 {
		return false
	}
	return s.check("within", draft.Raw(text+"ms"))
}

// comparisons maps assertions to the operators of a check.
var comparisons = map[string]string{
	"eql": "=", "equal": "=", "equals": "=", "eq": "=", "above": ">", "greaterThan": ">", "gt": ">", "below": "<",
	"lessThan": "<", "lt": "<", "least": ">=", "gte": ">=", "most": "<=", "lte": "<=",
}

// inclusions are the assertions that a text contains another.
var inclusions = []string{"include", "includes", "contain", "contains", "string"}

// matcher makes the right side of a check of an assertion.
func matcher(words []string, args []ast.Expression) (*draft.Node, bool) {
	text, number := "", false
	known := false
	if len(args) == 1 {
		text, number, known = literal(args[0])
	}
	switch {
	case slices.Equal(words, []string{"not", "empty"}):
		return draft.Plain("not empty"), true
	case slices.Equal(words, []string{"exist"}), slices.Equal(words, []string{"not", "undefined"}):
		return draft.Plain("exists"), true
	case slices.Equal(words, []string{"true"}), slices.Equal(words, []string{"false"}):
		return draft.Plain("= " + words[0]), true
	case !known || text != strings.TrimSpace(text) || strings.ContainsAny(text, "\n\r"):
		return nil, false
	case len(words) == 2 && words[0] == "not" && comparisons[words[1]] == "=" && text != "":
		return draft.Plain("!= " + text), true
	case len(words) != 1:
		return nil, false
	case comparisons[words[0]] == "=" && text != "":
		return draft.Plain("= " + text), true
	case comparisons[words[0]] != "" && number:
		return draft.Plain(comparisons[words[0]] + " " + text), true
	case text != "" && !number && slices.Contains(inclusions, words[0]):
		return draft.Plain("~ " + regexp.QuoteMeta(text)), true
	}
	return nil, false
}
