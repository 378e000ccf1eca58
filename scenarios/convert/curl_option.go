package convert

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
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
	"abstract-unix-socket": "", "alt-svc": "", "continue-at": "C", "create-file-mode": "", "crlfile": "", "curves": "", "delegation": "", "dns-interface": "",
	"dns-ipv4-addr": "", "dns-ipv6-addr": "", "doh-url": "", "ech": "", "egd-file": "", "engine": "", "etag-compare": "", "etag-save": "",
	"expect100-timeout": "", "ftp-account": "", "ftp-alternative-to-user": "", "ftp-method": "", "ftp-port": "P", "ftp-ssl-ccc-mode": "",
	"haproxy-clientip": "", "help": "h", "hostpubmd5": "", "hostpubsha256": "", "hsts": "", "ip-tos": "", "ipfs-gateway": "", "keepalive-cnt": "",
	"key-type": "", "krb": "", "libcurl": "", "login-options": "", "mail-auth": "", "mail-from": "", "mail-rcpt": "", "netrc-file": "", "parallel-max": "",
	"parallel-max-host": "", "pinnedpubkey": "", "preproxy": "", "proto": "", "proto-default": "", "proto-redir": "", "proxy-cacert": "", "proxy-capath": "", "proxy-cert": "",
	"proxy-cert-type": "", "proxy-ciphers": "", "proxy-crlfile": "", "proxy-header": "", "proxy-key": "", "proxy-key-type": "", "proxy-pass": "",
	"proxy-pinnedpubkey": "", "proxy-service-name": "", "proxy-tls13-ciphers": "", "proxy-tlsauthtype": "", "proxy-tlspassword": "", "proxy-tlsuser": "",
	"proxy1.0": "", "pubkey": "", "random-file": "", "request-target": "", "sasl-authzid": "", "service-name": "", "sigalgs": "", "socks4": "", "socks4a": "",
	"socks5": "", "socks5-gssapi-service": "", "socks5-hostname": "", "telnet-option": "t", "tftp-blksize": "", "tls13-ciphers": "", "tlsauthtype": "",
	"tlspassword": "", "tlsuser": "", "trace-config": "", "upload-flags": "", "variable": "", "vlan-priority": "",
}

// curlSwitches are the options without a value, and their short names.
var curlSwitches = map[string]string{
	"get": "G", "head": "I", "insecure": "k", "location": "L", "compressed": "", "silent": "s", "show-error": "S", "verbose": "v", "include": "i",
	"fail": "f", "fail-with-body": "", "http1.1": "", "http2": "", "http2-prior-knowledge": "", "http1.0": "0", "http3": "", "tlsv1.2": "", "tlsv1.3": "",
	"digest": "", "ntlm": "", "negotiate": "", "basic": "", "anyauth": "", "location-trusted": "", "remote-name": "O", "globoff": "g", "ipv4": "4", "ipv6": "6",
	"no-buffer": "N", "progress-bar": "#", "next": ":", "remote-header-name": "J", "create-dirs": "", "parallel": "Z", "no-keepalive": "", "tcp-nodelay": "",
	"no-progress-meter": "", "path-as-is": "", "post301": "", "post302": "", "post303": "", "disable": "q", "no-sessionid": "", "fail-early": "",
	"retry-all-errors": "", "retry-connrefused": "", "styled-output": "", "no-silent": "", "ssl": "", "ssl-reqd": "", "raw": "",
	"append": "a", "ca-native": "", "cert-status": "", "compressed-ssh": "", "crlf": "", "disable-eprt": "", "disable-epsv": "", "disallow-username-in-url": "",
	"doh-cert-status": "", "doh-insecure": "", "false-start": "", "follow": "", "form-escape": "", "ftp-create-dirs": "", "ftp-pasv": "", "ftp-pret": "",
	"ftp-skip-pasv-ip": "", "ftp-ssl-ccc": "", "ftp-ssl-control": "", "haproxy-protocol": "", "http0.9": "", "http3-only": "", "ignore-content-length": "",
	"junk-session-cookies": "j", "list-only": "l", "mail-rcpt-allowfails": "", "manual": "M", "metalink": "", "mptcp": "", "netrc": "n", "netrc-optional": "",
	"ntlm-wb": "", "out-null": "", "parallel-immediate": "", "proxy-anyauth": "", "proxy-basic": "", "proxy-ca-native": "", "proxy-digest": "",
	"proxy-http2": "", "proxy-insecure": "", "proxy-negotiate": "", "proxy-ntlm": "", "proxy-ssl-allow-beast": "", "proxy-ssl-auto-client-cert": "",
	"proxy-tlsv1": "", "proxytunnel": "p", "remote-name-all": "", "remote-time": "R", "remove-on-error": "", "sasl-ir": "", "skip-existing": "",
	"socks5-basic": "", "socks5-gssapi": "", "socks5-gssapi-nec": "", "ssl-allow-beast": "", "ssl-auto-client-cert": "", "ssl-no-revoke": "",
	"ssl-revoke-best-effort": "", "sslv2": "2", "sslv3": "3", "suppress-connect-headers": "", "tcp-fastopen": "", "tftp-no-options": "", "tls-earlydata": "",
	"tlsv1": "1", "tlsv1.0": "", "tlsv1.1": "", "tr-encoding": "", "trace-time": "", "use-ascii": "B", "version": "V", "xattr": "",
}

// dull are options that change nothing of what a target is asked for.
var dull = []string{
	"silent", "show-error", "verbose", "include", "fail", "fail-with-body", "output", "write-out", "remote-name", "no-buffer", "progress-bar", "dump-header",
	"globoff", "stderr", "trace", "trace-ascii", "cookie-jar", "remote-header-name", "create-dirs", "no-progress-meter", "disable", "basic", "tcp-nodelay",
	"output-dir", "fail-early", "styled-output", "keepalive-time", "no-sessionid", "parallel", "remote-time", "remote-name-all",
	"trace-time", "trace-config", "xattr", "parallel-max", "parallel-immediate", "libcurl", "create-file-mode", "remove-on-error", "suppress-connect-headers",
}

// option is one of a command, under its long name. A word that is none has no name.
type option struct {
	name  string
	value text
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
			c.load.set("timeout", raw(quantity.FormatDuration(result.Num(s).D())))
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
	if len(parts) != 3 || !hostName.MatchString(parts[0]) || parts[1] == "" || syntax.CheckPort(parts[1]) != nil {
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
