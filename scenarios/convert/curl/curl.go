// Package curl converts curl commands into scenarios.
package curl

import (
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios/convert/draft"
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
	all, err := commands(d, source)
	if err != nil {
		return err
	}
	c := curlLoad{
		d: d, load: d.Arrivals("10/s", "iterations a second"), flow: &draft.Node{Block: true, Items: []*draft.Node{}},
	}
	for _, cmd := range all {
		for _, lost := range cmd.lost {
			d.Lose(c.flow, cmd.line, "%s", lost)
		}
		for _, w := range append(cmd.words, cmd.stdin) {
			shellVariables(d, cmd.line, w)
		}
		c.command(cmd)
	}
	if len(all) == 0 {
		return fmt.Errorf("%s: no command curl is in it", d.O.File)
	}
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

// shellVariables notes which shell variables are read from the environment.
func shellVariables(d *draft.Builder, line int, t draft.Text) {
	for _, p := range t {
		if name, ok := strings.CutPrefix(p.Ref, "env."); ok && !d.Hides(name) {
			d.Env = append(d.Env, draft.Secret{Env: name, What: "what the shell's variable of that name holds"})
			d.Tell(line, "the shell's variable %s is read from the environment: export it", name)
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
	return draft.ShellWords("curl")(words)
}

// curlLoad is the load made from the commands.
type curlLoad struct {
	d    *draft.Builder
	load *draft.Node
	flow *draft.Node
}

// command makes steps of one command: one for each URL, and for each part between --next.
func (c *curlLoad) command(cmd *command) {
	options, unknown := cmd.parse()
	for _, u := range unknown {
		c.d.Lose(c.flow, cmd.line, "the option %s of curl", draft.Clip(u, 40))
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
	urls  []draft.Text
	data  draft.Text
	query bool // append the data to the URL
	kind  string
	more  []draft.Text // values of --url-query
}

func (c *curlLoad) transfer(cmd *command, options []option) {
	d := c.d
	r := &curlRequest{Request: draft.Request{Line: cmd.line, Stay: true}}
	for _, o := range options {
		if o.name == "" || o.name == "url" {
			r.urls = append(r.urls, o.value)
			continue
		}
		if !slices.Contains(dull, o.name) {
			c.option(cmd, r, o)
		}
	}
	if r.kind != "" && !r.query && r.ContentType() == nil {
		r.Headers = append(r.Headers, draft.Header{Name: "Content-Type", Value: draft.Lit(r.kind)})
	}
	if r.query && r.data != nil {
		if !r.data.IsZero() {
			r.more = append(r.more, r.data)
		}
		r.Body = draft.Body{}
	} else if r.data != nil {
		r.Body = draft.Body{Text: r.data, Sent: true}
	}
	if r.Method == "" && r.Body.Sent {
		r.Method = "POST"
	}
	for _, target := range r.urls {
		one := r.Request
		if !c.aim(&one, draft.Join(target, r.appended(target))) {
			continue
		}
		d.Add(c.flow, d.Step(&one, c.flow))
	}
	if len(r.urls) == 0 {
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

// span matches a range of numbers in a URL, which curl requests one after the other.
var span = regexp.MustCompile(`\[(\d{1,9})-(\d{1,9})\]`)

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
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
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
	rest0, _, fragment := strings.Cut(path, "#")
	out := draft.Join(draft.Lit(begin), spans(rest0))
	if !fragment {
		for _, p := range target[1:] {
			before, _, fragment := strings.Cut(p.Lit, "#")
			if p.Ref != "" {
				out = append(out, p)
			} else {
				out = draft.Join(out, spans(before))
			}
			if fragment {
				break
			}
		}
	}
	r.URL = out
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

// spans returns a part of a URL, with numbers drawn at random from its ranges.
func spans(s string) draft.Text {
	var out draft.Text
	for {
		m := span.FindStringSubmatchIndex(s)
		if m == nil {
			return append(out, draft.Piece{Lit: draft.URLText(s)})
		}
		from, to := s[m[2]:m[3]], s[m[4]:m[5]]
		a, _ := strconv.Atoi(from)
		b, _ := strconv.Atoi(to)
		if a > b {
			a, b = b, a
		}
		out = append(out, draft.Piece{Lit: draft.URLText(s[:m[0]])}, draft.Piece{Ref: fmt.Sprintf("int(%d,%d)", a, b)})
		s = s[m[1]:]
	}
}
