package convert

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// curl reads commands of curl: one, or a script of them, which become a flow.
func curl(d *draft, source []byte) error {
	all, err := commands(d, source)
	if err != nil {
		return err
	}
	c := curlLoad{d: d, load: d.arrivals("10/s", "iterations a second"), flow: &node{block: true, items: []*node{}}}
	for _, cmd := range all {
		for _, lost := range cmd.lost {
			d.lose(c.flow, cmd.line, "%s", lost)
		}
		for _, w := range append(cmd.words, cmd.stdin) {
			d.variables(cmd.line, w)
		}
		c.command(cmd)
	}
	if len(all) == 0 {
		return fmt.Errorf("%s: no command curl is in it", d.o.File)
	}
	if len(c.flow.items) > 0 {
		d.load.set("requests", c.load.set("flow", c.flow))
		d.slo.items = append(d.slo.items, plain("errors < 1%"))
	}
	return nil
}

// variables tells that what was a variable of the shell comes from the environment.
func (d *draft) variables(line int, t text) {
	for _, p := range t {
		if name, ok := strings.CutPrefix(p.ref, "env."); ok && !d.hides(name) {
			d.env = append(d.env, Secret{name, "what the shell's variable of that name holds"})
			d.tell(line, "the shell's variable %s is read from the environment: export it", name)
		}
	}
}

// CurlWords writes the words of a command as a script, as a shell was given them.
func CurlWords(words []string) []byte {
	if len(words) > 0 && words[0] == "curl" {
		words = words[1:]
	}
	var b strings.Builder
	b.WriteString("curl")
	for _, w := range words {
		b.WriteString(" '" + strings.ReplaceAll(w, "'", `'\''`) + "'")
	}
	return []byte(b.String())
}

// curlLoad is the load that commands become.
type curlLoad struct {
	d    *draft
	load *node
	flow *node
}

// command makes steps of one command: of each URL, and of each part between --next.
func (c *curlLoad) command(cmd *command) {
	options, unknown := cmd.parse()
	for _, u := range unknown {
		c.d.lose(c.flow, cmd.line, "the option %s of curl", clip(u, 40))
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

// curlRequest is a command's request while its options are read.
type curlRequest struct {
	request
	urls  []text
	data  text
	query bool // the data goes into the URL
	kind  string
	more  []text // of --url-query
}

func (c *curlLoad) transfer(cmd *command, options []option) {
	d := c.d
	r := &curlRequest{request: request{line: cmd.line, stay: true}}
	for _, o := range options {
		if o.name == "" || o.name == "url" {
			r.urls = append(r.urls, o.value)
			continue
		}
		if !slices.Contains(dull, o.name) {
			c.option(cmd, r, o)
		}
	}
	if r.kind != "" && !r.query && r.contentType() == nil {
		r.headers = append(r.headers, header{"Content-Type", lit(r.kind)})
	}
	if r.query && r.data != nil {
		r.more = append(r.more, r.data)
		r.body = body{}
	} else if r.data != nil {
		r.body = body{text: r.data, sent: true}
	}
	if r.method == "" && r.body.sent {
		r.method = "POST"
	}
	for _, target := range r.urls {
		one := r.request
		if !c.aim(&one, join(target, r.appended(target))) {
			continue
		}
		d.add(c.flow, d.step(&one, c.flow))
	}
	if len(r.urls) == 0 {
		d.lose(c.flow, cmd.line, "a command without a URL")
	}
}

// appended is what the options add to a URL.
func (r *curlRequest) appended(target text) text {
	var out text
	sep := "?"
	for _, p := range target {
		if strings.Contains(p.lit, "?") {
			sep = "&"
		}
	}
	for _, m := range r.more {
		out = join(out, lit(sep), m)
		sep = "&"
	}
	return out
}

// span is a range of numbers in a URL, of which curl asks for one after the other.
var span = regexp.MustCompile(`\[(\d{1,9})-(\d{1,9})\]`)

// aim gives the step its URL. False when it can have none.
func (c *curlLoad) aim(r *request, target text) bool {
	d := c.d
	if target[0].ref != "" {
		if len(target) > 1 && !strings.HasPrefix(target[1].lit, "/") && !strings.HasPrefix(target[1].lit, "?") {
			d.lose(c.flow, r.line, "a host that a variable is a part of: %q", clip(target.String(), 80))
			return false
		}
		c.unknownHost(r, target)
		return true
	}
	whole := target[0].lit
	if !strings.Contains(whole, "://") {
		whole = "http://" + whole
	}
	scheme, rest, _ := strings.Cut(whole, "://")
	host, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	u, err := url.Parse(scheme + "://" + host)
	if err != nil || !isWeb(u) {
		d.lose(c.flow, r.line, "a request to %q", clip(withoutUser(whole), 80))
		return false
	}
	if path == "" && len(target) > 1 {
		d.lose(c.flow, r.line, "a host that a variable is a part of: %q", clip(target.String(), 80))
		return false
	}
	d.credentials(r, u)
	origin := d.place(u)
	begin, _ := origin.static()
	if begin = strings.TrimSuffix(begin, "/"); !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	rest0, _, fragment := strings.Cut(path, "#")
	out := join(lit(begin), spans(rest0))
	if !fragment {
		for _, p := range target[1:] {
			before, _, fragment := strings.Cut(p.lit, "#")
			if p.ref != "" {
				out = append(out, p)
			} else {
				out = join(out, spans(before))
			}
			if fragment {
				break
			}
		}
	}
	r.url = out
	return true
}

// unknownHost takes a URL whose beginning is a variable of the shell: that is the target,
// if nothing else is.
func (c *curlLoad) unknownHost(r *request, target text) {
	d := c.d
	if d.base.isZero() {
		d.base = target[:1]
		d.origin = target[:1].String()
		what := "the target is " + d.base.String() + ": set it, and name it under guard.allow.load unless it is this machine"
		d.tell(r.line, "%s", what)
		d.head = append(d.head, what)
	}
	rest := target[1:]
	if target[:1].String() != d.origin {
		rest = target
	} else if len(rest) == 0 || strings.HasPrefix(rest[0].lit, "?") {
		rest = join(lit("/"), rest)
	}
	r.url = rest.mapped(urlText)
}

// spans gives a part of a URL with ranges of numbers drawn at random.
func spans(s string) text {
	var out text
	for {
		m := span.FindStringSubmatchIndex(s)
		if m == nil {
			return append(out, piece{lit: urlText(s)})
		}
		from, to := s[m[2]:m[3]], s[m[4]:m[5]]
		a, _ := strconv.Atoi(from)
		b, _ := strconv.Atoi(to)
		if a > b {
			a, b = b, a
		}
		out = append(out, piece{lit: urlText(s[:m[0]])}, piece{ref: fmt.Sprintf("int(%d,%d)", a, b)})
		s = s[m[1]:]
	}
}

// urlText writes a part of a URL so that it is one: blanks and signs that none holds are
// percent-encoded.
func urlText(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		loose := c == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]))
		if c <= ' ' || c >= 0x7f || loose || strings.IndexByte(`"<>\^{|}`+"`", c) >= 0 {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func isHex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }
