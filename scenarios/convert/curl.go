package convert

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios"
)

// curlOptions are the options of curl that take a value, by their long names; those that
// have a short one with it.
var curlOptions = map[string]string{
	"request": "X", "header": "H", "data": "d", "data-ascii": "", "data-raw": "", "data-binary": "", "data-urlencode": "", "json": "", "form": "F",
	"form-string": "", "user": "u", "oauth2-bearer": "", "cookie": "b", "cookie-jar": "c", "user-agent": "A", "referer": "e", "url": "", "proxy": "x",
	"resolve": "", "max-time": "m", "cacert": "", "cert": "E", "key": "", "upload-file": "T", "output": "o", "write-out": "w", "connect-timeout": "",
	"retry": "", "retry-delay": "", "retry-max-time": "", "max-redirs": "", "range": "r", "limit-rate": "", "interface": "", "unix-socket": "",
	"aws-sigv4": "", "dump-header": "D", "config": "K", "proxy-user": "U", "stderr": "", "trace": "", "trace-ascii": "", "ciphers": "", "tls-max": "",
	"connect-to": "", "url-query": "", "cert-type": "", "pass": "", "capath": "", "max-filesize": "", "speed-limit": "Y", "speed-time": "y", "output-dir": "",
	"dns-servers": "", "noproxy": "", "rate": "", "happy-eyeballs-timeout-ms": "", "keepalive-time": "", "local-port": "", "quote": "Q", "time-cond": "z",
}

// curlSwitches are the options without a value, and their short names.
var curlSwitches = map[string]string{
	"get": "G", "head": "I", "insecure": "k", "location": "L", "compressed": "", "silent": "s", "show-error": "S", "verbose": "v", "include": "i",
	"fail": "f", "fail-with-body": "", "http1.1": "", "http2": "", "http2-prior-knowledge": "", "http1.0": "0", "http3": "", "tlsv1.2": "", "tlsv1.3": "",
	"digest": "", "ntlm": "", "negotiate": "", "basic": "", "anyauth": "", "location-trusted": "", "remote-name": "O", "globoff": "g", "ipv4": "4", "ipv6": "6",
	"no-buffer": "N", "progress-bar": "#", "next": ":", "remote-header-name": "J", "create-dirs": "", "parallel": "Z", "no-keepalive": "", "tcp-nodelay": "",
	"no-progress-meter": "", "path-as-is": "", "post301": "", "post302": "", "post303": "", "disable": "q", "no-sessionid": "", "fail-early": "",
	"retry-all-errors": "", "retry-connrefused": "", "styled-output": "", "no-silent": "", "proto-default": "", "ssl": "", "ssl-reqd": "", "raw": "",
}

// dull are options that change nothing of what a target is asked for.
var dull = []string{
	"silent", "show-error", "verbose", "include", "fail", "fail-with-body", "output", "write-out", "remote-name", "no-buffer", "progress-bar", "dump-header",
	"globoff", "stderr", "trace", "trace-ascii", "cookie-jar", "remote-header-name", "create-dirs", "no-progress-meter", "disable", "basic", "tcp-nodelay",
	"output-dir", "fail-early", "styled-output", "keepalive-time", "no-sessionid", "parallel",
}

// option is one of a command, under its long name. A word that is none has no name.
type option struct {
	name  string
	value text
}

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

// parse takes the words of a command apart.
func (c *command) parse() (out []option, unknown []string) {
	words := c.words
	for len(words) > 0 {
		w := words[0]
		words = words[1:]
		s := ""
		if len(w) > 0 {
			s = w[0].lit
		}
		next := func() text {
			if len(words) == 0 {
				return lit("")
			}
			v := words[0]
			words = words[1:]
			return v
		}
		switch {
		case strings.HasPrefix(s, "--") && s != "--":
			name := strings.TrimPrefix(s, "--")
			_, valued := curlOptions[name]
			_, plain := curlSwitches[name]
			switch {
			case valued:
				out = append(out, option{name, next()})
			case plain, strings.HasPrefix(name, "no-"):
				out = append(out, option{name: name})
			default:
				unknown = append(unknown, s)
			}
		case strings.HasPrefix(s, "-") && len(s) > 1 && s != "--":
			for i := 1; i < len(s); i++ {
				short := s[i : i+1]
				if name := longName(curlOptions, short); name != "" {
					value := join(lit(s[i+1:]), w[1:])
					if value.isZero() {
						value = next()
					}
					out = append(out, option{name, value})
					break
				}
				if name := longName(curlSwitches, short); name != "" {
					out = append(out, option{name: name})
				} else {
					unknown = append(unknown, "-"+short)
				}
			}
		case s == "--" && len(w) == 1, w.isZero():
		default:
			out = append(out, option{value: w})
		}
	}
	return slices.DeleteFunc(out, func(o option) bool { return slices.Contains(o.value, piece{ref: onlyShell}) }), unknown
}

func longName(of map[string]string, short string) string {
	for _, name := range sortedKeys(of) {
		if of[name] == short {
			return name
		}
	}
	return ""
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

// option carries one option over.
func (c *curlLoad) option(cmd *command, r *curlRequest, o option) {
	d := c.d
	value, static := o.value.static()
	lose := func(format string, args ...any) { d.loseAt(&r.above, cmd.line, format, args...) }
	head := func(name string, value text) { r.headers = append(r.headers, header{name, value}) }
	switch o.name {
	case "request":
		r.method = value
	case "header":
		c.header(r, o.value, lose)
	case "data", "data-ascii", "data-raw", "data-binary", "json":
		c.send(cmd, r, o, lose)
	case "data-urlencode":
		c.encode(r, o.value, lose)
	case "form", "form-string":
		c.part(r, o, lose)
	case "get":
		r.query = true
	case "head":
		r.method = "HEAD"
	case "url-query":
		r.more = append(r.more, o.value.mapped(urlText))
	case "user":
		user, password, found := o.value.cut(":")
		if name, ok := user.static(); found && ok {
			if secret, ok := password.static(); ok {
				password = d.hide(cmd.line, "password", "the password of "+clip(name, 40), secret)
			}
		}
		if !found {
			password = ref("env.PASSWORD")
			d.env = append(d.env, Secret{"PASSWORD", "the password that curl asks for"})
		}
		r.user, r.password = user, password
	case "oauth2-bearer":
		head("Authorization", join(lit("Bearer "), c.secret(cmd, "token", "the bearer token", o.value)))
	case "cookie":
		if static && !strings.Contains(value, "=") {
			lose("cookies of the file %q", clip(value, 60))
			return
		}
		head("Cookie", o.value)
	case "user-agent":
		head("User-Agent", o.value)
	case "referer":
		head("Referer", o.value)
	case "range":
		head("Range", join(lit("bytes="), o.value))
	case "location", "location-trusted":
		r.stay = false
	case "max-redirs":
		if value == "0" {
			r.stay = true
		}
	case "compressed":
		head("Accept-Encoding", lit("gzip, br"))
	case "insecure":
		d.secure("insecure_skip_verify", raw("true"))
	case "cacert":
		d.secure("ca", plain(d.beside(value)))
	case "cert":
		file, _, secret := strings.Cut(value, ":")
		d.secure("cert", plain(d.beside(file)))
		if secret {
			lose("the passphrase of a client's key")
		}
	case "key":
		d.secure("key", plain(d.beside(value)))
	case "tlsv1.3":
		d.secure("min_version", raw("1.3"))
	case "tlsv1.2":
	case "http1.1", "http1.0":
		c.connections("http", raw(`"1.1"`))
	case "http2": // where TLS offers it, as brunt does
	case "http2-prior-knowledge":
		c.connections("http", raw("h2c"))
	case "no-keepalive":
		c.connections("keep_alive", raw("off"))
	case "proxy":
		c.proxy(value, lose)
	case "noproxy":
		lose("--noproxy %s: `connections.proxy: none` goes past every proxy", clip(value, 40))
	case "max-time":
		if s, err := strconv.ParseFloat(value, 64); err == nil && s > 0 && s < 86400 {
			c.load.set("timeout", raw(scenarios.FormatDuration(scenarios.Num(s).D())))
		}
	case "resolve":
		c.resolve(value, lose)
	case "upload-file":
		if value == "-" || value == "." {
			lose("the standard input as a body")
			return
		}
		if r.method == "" {
			r.method = "PUT"
		}
		r.body = body{file: value, sent: true}
	case "interface":
		lose("--interface %s; `connections.source_addresses` takes addresses", clip(value, 40))
	case "digest", "ntlm", "negotiate", "anyauth":
		lose("authentication by --%s", o.name)
	case "aws-sigv4":
		lose("--aws-sigv4; `sign: {aws: …}` is the setting for it")
	default:
		lose("the option --%s of curl", o.name) // its value may be a secret
	}
}

// secure adds a setting of the target's TLS.
func (d *draft) secure(key string, v *node) {
	if d.tls == nil {
		d.tls = new(node)
	}
	d.tls.set(key, v)
}

func (c *curlLoad) connections(key string, v *node) {
	con := c.load.get("connections")
	if con == nil {
		con = new(node)
		c.load.set("connections", con)
	}
	con.set(key, v)
}

// secret hides what is written, and leaves what is a variable.
func (c *curlLoad) secret(cmd *command, name, what string, value text) text {
	if s, static := value.static(); static {
		return c.d.hide(cmd.line, name, what, s)
	}
	return value
}

func (c *curlLoad) header(r *curlRequest, value text, lose func(string, ...any)) {
	name, rest, found := value.cut(":")
	whole, static := name.static()
	switch {
	case !found && static && strings.HasSuffix(whole, ";"):
		r.headers = append(r.headers, header{strings.TrimSuffix(whole, ";"), lit("")})
	case !found && static && strings.HasPrefix(whole, "@"):
		lose("the headers of the file %q", clip(whole[1:], 60))
	case !found || !static:
		lose("a header without a name: %q", clip(value.String(), 60))
	case !rest.isZero(): // an empty one keeps curl from sending its own
		rest[0].lit = strings.TrimLeft(rest[0].lit, " \t")
		last := len(rest) - 1
		rest[last].lit = strings.TrimRight(rest[last].lit, " \t")
		r.headers = append(r.headers, header{strings.TrimSpace(whole), rest})
	}
}

// send adds data to the body; curl joins several by &.
func (c *curlLoad) send(cmd *command, r *curlRequest, o option, lose func(string, ...any)) {
	kind := "application/x-www-form-urlencoded"
	if o.name == "json" {
		kind = "application/json"
		if !slices.ContainsFunc(r.headers, func(h header) bool { return strings.EqualFold(h.name, "Accept") }) {
			r.headers = append(r.headers, header{"Accept", lit(kind)})
		}
	}
	if r.kind == "" {
		r.kind = kind
	}
	value := o.value
	file, static := value.static()
	if static && strings.HasPrefix(file, "@") && o.name != "data-raw" {
		switch file = file[1:]; {
		case file == "-" && cmd.stdin != nil:
			value = cmd.stdin
			if o.name != "data-binary" && o.name != "json" {
				value = value.mapped(func(s string) string { return strings.NewReplacer("\n", "", "\r", "").Replace(s) })
			}
		case file == "-":
			lose("the standard input as a body")
			return
		case r.data != nil || r.body.file != "":
			lose("a body of several pieces, of which the file %q is one", clip(file, 60))
			return
		default:
			r.body = body{file: file, sent: true}
			if r.query {
				lose("the file %q as a query", clip(file, 60))
			}
			return
		}
	}
	c.data(r, value, lose)
}

func (c *curlLoad) data(r *curlRequest, value text, lose func(string, ...any)) {
	switch {
	case r.body.file != "":
		lose("data behind a file that is the body")
	case r.data == nil:
		r.data = value
	case r.kind == "application/json":
		r.data = join(r.data, value)
	default:
		r.data = join(r.data, lit("&"), value)
	}
}

// encode reads --data-urlencode: content, =content, name=content, @file or name@file.
func (c *curlLoad) encode(r *curlRequest, value text, lose func(string, ...any)) {
	if r.kind == "" {
		r.kind = "application/x-www-form-urlencoded"
	}
	if first := value[0].lit; strings.Contains(first, "@") && !strings.Contains(first, "=") {
		lose("--data-urlencode of a file")
		return
	}
	name, rest, found := value.cut("=")
	if !found {
		name, rest = nil, value
	}
	rest = rest.mapped(url.QueryEscape)
	if !name.isZero() {
		rest = join(name, lit("="), rest)
	}
	c.data(r, rest, lose)
}

// part reads -F name=text, name=@file;type=…;filename=… and name=<file.
func (c *curlLoad) part(r *curlRequest, o option, lose func(string, ...any)) {
	name, value, found := o.value.cut("=")
	field, static := name.static()
	if !found || !static {
		lose("a part without a name: %q", clip(o.value.String(), 60))
		return
	}
	p := part{name: field, text: value}
	if whole, ok := value.static(); ok && o.name == "form" {
		whole, settings := formSettings(whole)
		p.kind, p.fileName, p.text = settings["type"], settings["filename"], lit(whole)
		switch {
		case strings.HasPrefix(whole, "@") && strings.Contains(whole, ","):
			lose("several files of one field: %q", clip(whole, 60))
			return
		case strings.HasPrefix(whole, "@"):
			p.file = whole[1:]
		case strings.HasPrefix(whole, "<"):
			p.file = whole[1:]
			lose("%s is sent as a file, not as a field: the content of %q", field, clip(p.file, 60))
		}
	}
	r.body.sent = true
	r.body.parts = append(r.body.parts, p)
}

// formSettings takes ;type=… and ;filename=… off a value of a form.
func formSettings(s string) (string, map[string]string) {
	out := map[string]string{}
	parts := strings.Split(s, ";")
	for len(parts) > 1 {
		key, value, ok := strings.Cut(strings.TrimSpace(parts[len(parts)-1]), "=")
		if !ok || key != "type" && key != "filename" {
			break
		}
		out[key] = strings.Trim(value, `"`)
		parts = parts[:len(parts)-1]
	}
	return strings.Trim(strings.Join(parts, ";"), `"`), out
}

// resolve reads host:port:address.
func (c *curlLoad) resolve(value string, lose func(string, ...any)) {
	parts := strings.SplitN(strings.TrimPrefix(value, "+"), ":", 3)
	if len(parts) != 3 || !hostName.MatchString(parts[0]) || parts[1] == "" || scenarios.CheckPort(parts[1]) != nil {
		lose("--resolve %s", clip(value, 60))
		return
	}
	address, _, _ := strings.Cut(parts[2], ",")
	ip, err := netip.ParseAddr(strings.Trim(address, "[]"))
	if err != nil || ip.Zone() != "" {
		lose("--resolve %s", clip(value, 60))
		return
	}
	res := c.load.get("resolve")
	if res == nil {
		res = new(node)
		c.load.set("resolve", res)
	}
	res.set(parts[0]+":"+parts[1], plain(ip.String()))
	if !ip.IsLoopback() {
		c.d.reachAs(&url.URL{Host: ip.String()}, lit(ip.String()))
	}
}

func (c *curlLoad) proxy(value string, lose func(string, ...any)) {
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	u, err := url.Parse(value)
	if err != nil || !isWeb(u) || u.Scheme != "http" || u.User != nil {
		lose("the proxy %q; `connections.proxy` takes http://host:port", clip(withoutUser(value), 60))
		return
	}
	c.connections("proxy", plain("http://"+u.Host))
	c.d.reach(u)
}

// withoutUser masks what could be a password in a URL.
func withoutUser(s string) string {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		return "…" + s[i:]
	}
	return s
}
