package curl

import (
	"cmp"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// curlOptions are the options of curl with a value, by their long names, with their short names.
var curlOptions = map[string]string{
	"request": "X", "header": "H", "data": "d", "data-ascii": "", "data-raw": "", "data-binary": "", "data-urlencode": "",
	"json": "", "form": "F",
	"form-string": "", "user": "u", "oauth2-bearer": "", "cookie": "b", "cookie-jar": "c", "user-agent": "A",
	"referer": "e", "url": "", "proxy": "x",
	"resolve": "", "max-time": "m", "cacert": "", "cert": "E", "key": "", "upload-file": "T", "output": "o",
	"write-out": "w", "connect-timeout": "",
	"retry": "", "retry-delay": "", "retry-max-time": "", "max-redirs": "", "range": "r", "limit-rate": "",
	"interface": "", "unix-socket": "",
	"aws-sigv4": "", "dump-header": "D", "config": "K", "proxy-user": "U", "stderr": "", "trace": "", "trace-ascii": "",
	"ciphers": "", "tls-max": "",
	"connect-to": "", "url-query": "", "cert-type": "", "pass": "", "capath": "", "max-filesize": "", "speed-limit": "Y",
	"speed-time": "y", "output-dir": "",
	"dns-servers": "", "noproxy": "", "rate": "", "happy-eyeballs-timeout-ms": "", "keepalive-time": "", "local-port": "",
	"quote": "Q", "time-cond": "z",
	"abstract-unix-socket": "", "alt-svc": "", "continue-at": "C", "create-file-mode": "", "crlfile": "", "curves": "",
	"delegation": "", "dns-interface": "",
	"dns-ipv4-addr": "", "dns-ipv6-addr": "", "doh-url": "", "ech": "", "egd-file": "", "engine": "", "etag-compare": "",
	"etag-save":         "",
	"expect100-timeout": "", "ftp-account": "", "ftp-alternative-to-user": "", "ftp-method": "", "ftp-port": "P",
	"ftp-ssl-ccc-mode": "",
	"haproxy-clientip": "", "help": "h", "hostpubmd5": "", "hostpubsha256": "", "hsts": "", "ip-tos": "",
	"ipfs-gateway": "", "keepalive-cnt": "",
	"key-type": "", "krb": "", "libcurl": "", "login-options": "", "mail-auth": "", "mail-from": "", "mail-rcpt": "",
	"netrc-file": "", "parallel-max": "",
	"parallel-max-host": "", "pinnedpubkey": "", "preproxy": "", "proto": "", "proto-default": "", "proto-redir": "",
	"proxy-cacert": "", "proxy-capath": "", "proxy-cert": "",
	"proxy-cert-type": "", "proxy-ciphers": "", "proxy-crlfile": "", "proxy-header": "", "proxy-key": "",
	"proxy-key-type": "", "proxy-pass": "",
	"proxy-pinnedpubkey": "", "proxy-service-name": "", "proxy-tls13-ciphers": "", "proxy-tlsauthtype": "",
	"proxy-tlspassword": "", "proxy-tlsuser": "",
	"proxy1.0": "", "pubkey": "", "random-file": "", "request-target": "", "sasl-authzid": "", "service-name": "",
	"sigalgs": "", "socks4": "", "socks4a": "",
	"socks5": "", "socks5-gssapi-service": "", "socks5-hostname": "", "telnet-option": "t", "tftp-blksize": "",
	"tls13-ciphers": "", "tlsauthtype": "",
	"tlspassword": "", "tlsuser": "", "trace-config": "", "upload-flags": "", "variable": "", "vlan-priority": "",
}

// curlSwitches are the options without a value, with their short names.
var curlSwitches = map[string]string{
	"get": "G", "head": "I", "insecure": "k", "location": "L", "compressed": "", "silent": "s", "show-error": "S",
	"verbose": "v", "include": "i",
	"fail": "f", "fail-with-body": "", "http1.1": "", "http2": "", "http2-prior-knowledge": "", "http1.0": "0",
	"http3": "", "tlsv1.2": "", "tlsv1.3": "",
	"digest": "", "ntlm": "", "negotiate": "", "basic": "", "anyauth": "", "location-trusted": "", "remote-name": "O",
	"globoff": "g", "ipv4": "4", "ipv6": "6",
	"no-buffer": "N", "progress-bar": "#", "next": ":", "remote-header-name": "J", "create-dirs": "", "parallel": "Z",
	"no-keepalive": "", "tcp-nodelay": "",
	"no-progress-meter": "", "path-as-is": "", "post301": "", "post302": "", "post303": "", "disable": "q",
	"no-sessionid": "", "fail-early": "",
	"retry-all-errors": "", "retry-connrefused": "", "styled-output": "", "no-silent": "", "ssl": "", "ssl-reqd": "",
	"raw":    "",
	"append": "a", "ca-native": "", "cert-status": "", "compressed-ssh": "", "crlf": "", "disable-eprt": "",
	"disable-epsv": "", "disallow-username-in-url": "",
	"doh-cert-status": "", "doh-insecure": "", "false-start": "", "follow": "", "form-escape": "", "ftp-create-dirs": "",
	"ftp-pasv": "", "ftp-pret": "",
	"ftp-skip-pasv-ip": "", "ftp-ssl-ccc": "", "ftp-ssl-control": "", "haproxy-protocol": "", "http0.9": "",
	"http3-only": "", "ignore-content-length": "",
	"junk-session-cookies": "j", "list-only": "l", "mail-rcpt-allowfails": "", "manual": "M", "metalink": "", "mptcp": "",
	"netrc": "n", "netrc-optional": "",
	"ntlm-wb": "", "out-null": "", "parallel-immediate": "", "proxy-anyauth": "", "proxy-basic": "", "proxy-ca-native": "",
	"proxy-digest": "",
	"proxy-http2":  "", "proxy-insecure": "", "proxy-negotiate": "", "proxy-ntlm": "", "proxy-ssl-allow-beast": "",
	"proxy-ssl-auto-client-cert": "",
	"proxy-tlsv1":                "", "proxytunnel": "p", "remote-name-all": "", "remote-time": "R", "remove-on-error": "",
	"sasl-ir":       "",
	"skip-existing": "",
	"socks5-basic":  "", "socks5-gssapi": "", "socks5-gssapi-nec": "", "ssl-allow-beast": "", "ssl-auto-client-cert": "",
	"ssl-no-revoke":          "",
	"ssl-revoke-best-effort": "", "sslv2": "2", "sslv3": "3", "suppress-connect-headers": "", "tcp-fastopen": "",
	"tftp-no-options": "", "tls-earlydata": "",
	"tlsv1": "1", "tlsv1.0": "", "tlsv1.1": "", "tr-encoding": "", "trace-time": "", "use-ascii": "B", "version": "V",
	"xattr": "",
}

// dull are options that do not affect the request.
var dull = []string{
	"silent", "show-error", "verbose", "include", "fail", "fail-with-body", "output", "write-out", "remote-name",
	"no-buffer", "progress-bar", "dump-header",
	"globoff", "path-as-is", "stderr", "trace", "trace-ascii", "cookie-jar", "remote-header-name", "create-dirs",
	"no-progress-meter",
	"disable", "basic", "tcp-nodelay",
	"output-dir", "fail-early", "styled-output", "keepalive-time", "no-sessionid", "parallel", "remote-time",
	"remote-name-all",
	"trace-time", "trace-config", "xattr", "parallel-max", "parallel-immediate", "libcurl", "create-file-mode",
	"remove-on-error", "suppress-connect-headers",
}

// option is an option of a command, by its long name. An argument has no name.
type option struct {
	name  string
	value draft.Text
}

// parse splits the words of a command into options.
func (c *command) parse() (out []option, unknown []string) {
	words := c.words
	for len(words) > 0 {
		w := words[0]
		words = words[1:]
		s := ""
		if len(w) > 0 {
			s = w[0].Lit
		}
		next := func() draft.Text {
			if len(words) == 0 {
				return draft.Lit("")
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
				out = append(out, valueOf(name, next()))
			case plain, strings.HasPrefix(name, "no-"):
				out = append(out, option{name: name})
			default:
				unknown = append(unknown, s)
			}
		case strings.HasPrefix(s, "-") && len(s) > 1 && s != "--":
			for i := 1; i < len(s); i++ {
				short := s[i : i+1]
				if name := longName(curlOptions, short); name != "" {
					value := draft.Join(draft.Lit(s[i+1:]), w[1:])
					if value.IsZero() {
						value = next()
					}
					out = append(out, valueOf(name, value))
					break
				}
				if name := longName(curlSwitches, short); name != "" {
					out = append(out, option{name: name})
				} else {
					unknown = append(unknown, "-"+short)
				}
			}
		case s == "--" && len(w) == 1, w.IsZero():
		default:
			out = append(out, option{value: w})
		}
	}
	return slices.DeleteFunc(out, func(o option) bool {
		return len(o.value) > 0 && o.value[0].Ref == onlyShell && (o.name != "" && o.name != "url" || !isURL(o.value[1:]))
	}), unknown
}

// isURL reports whether a word of which only the shell knows a part is a URL, rather than an option.
func isURL(w draft.Text) bool {
	return !strings.HasPrefix(w[0].Lit, "-") &&
		slices.ContainsFunc(w, func(p draft.Piece) bool { return strings.Contains(p.Lit, "/") })
}

// valueOf returns an option with its value. A body keeps the part that is known: without a body the request would be a
// GET.
func valueOf(name string, value draft.Text) option {
	if len(value) > 1 && value[0].Ref == onlyShell && slices.Contains(bodies, name) {
		value = value[1:]
	}
	return option{name, value}
}

// bodies are options that give a request a body.
var bodies = []string{
	"data", "data-ascii", "data-raw", "data-binary", "data-urlencode", "json", "form", "form-string",
}

func longName(of map[string]string, short string) string {
	for _, name := range draft.SortedKeys(of) {
		if of[name] == short {
			return name
		}
	}
	return ""
}

// option applies one option.
func (c *curlLoad) option(cmd *command, r *curlRequest, o option) {
	d := c.d
	value, static := o.value.Static()
	lose := func(format string, args ...any) { d.LoseAt(&r.Above, cmd.line, format, args...) }
	variable := func() { lose("the curl option --%s, with a variable of the shell", o.name) }
	head := func(name string, value draft.Text) {
		r.Headers = append(r.Headers, draft.Header{Name: name, Value: value})
	}
	switch o.name {
	case "request":
		if r.Method = value; !static {
			variable()
		}
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
		r.Method = "HEAD"
	case "url-query":
		raw, ok := o.value.Static()
		if raw, plus := strings.CutPrefix(raw, "+"); ok && plus {
			r.more = append(r.more, draft.Lit(draft.URLText(raw)))
		} else if text := c.encoded(o.value, "--url-query", lose); text != nil {
			r.more = append(r.more, text)
		}
	case "user":
		user, password, found := o.value.Cut(":")
		if found {
			password = d.HideText(cmd.line, "password", "the password of "+draft.Clip(user.String(), 40), password)
		}
		if !found {
			if _, ok := user.Static(); !ok {
				lose("a password in %s: the variable is the user alone here", draft.Clip(user.String(), 60))
			}
			who := user.String()
			what := "the password of " + draft.Clip(who, 40) + " (curl asks for it)"
			password = d.Hide(cmd.line, "password", what, "asked of "+who)
		}
		r.User, r.Password = user, password
	case "oauth2-bearer":
		head("Authorization", draft.Join(draft.Lit("Bearer "), d.HideText(cmd.line, "token", "the bearer token", o.value)))
	case "cookie":
		if static && !strings.Contains(value, "=") {
			lose("cookies of the file %q", draft.Clip(value, 60))
			return
		}
		if _, _, pair := o.value.Cut("="); !pair && !static {
			lose("cookies of a file, if %s names one", draft.Clip(o.value.String(), 60))
		}
		head("Cookie", o.value)
	case "user-agent":
		head("User-Agent", o.value)
	case "referer":
		head("Referer", o.value)
	case "range":
		if static && value != "" && strings.Trim(value, "0123456789") == "" {
			value += "-" // curl asks for all from there
			o.value = draft.Lit(value)
		}
		head("Range", draft.Join(draft.Lit("bytes="), o.value))
	case "location", "location-trusted":
		if o.name == "location-trusted" {
			lose("that --location-trusted sends credentials to other hosts as well")
		}
		r.Stay = false
		r.Follow = cmp.Or(r.Follow, 50) // which curl follows at most
	case "max-redirs":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			lose("--max-redirs %s: up to 50 redirects are followed", draft.Clip(value, 20))
		} else if r.Follow = n; n == 0 {
			r.Follow = -1
		}
	case "compressed":
		head("Accept-Encoding", draft.Lit("gzip, br"))
	case "upload-file":
		if value == "-" && cmd.file != "" {
			value = cmd.file
		}
		if r.Method == "" {
			r.Method = "PUT"
		}
		if value == "-" || value == "." {
			if r.Body = (draft.Body{Text: cmd.stdin, Sent: true}); cmd.stdin == nil {
				lose("the standard input as a body: it is empty here")
			}
			return
		}
		if r.Body = (draft.Body{File: value, Sent: static}); !static {
			variable()
		}
	default:
		if !static {
			variable()
		} else if !c.connection(cmd.line, o.name, value, lose) {
			lose("the curl option --%s", o.name) // its value may be a secret
		}
	}
}

// connection applies an option about TLS, the connection or the authentication, and reports whether
// it is one.
func (c *curlLoad) connection(line int, name, value string, lose func(format string, args ...any)) bool {
	secure := func(key string, v *draft.Node) {
		c.hold(line, name, value, func() { secure(c.d, key, v) })
	}
	connections := func(key string, v *draft.Node) {
		c.hold(line, name, value, func() { c.connections(key, v) })
	}
	switch name {
	case "insecure":
		secure("insecure_skip_verify", draft.Raw("true"))
	case "cacert":
		secure("ca", draft.Plain(c.d.Beside(value)))
	case "cert":
		file, _, secret := strings.Cut(value, ":")
		secure("cert", draft.Plain(c.d.Beside(file)))
		if secret {
			lose("the passphrase of a client's key")
		}
	case "key":
		secure("key", draft.Plain(c.d.Beside(value)))
	case "tlsv1.3":
		secure("min_version", draft.Raw("1.3"))
	case "tlsv1.2":
	case "http1.1", "http1.0":
		if connections("http", draft.Raw(`"1.1"`)); name == "http1.0" {
			lose("--http1.0: brunt sends HTTP/1.1")
		}
	case "http2": // if TLS negotiates it, as brunt does anyway
	case "http2-prior-knowledge":
		connections("http", draft.Raw("h2c"))
	case "no-keepalive":
		connections("keep_alive", draft.Raw("off"))
	case "proxy":
		c.proxy(line, value, lose)
	case "noproxy":
		lose("--noproxy %s: `connections.proxy: none` goes past every proxy", draft.Clip(value, 40))
	case "max-time":
		if s, err := strconv.ParseFloat(value, 64); err == nil && s > 0 && s < 86400 {
			c.hold(line, name, value, func() {
				c.load.Set("timeout", draft.Raw(quantity.FormatDuration(result.Num(s).D())))
			})
		}
	case "resolve":
		c.resolve(value, lose)
	case "interface":
		lose("--interface %s; `connections.source_addresses` takes addresses", draft.Clip(value, 40))
	case "digest", "ntlm", "negotiate", "anyauth":
		lose("authentication by --%s", name)
	case "aws-sigv4":
		lose("--aws-sigv4; `sign: {aws: …}` is the setting for it")
	default:
		return false
	}
	return true
}

// secure adds a setting of the target's TLS.
func secure(d *draft.Builder, key string, v *draft.Node) {
	if d.TLS == nil {
		d.TLS = new(draft.Node)
	}
	d.TLS.Set(key, v)
}

func (c *curlLoad) connections(key string, v *draft.Node) {
	con := c.load.Get("connections")
	if con == nil {
		con = new(draft.Node)
		c.load.Set("connections", con)
	}
	con.Set(key, v)
}

func (c *curlLoad) header(r *curlRequest, value draft.Text, lose func(string, ...any)) {
	name, rest, found := value.Cut(":")
	whole, static := name.Static()
	switch {
	case !found && static && strings.HasSuffix(whole, ";"):
		r.Headers = append(r.Headers, draft.Header{Name: strings.TrimSuffix(whole, ";"), Value: draft.Lit("")})
	case !found && static && strings.HasPrefix(whole, "@"):
		lose("the headers of the file %q", draft.Clip(whole[1:], 60))
	case !found || !static:
		lose("a header without a name: %q", draft.Clip(value.String(), 60))
	case rest.IsZero(): // which only stops curl from sending its own header
		r.untyped = r.untyped || strings.EqualFold(whole, "Content-Type")
	default:
		rest[0].Lit = strings.TrimLeft(rest[0].Lit, " \t")
		last := len(rest) - 1
		rest[last].Lit = strings.TrimRight(rest[last].Lit, " \t")
		r.Headers = append(r.Headers, draft.Header{Name: strings.TrimSpace(whole), Value: rest})
	}
}

// send adds data to the body. Like curl, it joins several data options by &.
func (c *curlLoad) send(cmd *command, r *curlRequest, o option, lose func(string, ...any)) {
	kind := "application/x-www-form-urlencoded"
	if o.name == "json" {
		kind = "application/json"
		if !slices.ContainsFunc(r.Headers, func(h draft.Header) bool { return strings.EqualFold(h.Name, "Accept") }) {
			r.Headers = append(r.Headers, draft.Header{Name: "Accept", Value: draft.Lit(kind)})
		}
	}
	if r.kind == "" {
		r.kind = kind
	}
	value := o.value
	if strings.HasPrefix(value[0].Lit, "@") && o.name != "data-raw" {
		file, static := value.Static()
		switch file = strings.TrimPrefix(file, "@"); {
		case !static:
			lose("a body of the file %q, with a variable of the shell: it is empty here", draft.Clip(value.String(), 60))
			value = draft.Lit("")
		case file == "-" && cmd.stdin != nil:
			value = cmd.stdin
			if o.name != "data-binary" && o.name != "json" {
				value = value.Mapped(func(s string) string { return strings.NewReplacer("\n", "", "\r", "").Replace(s) })
			}
		case file == "-" && cmd.file == "":
			lose("the standard input as a body: it is empty here")
			value = draft.Lit("")
		case r.data != nil || r.Body.File != "":
			lose("a body of several pieces, one of them the file %q", draft.Clip(file, 60))
			return
		default:
			if file == "-" {
				file = cmd.file
			}
			r.Body = draft.Body{File: file, Sent: true}
			if r.query {
				lose("the file %q as a query", draft.Clip(file, 60))
			}
			return
		}
	}
	c.data(r, value, lose)
}

func (c *curlLoad) data(r *curlRequest, value draft.Text, lose func(string, ...any)) {
	switch {
	case r.Body.File != "":
		lose("data behind a file that is the body")
	case r.data == nil:
		r.data = value
	case r.kind == "application/json":
		r.data = draft.Join(r.data, value)
	default:
		r.data = draft.Join(r.data, draft.Lit("&"), value)
	}
}

// encode parses --data-urlencode: content, =content, name=content, @file or name@file.
func (c *curlLoad) encode(r *curlRequest, value draft.Text, lose func(string, ...any)) {
	if r.kind == "" {
		r.kind = "application/x-www-form-urlencoded"
	}
	text := c.encoded(value, "--data-urlencode", lose)
	if text == nil {
		text = draft.Lit("") // without data the request would be a GET
	}
	c.data(r, text, lose)
	_, static := text.Static()
	r.encode = r.encode || !static
}

// encoded returns such a value percent-encoded. It is nil if the value is in a file.
func (c *curlLoad) encoded(value draft.Text, option string, lose func(string, ...any)) draft.Text {
	name, rest, found := value.Cut("=")
	if _, _, file := value.Cut("@"); file && !found {
		lose("%s of a file", option)
		return nil
	}
	if !found {
		name, rest = nil, value
	}
	rest = rest.Mapped(url.QueryEscape)
	if !name.IsZero() {
		rest = draft.Join(name, draft.Lit("="), rest)
	}
	return rest
}

// part parses -F name=text, name=@file;type=…;filename=… and name=<file.
func (c *curlLoad) part(r *curlRequest, o option, lose func(string, ...any)) {
	r.Body.Sent = true
	name, value, found := o.value.Cut("=")
	field, static := name.Static()
	if !found || !static {
		lose("a part without a name: %q", draft.Clip(o.value.String(), 60))
		return
	}
	p := draft.Part{Name: field, Text: value}
	whole, static := value.Static()
	if !static && o.name == "form" {
		before, after, _ := value.Cut(";")
		more, known := after.Static()
		if !known || strings.ContainsAny(value[0].Lit[:min(1, len(value[0].Lit))], `@<"`) {
			lose("the part %s, with a variable of the shell", field)
			return
		}
		_, settings := formSettings(";" + more)
		p.Kind, p.FileName, p.Text = settings["type"], settings["filename"], before
	} else if o.name == "form" {
		whole, settings := formSettings(whole)
		p.Kind, p.FileName, p.Text = settings["type"], settings["filename"], draft.Lit(whole)
		switch {
		case strings.HasPrefix(whole, "@") && strings.Contains(whole, ","):
			lose("several files of one field: %q", draft.Clip(whole, 60))
			return
		case strings.HasPrefix(whole, "@"):
			p.File = strings.Trim(whole[1:], `"`)
		case strings.HasPrefix(whole, "<"):
			p.File = strings.Trim(whole[1:], `"`)
			lose("%s is sent as a file, not as a field: the content of %q", field, draft.Clip(p.File, 60))
		}
	}
	r.Body.Parts = append(r.Body.Parts, p)
}

// formSettings splits ;type=… and ;filename=… off a value of a form, as curl does. What follows a type is a parameter
// of it, such as its charset; other words after a semicolon are dropped, unless the text is in quotes.
func formSettings(s string) (string, map[string]string) {
	parts := strings.Split(s, ";")
	out, last, text := map[string]string{}, "", 1
	for _, part := range parts[1:] {
		key, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case ok && (key == "type" || key == "filename"):
			out[key], last = strings.Trim(value, `"`), key
		case last == "type":
			out[last] += ";" + strings.TrimRight(part, " ")
		case last == "" && strings.HasPrefix(strings.TrimLeft(s, "@<"), `"`):
			text++
		}
	}
	return strings.Trim(strings.Join(parts[:text], ";"), `"`), out
}

// resolve parses host:port:address,address.
func (c *curlLoad) resolve(value string, lose func(string, ...any)) {
	parts := strings.SplitN(strings.TrimPrefix(value, "+"), ":", 3)
	if len(parts) != 3 || !draft.IsHostName(parts[0]) || parts[1] == "" || syntax.CheckPort(parts[1]) != nil {
		lose("--resolve %s", draft.Clip(value, 60))
		return
	}
	var to []string
	for address := range strings.SplitSeq(parts[2], ",") {
		ip, err := netip.ParseAddr(strings.Trim(address, "[]"))
		if err != nil || ip.Zone() != "" {
			lose("--resolve %s", draft.Clip(value, 60))
			return
		}
		to = append(to, ip.String())
	}
	for _, ip := range to {
		c.d.ReachAs(&url.URL{Host: net.JoinHostPort(ip, parts[1])}, draft.Lit(ip))
	}
	res := c.load.Get("resolve")
	if res == nil {
		res = new(draft.Node)
		c.load.Set("resolve", res)
	}
	res.Set(parts[0]+":"+parts[1], draft.Plain(strings.Join(to, ",")))
}

func (c *curlLoad) proxy(line int, value string, lose func(string, ...any)) {
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	u, err := url.Parse(value)
	if err != nil || !draft.IsWeb(u) || u.Scheme != "http" || u.User != nil {
		lose("the proxy %q; `connections.proxy` takes http://host:port", draft.Clip(draft.WithoutUser(value), 60))
		return
	}
	c.hold(line, "proxy", u.Host, func() {
		c.connections("proxy", draft.Plain("http://"+u.Host))
		c.d.Reach(u)
	})
}
