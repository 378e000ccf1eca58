// Package disruptor converts calls of xk6-disruptor in a k6 script into scenarios.
package disruptor

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios/convert/draft"

	"github.com/grafana/sobek/ast"
	"github.com/grafana/sobek/file"
	"github.com/grafana/sobek/token"
)

// Converter returns the converter for scripts with xk6-disruptor.
func Converter() draft.Converter {
	return draft.Converter{
		Name: "disruptor", Source: "a k6 script with calls of xk6-disruptor", Convert: convert, Faults: true,
		Doc: "the script as the load, and a fault for each call, on the pods of its selector, or on the requests of the load",
	}
}

// A script is a k6 script under conversion, with the values of its variables by name.
type script struct {
	d         *draft.Builder
	values    draft.Variables
	functions []function
	literals  []function      // with those without a name
	passed    []file.Idx      // where literals begin that are called at once, or passed to a call
	injects   map[string]bool // functions that call a disruptor, or a function that does
	acts      map[string]bool // functions that inject, pause or throw, or call one that does
	runs      int             // of functions
	choices   []choice
	exits     []exit
}

// A function is one with a name.
type function struct {
	name     string
	from, to file.Idx
}

// mostRuns is the limit on the runs of functions that inject.
const mostRuns = 100

// A choice is a part of a script that chooses whether its calls are made, or how often.
type choice struct {
	from, to     file.Idx
	what         string // it is
	fault, pause string // what becomes of a fault or a pause in it; empty once that is reported
	line         int
	loop         bool
	breaks       bool // a break ends it
}

// An exit is a statement that ends a function or a loop, such as a guard's return.
type exit struct {
	from, to file.Idx
	what     string
	line     int
	throws   bool // it ends the callers of its function as well
	branches bool // it ends a loop or a turn of it, or a switch
}

// exitOf returns the exit that a node is, with its place. It is nil for others.
func exitOf(n any) (part ast.Node, e exit) {
	switch n := n.(type) {
	case *ast.ReturnStatement:
		return n, exit{what: "a return"}
	case *ast.BranchStatement:
		return n, exit{what: "a " + n.Token.String(), branches: true}
	case *ast.ThrowStatement:
		return n, exit{what: "a throw", throws: true}
	case *ast.CallExpression:
		if id, ok := n.Callee.(*ast.Identifier); ok && id.Name == "fail" {
			return n, exit{what: "a call of fail", throws: true}
		}
		if dot, ok := n.Callee.(*ast.DotExpression); ok && dot.Identifier.Name == "abort" {
			return n, exit{what: "a call of abort", throws: true}
		}
	}
	return nil, exit{}
}

// convert reads a script. k6 runs the load of the script.
func convert(d *draft.Builder, source []byte) error {
	program, line, err := d.ParseScript(string(source), true)
	if err != nil {
		return err
	}
	s := &script{d: d, injects: map[string]bool{}, acts: map[string]bool{}}
	var calls []*ast.CallExpression
	var byDefault []function
	var used []*ast.DotExpression // methods of a disruptor
	s.values = draft.VariablesOf(program, func(n any) {
		switch n := n.(type) {
		case *ast.ExportDeclaration:
			if n.IsDefault && n.HoistableDeclaration != nil {
				f := n.HoistableDeclaration.FunctionDeclaration.Function
				byDefault = append(byDefault, function{"default", f.Idx0(), f.Idx1()})
			} else if f, ok := n.AssignExpression.(*ast.ArrowFunctionLiteral); ok {
				byDefault = append(byDefault, function{"default", f.Idx0(), f.Idx1()})
			}
		case *ast.ArrowFunctionLiteral:
			s.literals = append(s.literals, function{"", n.Idx0(), n.Idx1()})
		case *ast.FunctionLiteral:
			s.literals = append(s.literals, function{"", n.Idx0(), n.Idx1()})
			if n.Name != nil {
				s.functions = append(s.functions, function{n.Name.Name.String(), n.Idx0(), n.Idx1()})
			}
		case *ast.Binding:
			id, _ := n.Target.(*ast.Identifier)
			switch f := n.Initializer.(type) {
			case *ast.FunctionLiteral, *ast.ArrowFunctionLiteral:
				if id != nil {
					s.functions = append(s.functions, function{id.Name.String(), f.Idx0(), f.Idx1()})
				}
			}
		case *ast.CallExpression:
			calls = append(calls, n)
			for _, e := range append([]ast.Expression{n.Callee}, n.ArgumentList...) {
				s.passed = append(s.passed, e.Idx0())
			}
		case *ast.NewExpression:
			s.options(n, line(n.Idx0()))
		case *ast.DotExpression:
			if slices.Contains(methods, n.Identifier.Name.String()) {
				used = append(used, n)
			}
		}
		if part, from, c := choiceOf(n); part != nil {
			c.from, c.to, c.line = from, part.Idx1(), line(from)
			s.choices = append(s.choices, c)
		}
		if part, e := exitOf(n); part != nil {
			e.from, e.to, e.line = part.Idx0(), part.Idx1(), line(part.Idx0())
			s.exits = append(s.exits, e)
		}
	})
	s.functions = append(s.functions, byDefault...) // exec names it by this name
	s.schedule(calls, line)
	for _, dot := range used {
		if !slices.ContainsFunc(calls, func(c *ast.CallExpression) bool { return methodOf(c) == dot }) {
			d.Lost(line(dot.Identifier.Idx), "%s, which is not called by its name", dot.Identifier.Name)
		}
	}
	if d.Chaos.Fields != nil {
		d.ScriptHosts(source)
		d.ScriptOptions(s.values, line)
		s.load(program, line)
	}
	return nil
}

// choiceOf returns a part of a script that is a choice, where it begins, and what becomes of it. It is nil for others.
func choiceOf(n any) (part ast.Node, from file.Idx, c choice) {
	condition := choice{
		what: "a condition", fault: "the faults of each branch are injected", pause: "the pauses of each branch are kept",
	}
	loop := choice{
		what: "a loop", fault: "its faults are injected once", pause: "its pauses come once", loop: true, breaks: true,
	}
	switch n := n.(type) {
	case *ast.IfStatement: // the parser does not say where its `if` is
		return n, n.Test.Idx0(), condition
	case *ast.SwitchStatement:
		part, c = n, condition
		c.breaks = true
	case *ast.ConditionalExpression:
		part, c = n, condition
	case *ast.CatchStatement:
		part, c = n, choice{
			what: "a catch", fault: "its faults are injected, with or without an error", pause: "its pauses are kept",
		}
	case *ast.ForStatement, *ast.ForInStatement, *ast.ForOfStatement, *ast.WhileStatement, *ast.DoWhileStatement:
		part, c = n.(ast.Node), loop
	case *ast.BinaryExpression:
		if n.Operator == token.LOGICAL_AND || n.Operator == token.LOGICAL_OR || n.Operator == token.COALESCE {
			return n.Right, n.Right.Idx0(), condition
		}
	case *ast.CallExpression:
		if dot, ok := n.Callee.(*ast.DotExpression); ok && slices.Contains(loops, dot.Identifier.Name.String()) {
			return n, n.LeftParenthesis, loop
		}
	}
	if part == nil {
		return nil, 0, c
	}
	return part, part.Idx0(), c
}

// methodOf returns the method that a call is of. It is nil for a call of a function.
func methodOf(c *ast.CallExpression) *ast.DotExpression {
	switch callee := bare(c.Callee).(type) {
	case *ast.DotExpression:
		return callee
	case *ast.BracketExpression:
		if name, ok := callee.Member.(*ast.StringLiteral); ok {
			return &ast.DotExpression{Left: callee.Left, Identifier: ast.Identifier{Name: name.Value, Idx: name.Idx}}
		}
	}
	return nil
}

// bare returns an expression without the ?. or the await around it.
func bare(e ast.Expression) ast.Expression {
	switch of := e.(type) {
	case *ast.Optional:
		return bare(of.Expression)
	case *ast.OptionalChain:
		return bare(of.Expression)
	case *ast.AwaitExpression:
		return bare(of.Argument)
	}
	return e
}

// loops are the methods of a list that call a function for each value.
var loops = []string{"forEach", "map"}

// options reports the options of a disruptor.
func (s *script) options(made *ast.NewExpression, line int) {
	name := kindOf(made)
	own := map[string]int{"PodDisruptor": 1, "ServiceDisruptor": 2}[name] // arguments before the options
	if own == 0 || len(made.ArgumentList) <= own {
		return
	}
	options, whole := s.values.Fields(made.ArgumentList[own])
	if !whole {
		s.d.Lost(line, "the options of %s", name)
	}
	for _, key := range draft.SortedKeys(options) {
		s.d.Lost(line, "%s of %s", strings.TrimSpace(key+" "+draft.Harmless(key, s.values.Text(options[key]))), name)
	}
}

// kindOf returns the class of an object, such as PodDisruptor.
func kindOf(made *ast.NewExpression) string {
	switch class := made.Callee.(type) {
	case *ast.Identifier:
		return class.Name.String()
	case *ast.DotExpression: // of the module
		return class.Identifier.Name.String()
	}
	return ""
}

// scenarios returns the settings of the script's scenarios by name.
func (s *script) scenarios() map[string]ast.Expression {
	all, _ := s.values.Fields(s.values["options"])
	runs, _ := s.values.Fields(all["scenarios"])
	return runs
}

// exec returns the function that a scenario runs.
func (s *script) exec(scenario ast.Expression) string {
	settings, _ := s.values.Fields(scenario)
	return cmp.Or(s.values.Text(settings["exec"]), "default")
}

// schedule converts the calls of disruptors: those of each function at the time at which a scenario runs it, side by
// side with those of the others.
func (s *script) schedule(calls []*ast.CallExpression, line func(file.Idx) int) {
	byRun := map[string][]string{} // scenarios, by the function that they run
	runs := s.scenarios()
	for _, name := range draft.SortedKeys(runs) {
		exec := s.exec(runs[name])
		byRun[exec] = append(byRun[exec], name)
	}
	names := s.find(calls)
	byFunction, places := map[string][]func(){}, map[string][]file.Idx{}
	reached, running := map[string]bool{}, map[string]bool{}
	run := func(name string) {
		s.runs++
		reached[name], running[name] = true, true
		s.leave(name, places[name])
		for _, do := range byFunction[name] {
			do()
		}
		running[name] = false
	}
	for _, c := range calls {
		add := func(at file.Idx, do func(line int)) {
			name := s.functionAt(at)
			byFunction[name], places[name] = append(byFunction[name], func() { do(line(at)) }), append(places[name], at)
		}
		if dot := methodOf(c); dot != nil && slices.Contains(methods, dot.Identifier.Name.String()) {
			add(dot.Identifier.Idx, func(on int) { s.call(dot, c.ArgumentList, on) })
		}
		if isSleep(c) {
			add(c.Idx0(), func(on int) { s.pause(c, on) })
		}
		for _, id := range namesIn(c) {
			name := id.Name.String()
			if !s.acts[name] {
				continue
			}
			add(id.Idx, func(on int) {
				chosen := s.choose(id.Idx, !s.injects[name])
				if running[name] || s.injects[name] && ast.Expression(id) != c.Callee && !chosen {
					s.d.Lost(on, "how often the function %s runs: its faults are injected once", draft.Clip(name, 40))
				}
				switch {
				case s.runs >= mostRuns:
					s.d.Lost(on, "a call of the function %s: there are too many", draft.Clip(name, 40))
				case !running[name]:
					run(name)
				}
			})
		}
	}
	var branches []func()
	for _, name := range names {
		branches = append(branches, func() {
			if reached[name] && byRun[name] == nil {
				return
			}
			s.moment(name, len(runs) == 0, line)
			for i, scenario := range byRun[name] {
				settings, _ := s.values.Fields(runs[scenario])
				at, start, given := draft.Duration(s.values.Text(settings["startTime"]), time.Second)
				on := line(runs[scenario].Idx0())
				if i == 0 && !s.once(settings) {
					s.d.Lost(on, "how often the scenario %s runs %s: its faults are injected once", scenario,
						draft.Clip(s.exec(runs[scenario]), 40))
				}
				switch {
				case i > 0:
					s.d.Lost(on, "the scenario %s, which injects the faults of %s once more", scenario, byRun[name][0])
				case settings["startTime"] != nil && !given:
					s.d.Lost(on, "startTime of the scenario %s: it is no literal", scenario)
				case !s.d.WaitUntil(start) && given:
					s.d.Lost(on, "startTime %s of the scenario %s: its first fault comes later", at.YAML, scenario)
				}
			}
			run(name)
		})
	}
	s.d.Together(branches...)
}

// moment reports that a function without a scenario runs at another time than its faults come, or more than once.
func (s *script) moment(name string, alone bool, line func(file.Idx) int) {
	options, _ := s.values.Fields(s.values["options"])
	i := slices.IndexFunc(s.functions, func(f function) bool { return f.name == name })
	switch {
	case i < 0:
	case name == "setup" || name == "teardown":
		when := "before"
		if name == "teardown" {
			when = "after"
		}
		s.d.Lost(line(s.functions[i].from), "that %s runs %s the load: its faults come during the load", name, when)
	case name == "default" && alone && (options["stages"] != nil || options["duration"] != nil || !s.single(options)):
		s.d.Lost(line(s.functions[i].from), "how often the default function runs: its faults are injected once")
	}
}

// single reports whether settings are those of one iteration.
func (s *script) single(settings map[string]ast.Expression) bool {
	one := func(key string) bool { return settings[key] == nil || s.values.Text(settings[key]) == "1" }
	return one("iterations") && one("vus")
}

// once reports whether a scenario runs its function one time.
func (s *script) once(settings map[string]ast.Expression) bool {
	one := func(key string) bool { return settings[key] == nil || s.values.Text(settings[key]) == "1" }
	switch s.values.Text(settings["executor"]) {
	case "shared-iterations":
		return one("iterations")
	case "per-vu-iterations":
		return one("iterations") && one("vus")
	}
	return false
}

// leave reports the exits of a function that may keep an act of it, at one of the places, from being reached.
func (s *script) leave(name string, places []file.Idx) {
	for _, e := range s.exits {
		if s.functionAt(e.from) != name {
			continue
		}
		within := function{"", 0, 1 << 30} // what the exit ends
		loops := false
		for _, f := range s.literals {
			if !e.throws && f.from <= e.from && e.from < f.to && f.from >= within.from {
				within = f
			}
		}
		for _, c := range s.choices {
			if c.breaks && c.from >= within.from && c.from <= e.from && e.from < c.to && (!loops || e.branches) {
				loops = c.loop
				if e.branches {
					within = function{"", c.from, c.to}
				}
			}
		}
		reached := func(at file.Idx) bool { return at >= within.from && at < within.to && (loops || at >= e.to) }
		if e.branches && !loops { // the switch is a condition
			continue
		}
		if e.throws && !s.injects[name] || slices.ContainsFunc(places, reached) {
			s.d.Lost(e.line, "%s: it ends nothing here, and the faults after it are injected", e.what)
		}
	}
}

// isSleep reports whether a call is one of sleep.
func isSleep(c *ast.CallExpression) bool {
	id, ok := c.Callee.(*ast.Identifier)
	return ok && id.Name.String() == "sleep" && len(c.ArgumentList) == 1
}

// find finds the functions that inject, and returns their names: first those that no other function calls.
func (s *script) find(calls []*ast.CallExpression) (names []string) {
	type use struct{ from, of string }
	var uses []use
	add := func(to map[string]bool, name string) bool {
		if to[name] {
			return false
		}
		to[name] = true
		return true
	}
	for _, e := range s.exits {
		if e.throws {
			add(s.acts, s.functionAt(e.from))
		}
	}
	for _, c := range calls {
		if isSleep(c) {
			add(s.acts, s.functionAt(c.Idx0()))
		}
		if dot := methodOf(c); dot != nil && slices.Contains(methods, dot.Identifier.Name.String()) {
			if name := s.functionAt(dot.Identifier.Idx); add(s.injects, name) {
				names = append(names, name)
			}
		}
		for _, id := range namesIn(c) {
			if name := id.Name.String(); slices.ContainsFunc(s.functions, func(f function) bool { return f.name == name }) {
				uses = append(uses, use{s.functionAt(id.Idx), name})
			}
		}
	}
	for more := true; more; {
		more = false
		for _, u := range uses {
			if s.injects[u.of] && add(s.injects, u.from) {
				names, more = append(names, u.from), true
			}
			more = (s.injects[u.of] || s.acts[u.of]) && add(s.acts, u.from) || more
		}
	}
	for _, name := range names {
		s.acts[name] = true
	}
	called := func(name string) int {
		if slices.ContainsFunc(uses, func(u use) bool { return u.of == name && u.from != name }) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(called(a), called(b)) })
	return names
}

// namesIn returns the names that a call may take a function by: its own, and those of its arguments.
func namesIn(c *ast.CallExpression) (out []*ast.Identifier) {
	for _, e := range slices.Concat([]ast.Expression{c.Callee}, c.ArgumentList) {
		if id, ok := e.(*ast.Identifier); ok {
			out = append(out, id)
		}
	}
	return out
}

// functionAt returns the name of the function that a place is in. It is empty for a place outside of functions with a
// name.
func (s *script) functionAt(at file.Idx) string {
	var in function
	for _, f := range s.functions {
		if f.from <= at && at < f.to && f.from >= in.from {
			in = f
		}
	}
	return in.name
}

// isHidden reports whether a place is in a function that no name calls, such as a method of an object.
func (s *script) isHidden(at file.Idx) bool {
	return slices.ContainsFunc(s.literals, func(f function) bool {
		return f.from <= at && at < f.to && !slices.Contains(s.passed, f.from) &&
			!slices.ContainsFunc(s.functions, func(named function) bool { return named.from == f.from })
	})
}

// choose reports the choices that a fault or a pause is in, once, and returns whether there are any.
func (s *script) choose(at file.Idx, pause bool) (some bool) {
	for i := range s.choices {
		c := &s.choices[i]
		if c.from > at || at >= c.to {
			continue
		}
		some = true
		becomes := &c.fault
		if pause && c.fault != "" {
			becomes = &c.pause
		}
		if *becomes != "" && (!pause || c.fault != "") {
			s.d.Lost(c.line, "%s: %s", c.what, *becomes)
			*becomes = ""
		}
	}
	return some
}

// load makes a load of each scenario of the script that does not inject faults.
func (s *script) load(program *ast.Program, line func(file.Idx) int) {
	for _, i := range program.ImportEntries {
		if module := moduleOf(i); module == disruptor {
			s.d.Lost(line(i.Idx), "the script imports %s: take this line and its calls out of it, or brunt-k6 can't run it", module)
		}
	}
	runs := s.scenarios()
	one := func(name, scenario string) {
		load := s.d.Script()
		if scenario != "" {
			load.Set("scenario", draft.Plain(scenario))
		}
		s.d.Load.Set(draft.Unique(s.d.Load, draft.Slug(name, "script")), load)
	}
	for _, name := range draft.SortedKeys(runs) {
		if !s.injects[s.exec(runs[name])] {
			one(name, name)
		} else {
			s.d.Tell(line(runs[name].Idx0()), "the scenario %s of the script injects faults: chaos has them", name)
		}
	}
	if s.d.Load.Fields == nil {
		one(s.d.ScriptName(), "")
	}
}

// disruptor is the module of the extension.
const disruptor = "k6/x/disruptor"

// unit returns the service that stands for the pods of a disruptor. It is empty if the scenario can't have these pods,
// which is reported. Lost lists the parts of its selector without a counterpart.
func (s *script) unit(e ast.Expression, line int) (name string, lost []string) {
	pods := draft.Pod{}
	unknown := "a selector without labels: say under target.kubernetes.services which pods these are"
	made, ok := s.values.Resolve(bare(e)).(*ast.NewExpression)
	kind := ""
	if ok {
		kind = kindOf(made)
	}
	switch {
	case kind == "ServiceDisruptor" && len(made.ArgumentList) > 0:
		service := s.values.Text(made.ArgumentList[0])
		if len(made.ArgumentList) > 1 {
			pods.Namespace = s.values.Text(made.ArgumentList[1])
		}
		if service != "" {
			pods.Labels = map[string]string{"app": service}
		}
		unknown = "the service " + service + ": say under target.kubernetes.services which pods it has; app: " + service +
			" is a guess"
		lost = append(lost, unknown)
	case ok && len(made.ArgumentList) > 0:
		pods, lost = s.selector(made.ArgumentList[0])
	}
	if len(pods.Labels) == 0 {
		pods.Labels = map[string]string{"app": "web"}
		lost = append(lost, unknown)
	}
	name, refused := s.d.Pods(pods)
	if refused != "" {
		s.d.Lost(line, "%s", refused)
	}
	return name, lost
}

// selector reads the pods of a PodDisruptor. Lost lists the parts without a counterpart.
func (s *script) selector(e ast.Expression) (pods draft.Pod, lost []string) {
	all, whole := s.values.Fields(e)
	selected, whole2 := s.values.Fields(all["select"])
	found, whole3 := s.values.Fields(selected["labels"])
	pods = draft.Pod{Namespace: s.values.Text(all["namespace"]), Labels: map[string]string{}}
	for _, k := range draft.SortedKeys(found) {
		if pods.Labels[k] = s.values.Text(found[k]); pods.Labels[k] == "" {
			lost = append(lost, "the label "+k+": it is no literal")
			delete(pods.Labels, k)
		}
	}
	if !whole || !whole2 || !whole3 && selected["labels"] != nil || all["namespace"] != nil && pods.Namespace == "" {
		lost = append(lost, "a part of its selector is no literal")
	}
	for _, key := range draft.SortedKeys(all) {
		if key != "select" && key != "namespace" {
			lost = append(lost, key+" of its selector")
		}
	}
	for _, key := range draft.SortedKeys(selected) {
		if key != "labels" {
			lost = append(lost, "select."+key+" of its selector")
		}
	}
	return pods, lost
}

// codes are the statuses of gRPC, by number.
var codes = strings.Fields("OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS " +
	"PERMISSION_DENIED RESOURCE_EXHAUSTED " +
	"FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED")

// methods are those of a disruptor that inject.
var methods = []string{"injectHTTPFaults", "injectGrpcFaults", "injectNetworkFaults", "terminatePods"}

// pause delays the faults after a call of sleep.
func (s *script) pause(c *ast.CallExpression, line int) {
	s.choose(c.Idx0(), true)
	wait, ok := draft.Pause(s.values.Text(c.ArgumentList[0]), time.Second)
	if s.d.Wait(wait); !ok {
		s.d.Lost(line, "a pause whose time is no literal")
	}
}

// call converts a call of a disruptor.
func (s *script) call(dot *ast.DotExpression, args []ast.Expression, line int) {
	name := dot.Identifier.Name.String()
	s.choose(dot.Identifier.Idx, false)
	if s.isHidden(dot.Identifier.Idx) {
		s.d.Lost(line, "when a function without a name runs, and how often: its %s comes once", name)
	}
	what, whole := map[string]ast.Expression{}, true
	if len(args) > 0 {
		what, whole = s.values.Fields(args[0])
	}
	if !whole {
		s.d.Lost(line, "%s: a part of its fault is not a literal", name)
	}
	used := map[string]bool{}
	get := func(key string) string {
		used[key] = true
		if what[key] == nil {
			return ""
		}
		text := s.values.Text(what[key])
		if text == "" {
			s.d.Lost(line, "%s of %s: it is no literal", key, name)
		}
		return text
	}
	defer func() {
		for _, key := range draft.SortedKeys(what) {
			if !used[key] {
				s.d.Lost(line, "%s of %s", strings.TrimSpace(key+" "+draft.Harmless(key, s.values.Text(what[key]))), name)
			}
		}
		if len(args) > 2 {
			s.d.Lost(line, "the options of %s", name)
		}
	}()
	switch name {
	case "injectHTTPFaults", "injectGrpcFaults":
		s.requests(name, what, get, args, line)
	case "injectNetworkFaults":
		unit, lost := s.unit(dot.Left, line)
		p := get("protocol")
		settings := (&draft.Node{}).Set("service", draft.Plain(unit)).Set("pick", draft.Raw("all"))
		if port := new(draft.Node).SetWhole("port", get("port")); port.Fields != nil {
			settings.Set("ports", draft.List(port.Get("port")))
		}
		if p != "" && p != "tcp" {
			lost = append(lost, "the protocol "+p)
		}
		if unit == "" {
			return
		}
		s.inject(draft.Fault{Name: "no-network", Line: line, Kind: "network.blackhole", Settings: settings}, args, lost)
	case "terminatePods":
		unit, lost := s.unit(dot.Left, line)
		settings := (&draft.Node{}).Set("service", draft.Plain(unit)).Set("pick", draft.Raw("one"))
		if count := get("count"); strings.HasSuffix(count, "%") {
			settings.SetPercent("pick", count)
		} else {
			settings.SetWhole("pick", count)
		}
		if unit != "" {
			f := draft.Fault{Name: "terminate-" + unit, Line: line, Kind: "pod.delete", Settings: settings}
			s.lose(s.d.Inject(f), line, lost)
		}
	}
}

// requests converts faults on requests: a delay, an error, or a group of both, as the effects of two faults at the same
// time can't be told apart.
func (s *script) requests(
	call string, what map[string]ast.Expression, get func(string) string, args []ast.Expression, line int,
) {
	protocol := strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(call, "inject"), "Faults"))
	lost := []string{"which pods: it acts on requests of the load; `from` and `to` name another link"}
	for _, key := range []string{"exclude", "excluded", "port"} {
		if what[key] != nil {
			lost = append(lost, key+" "+get(key))
		}
	}
	f, steps := draft.Fault{Line: line}, draft.List()
	add := func(name, kind string, settings *draft.Node) {
		f.Name, f.Kind, f.Settings = protocol+"-"+name, protocol+"."+kind, settings
		if steps.Items = append(steps.Items, (&draft.Node{}).Set(f.Kind, settings)); len(steps.Items) > 1 {
			f.Name, f.Kind, f.Settings = protocol+"-faults", "steps", steps
		}
	}
	defer func() {
		if f.Kind != "" {
			s.inject(f, args, lost)
		}
	}()
	settings := func() *draft.Node { return (&draft.Node{}).Set("from", draft.Raw("load")) }
	delay := settings().SetDuration("delay", get("averageDelay"), time.Millisecond).SetDuration("jitter",
		get("delayVariation"), time.Millisecond)
	if delay.Get("delay") != nil {
		add("delay", "delay", delay)
	}
	share := draft.Percent(get("errorRate"), true)
	if share == nil || share.YAML == "0%" {
		if f.Kind == "" {
			s.d.Lost(line, "%s: neither a delay nor a rate of errors is above 0", call)
		}
		return
	}
	n := settings().Set("percent", share)
	if protocol == "http" {
		if n.SetStatus(get("errorCode")); n.Get("status") == nil && get("errorCode") != "" {
			lost = append(lost, "errorCode: it is no status from 200 to 599")
		}
		if body := get("errorBody"); body != "" {
			n.Set("body", draft.Str(s.d.Quiet(line, body)))
		}
	} else {
		if code, err := strconv.Atoi(get("statusCode")); err == nil && code > 0 && code < len(codes) {
			n.Set("status", draft.Raw(codes[code]))
		} else if get("statusCode") != "" {
			lost = append(lost, "statusCode: it is no status of gRPC")
		}
		if message := get("statusMessage"); message != "" {
			n.Set("message", draft.Plain(message))
		}
	}
	add("errors", "error", n)
}

// inject adds a fault. Its duration is the second argument.
func (s *script) inject(f draft.Fault, args []ast.Expression, lost []string) {
	f.For, f.Guessed = draft.GuessedFor, true
	if len(args) > 1 {
		if _, d, ok := draft.Duration(s.values.Text(args[1]), time.Second); ok {
			f.For, f.Guessed = d, false
		} else {
			lost = append(lost, "how long "+f.Name+" lasts: it is no literal duration above 0")
		}
	}
	s.lose(s.d.Inject(f), f.Line, lost)
}

func (s *script) lose(n *draft.Node, line int, lost []string) {
	for _, l := range lost {
		s.d.LoseAt(&n.Above, line, "%s", l)
	}
}

// moduleOf returns the module that a declaration imports.
func moduleOf(i *ast.ImportDeclaration) string {
	if i.FromClause != nil {
		return i.FromClause.ModuleSpecifier.String()
	}
	return i.ModuleSpecifier.String()
}
