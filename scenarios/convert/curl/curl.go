// Package curl converts curl commands into scenarios.
package curl

import (
	"cmp"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/convert/shell"
)

// Converter returns the converter for curl commands.
func Converter() draft.Converter {
	return draft.Converter{
		Name: "curl", Source: "curl commands", Convert: convert,
		Usage: "Of curl, what stands after -- is the command itself.", Words: script,
		Doc: "a flow, of one command, as browsers copy it too, or of a script of them; the shell's variables become " +
			"`${env.NAME}`",
	}
}

// convert reads curl commands, one or a script of them, which become a flow.
func convert(d *draft.Builder, source []byte) error {
	all, err := shell.Read(d, unwindows(source), shell.Dialect{Programs: []string{"curl", "sleep"}, Env: true})
	if err != nil {
		return err
	}
	c := curlLoad{
		d: d, load: d.Arrivals("10/s", "iterations a second"), flow: &draft.Node{Block: true, Items: []*draft.Node{}},
	}
	c.reserve(all)
	calls := c.run(all)
	if calls == 0 {
		return fmt.Errorf("%s: no command curl is in it", d.O.File)
	}
	c.settle()
	switch tls := d.TLS; {
	case tls == nil:
	case tls.Get("cert") != nil && tls.Get("key") == nil: // the file holds both
		tls.Set("key", tls.Get("cert"))
	case tls.Get("cert") == nil && tls.Get("key") != nil:
		d.Lost(0, "--key without --cert")
		tls.Drop("key")
		if tls.Fields == nil {
			d.TLS = nil
		}
	}
	if len(c.flow.Items) > 0 {
		d.Load.Set("requests", c.load.Set("flow", c.flow))
	}
	return nil
}

// A command is one call of curl: its words, and its standard input if the script contains it.
type command struct {
	line  int
	words []draft.Text
	stdin draft.Text
	file  string // that the standard input is
}

// onlyShell stands before the text of a word of which only the shell knows a part.
const onlyShell = "?"

// reserve reserves the variables that commands read.
func (c *curlLoad) reserve(all []shell.Command) {
	for _, one := range all {
		c.reserve(one.Beside)
		for _, w := range append(one.Words, one.Stdin) {
			for _, p := range w.Text {
				if name, ok := strings.CutPrefix(p.Ref, "env."); ok {
					c.d.Reserve(name)
				}
			}
		}
	}
}

const sideBySide = "commands side by side; those of a flow come one after the other"

// run converts the commands of a script, one after the other, and returns how many call curl.
func (c *curlLoad) run(all []shell.Command) (calls int) {
	for _, one := range all {
		lose := func(format string, args ...any) { c.d.Lose(c.flow, one.Line, format, args...) }
		switch {
		case one.Beside != nil:
			lose(sideBySide)
			calls += c.run(one.Beside)
		case one.Lost != "":
			lose("%s", one.Lost)
		case one.Variable != "":
			lose("the value of the variable %s, which only the shell knows; `extract` takes one from an answer", one.Variable)
		case one.Pause > 0 && c.transfers > 0:
			c.d.Add(c.flow, draft.Think(one.Pause, 0))
		case one.Program == "curl":
			calls++
			c.call(one, lose)
		}
	}
	return calls
}

// call converts one call of curl.
func (c *curlLoad) call(one shell.Command, lose func(format string, args ...any)) {
	text := func(w shell.Word) draft.Text {
		if w.Unknown != "" {
			lose("a word that only the shell knows: $%s is in it", w.Unknown)
			return nil
		}
		return w.Text
	}
	cmd := &command{line: one.Line, file: one.File}
	for _, w := range one.Words {
		t := text(w)
		if t == nil {
			t = draft.Join(draft.Ref(onlyShell), w.Text)
		}
		cmd.words = append(cmd.words, t)
	}
	cmd.stdin = text(one.Stdin)
	if one.Place != "" {
		lose("the program %s around curl", one.Place)
	}
	before := len(c.flow.Items)
	c.command(cmd)
	c.variables(cmd, c.flow.Items[before:])
}

// variables notes which shell variables the steps of a command read from the environment.
func (c *curlLoad) variables(cmd *command, steps []*draft.Node) {
	for _, p := range draft.Join(append(cmd.words, cmd.stdin)...) {
		name, ok := strings.CutPrefix(p.Ref, "env.")
		read := func(n *draft.Node) bool { return n.Holds("${" + p.Ref + "}") }
		if ok && !c.d.Hides(name) && (slices.Contains(c.d.Base, p) || slices.ContainsFunc(steps, read)) {
			c.d.Env = append(c.d.Env, draft.Secret{Env: name, What: "what the shell's variable of that name holds"})
			c.d.Tell(cmd.line, "the shell's variable %s is read from the environment: export it", name)
		}
	}
}

// script joins the words of a command into a script, with shell quoting.
func script(words []string) ([]byte, error) {
	first := strings.TrimSuffix(filepath.Base(words[0]), ".exe")
	if first != "curl" && !strings.HasPrefix(first, "-") && !strings.Contains(words[0], "://") {
		return nil, fmt.Errorf("want a command of curl after --, such as curl http://127.0.0.1:8080/, not %q", words[0])
	}
	if words[0] == "curl" {
		words = words[1:]
	}
	return shell.Join("curl")(words)
}

// curlLoad is the load made from the commands.
type curlLoad struct {
	d    *draft.Builder
	load *draft.Node
	flow *draft.Node

	transfers int       // commands, and parts of them between --next
	settings  []setting // options that a load has once
}

// A setting is an option of a transfer that a scenario can only have for all requests.
type setting struct {
	transfer, line int
	option, value  string
	set            func()
}

// hold records such an option of the current transfer. The last one of a name counts, as for curl.
func (c *curlLoad) hold(line int, option, value string, set func()) {
	now := setting{c.transfers, line, option, value, set}
	same := func(s setting) bool { return s.transfer == c.transfers && s.option == option }
	if i := slices.IndexFunc(c.settings, same); i >= 0 {
		c.settings[i] = now
		return
	}
	c.settings = append(c.settings, now)
}

// settle sets the options that all transfers have, and reports the others: they would hold for commands without them.
func (c *curlLoad) settle() {
	for len(c.settings) > 0 {
		first := c.settings[0]
		same := 0
		c.settings = slices.DeleteFunc(c.settings, func(s setting) bool {
			if s.option == first.option && s.value == first.value {
				same++
			}
			return s.option == first.option
		})
		if same == c.transfers {
			first.set()
		} else {
			c.d.LoseAt(&c.load.Above, first.line, "--%s, which not all commands have alike: a load has it for all or for none",
				first.option)
		}
	}
}

// command makes steps of one command: one for each URL, and for each part between --next.
func (c *curlLoad) command(cmd *command) {
	options, unknown := cmd.parse()
	if before := len(c.flow.Items); slices.ContainsFunc(options, func(o option) bool { return o.name == "parallel" }) {
		defer func() {
			if steps := c.flow.Items[before:]; len(steps) > 1 {
				c.d.LoseAt(&steps[0].Above, cmd.line, sideBySide)
			}
		}()
	}
	for _, u := range unknown {
		c.d.Lose(c.flow, cmd.line, "the curl option %s", draft.Clip(u, 40))
	}
	for len(options) > 0 {
		i := slices.IndexFunc(options, func(o option) bool { return o.name == "next" })
		if i < 0 {
			i = len(options)
		}
		c.transfer(cmd, options[:i])
		options = options[min(i+1, len(options)):]
	}
}

// curlRequest is the request of a command while its options are read.
type curlRequest struct {
	draft.Request
	urls    []draft.Text
	data    draft.Text
	query   bool // append the data to the URL
	encode  bool // curl percent-encodes the value of a variable in the data
	kind    string
	untyped bool         // the kind is not sent
	more    []draft.Text // values of --url-query
}

func (c *curlLoad) transfer(cmd *command, options []option) {
	d := c.d
	c.transfers++
	r := &curlRequest{Request: draft.Request{Line: cmd.line, Stay: true}}
	has := func(name string) bool {
		return slices.ContainsFunc(options, func(o option) bool { return o.name == name })
	}
	plain, asIs, unknown := has("globoff"), has("path-as-is"), false
	for _, o := range options {
		if o.name == "" || o.name == "url" {
			if o.value[0].Ref == onlyShell {
				unknown = true
				d.Lose(c.flow, cmd.line, "a request to a URL that only the shell knows")
			} else if plain {
				r.urls = append(r.urls, o.value)
			} else {
				r.urls = append(r.urls, c.globs(cmd.line, o.value)...)
			}
			continue
		}
		if !slices.Contains(dull, o.name) {
			c.option(cmd, r, o)
		}
	}
	r.Stay = r.Stay || r.Follow < 0
	if r.kind != "" && !r.query && !r.untyped && r.ContentType() == nil {
		r.Headers = append(r.Headers, draft.Header{Name: "Content-Type", Value: draft.Lit(r.kind)})
	}
	if r.query && r.data != nil {
		if !r.data.IsZero() {
			r.more = append(r.more, r.data)
		}
		r.Body = draft.Body{}
	} else if r.data != nil {
		if r.Body = (draft.Body{Text: r.data, Sent: true}); r.encode {
			d.LoseAt(&r.Above, cmd.line, "the percent-encoding of a variable in the data of --data-urlencode")
		}
	}
	if r.Method == "" && r.Body.Sent {
		r.Method = "POST"
	}
	for _, target := range r.urls {
		one := r.Request
		one.Above = slices.Clip(one.Above)
		if before, _, fragment := target.Cut("#"); fragment {
			target = before.Tidy()
		}
		if short, known := undotted(target); !known && !asIs {
			d.LoseAt(&one.Above, cmd.line, "that curl removes the dots of %q: a variable stands before them",
				draft.Clip(draft.WithoutUser(target.String()), 80))
		} else if !asIs {
			target = short
		}
		if !c.aim(&one, draft.Join(target, r.appended(target)).Merged()) {
			continue
		}
		d.Add(c.flow, d.Step(&one, c.flow))
	}
	if len(r.urls) == 0 && !unknown {
		d.Lose(c.flow, cmd.line, "a command without a URL")
	}
}

// appended returns the query that the options add to a URL.
func (r *curlRequest) appended(target draft.Text) draft.Text {
	var out draft.Text
	sep := "?"
	for _, p := range target {
		if strings.Contains(p.Lit, "?") {
			sep = "&"
		}
	}
	for _, m := range r.more {
		out = draft.Join(out, draft.Lit(sep), m)
		sep = "&"
	}
	return out
}

// glob matches a set of a URL, such as {a,b}, or a range, such as [1-3], [a-z] or [0-100:10]. Curl makes a request for
// each of its values.
var glob = regexp.MustCompile(`\{([^{}]*)\}|\[(?:(\d{1,9})-(\d{1,9})|([a-z])-([a-z])|([A-Z])-([A-Z]))(?::(\d{1,9}))?\]`)

// mostGlobs is the limit on how many steps one URL makes.
const mostGlobs = 20

// globs returns the URLs of a URL with globs. A range with too many values becomes a number drawn at random.
func (c *curlLoad) globs(line int, t draft.Text) (out []draft.Text) {
	for i, p := range t {
		m := glob.FindStringSubmatchIndex(p.Lit)
		if m == nil {
			continue
		}
		group := func(n int) string {
			if m[2*n] < 0 {
				return ""
			}
			return p.Lit[m[2*n]:m[2*n+1]]
		}
		var values []draft.Text
		if m[2] >= 0 {
			for v := range strings.SplitSeq(group(1), ",") {
				values = append(values, draft.Lit(v))
			}
		} else {
			values = ranged(group(2), group(3), cmp.Or(group(4), group(6)), cmp.Or(group(5), group(7)), group(8))
			if len(values) == 1 && values[0][0].Ref != "" {
				c.d.Lose(c.flow, line, "a request for each number of %s: one is drawn at random each time", p.Lit[m[0]:m[1]])
			}
		}
		rest := c.globs(line, draft.Join(draft.Lit(p.Lit[m[1]:]), t[i+1:]))
		for _, v := range values {
			for _, after := range rest {
				out = append(out, draft.Join(t[:i], draft.Lit(p.Lit[:m[0]]), v, after).Merged())
			}
		}
		if len(out) > mostGlobs {
			c.d.Lose(c.flow, line, "%d of the %d requests of a URL with sets or ranges", len(out)-mostGlobs, len(out))
			out = out[:mostGlobs]
		}
		return out
	}
	return []draft.Text{t}
}

// ranged returns the values of a range of numbers or of letters. A long one is a number drawn at random.
func ranged(from, to, first, last, by string) (out []draft.Text) {
	step, _ := strconv.Atoi(by)
	step = max(1, step)
	if first != "" {
		for c := int(first[0]); c <= int(last[0]); c += step {
			out = append(out, draft.Lit(string(rune(c))))
		}
		return out
	}
	a, _ := strconv.Atoi(from)
	b, _ := strconv.Atoi(to)
	if (b-a)/step >= mostGlobs {
		return []draft.Text{draft.Ref(fmt.Sprintf("int(%d,%d)", a, b))}
	}
	width := 0
	if strings.HasPrefix(from, "0") {
		width = len(from)
	}
	for ; a <= b; a += step {
		out = append(out, draft.Lit(fmt.Sprintf("%0*d", width, a)))
	}
	return out
}

// undotted removes the segments . and .. from the path of a URL, as curl does (RFC 3986, 5.2.4). It returns false, and
// the URL as it is, if .. removes a part of a variable.
func undotted(target draft.Text) (out draft.Text, known bool) {
	rest, query, asks := target.Cut("?")
	scheme, rest, schemed := rest.Cut("://")
	if !schemed {
		scheme, rest = nil, scheme
	}
	host, path, more := rest.Cut("/")
	kept := []draft.Text{host}
	for more {
		var segment draft.Text
		segment, path, more = path.Cut("/")
		switch dots, _ := segment.Static(); dots {
		case "..":
			last := len(kept) - 1
			if _, known := kept[last].Static(); !known {
				return target, false
			}
			kept = kept[:max(1, last)]
			fallthrough
		case ".":
			if !more {
				kept = append(kept, draft.Lit(""))
			}
		default:
			kept = append(kept, segment)
		}
	}
	if schemed {
		out = draft.Join(scheme, draft.Lit("://"))
	}
	out = draft.Join(out, kept[0])
	for _, segment := range kept[1:] {
		out = draft.Join(out, draft.Lit("/"), segment)
	}
	if asks {
		out = draft.Join(out, draft.Lit("?"), query)
	}
	return out, true
}

// aim sets the URL of the step. It returns false if there is no valid URL.
func (c *curlLoad) aim(r *draft.Request, target draft.Text) bool {
	d := c.d
	if target[0].Ref != "" {
		if len(target) > 1 && !strings.HasPrefix(target[1].Lit, "/") && !strings.HasPrefix(target[1].Lit, "?") {
			d.Lose(c.flow, r.Line, "a host that a variable is a part of: %q", draft.Clip(target.String(), 80))
			return false
		}
		c.unknownHost(r, target)
		return true
	}
	whole := target[0].Lit
	if !strings.Contains(whole, "://") {
		whole = "http://" + whole
	}
	scheme, rest, _ := strings.Cut(whole, "://")
	host, path := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	u, err := url.Parse(scheme + "://" + host)
	if err != nil || !draft.IsWeb(u) {
		d.Lose(c.flow, r.Line, "a request to %q", draft.Clip(draft.WithoutUser(whole), 80))
		return false
	}
	if path == "" && len(target) > 1 {
		d.Lose(c.flow, r.Line, "a host that a variable is a part of: %q", draft.Clip(target.String(), 80))
		return false
	}
	draft.Credentials(d, r, u)
	origin := d.Place(u)
	begin, _ := origin.Static()
	if begin = strings.TrimSuffix(begin, "/"); !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	r.URL = draft.Join(draft.Lit(begin), draft.Lit(draft.URLText(path)), target[1:].Mapped(draft.URLText))
	return true
}

// unknownHost handles a URL that begins with a shell variable: the variable is the target, unless
// another URL is.
func (c *curlLoad) unknownHost(r *draft.Request, target draft.Text) {
	d := c.d
	if d.Base.IsZero() {
		d.Base = target[:1]
		d.Origin = target[:1].String()
		what := "the target is " + d.Base.String() + ": set it, and name it under guard.allow.load unless it is this machine"
		d.Tell(r.Line, "%s", what)
		d.Head = append(d.Head, what)
	}
	rest := target[1:]
	if target[:1].String() != d.Origin {
		rest = target
	} else if len(rest) == 0 || strings.HasPrefix(rest[0].Lit, "?") {
		rest = draft.Join(draft.Lit("/"), rest)
	}
	r.URL = rest.Mapped(draft.URLText)
}
