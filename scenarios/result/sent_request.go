package result

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"brunt/scenarios/check"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
)

// A Sent is a request as sent on the wire, kept with a [Sample] so that a reader can repeat it. Secrets are masked:
// known secrets wherever they appear, and values in places that hold secrets, such as an Authorization header or a
// field named password.
type Sent struct {
	Method  string   `json:"method"`            // such as GET
	URL     string   `json:"url"`               // absolute URL
	Headers []string `json:"headers,omitempty"` // "Name: value", in their order
	Body    string   `json:"body,omitempty"`    // first 4 KiB of the body
	Base64  bool     `json:"base64,omitempty"`  // the body is not text: it is encoded in base64
	Cut     int64    `json:"cut,omitempty"`     // bytes of the body that are not kept
	Trust   bool     `json:"trust,omitempty"`   // TLS certificates were not checked
	Protos  []string `json:"protos,omitempty"`  // for gRPC: arguments of grpcurl that name the files of the service

	// Command writes the request, with its secrets masked, as a command for a POSIX shell. If Command is nil, the
	// request is an HTTP request and the command uses curl. An empty text means that there is no command.
	Command func(*Sent) string `json:"-"`
}

// LongestSent is the maximum length of the body that [Sent.SetBody] stores, in bytes. Fewer bytes are kept in the
// end; the rest ensures that a secret at the cut is masked before it is cut.
const LongestSent = 64 << 10

// SetBody keeps the beginning of a body.
func (s *Sent) SetBody(text string) {
	s.Body = text[:min(len(text), LongestSent)]
	s.Cut = int64(len(text) - len(s.Body))
}

// keptSent is the length of the body that is kept, in bytes.
const keptSent = 4 << 10

// Conceal returns the request with its secrets masked and its body cut to the kept length, in a form that JSON can
// hold. mask masks known secrets; it may be nil.
func (s *Sent) Conceal(mask func(string) string) *Sent {
	if s == nil {
		return nil
	}
	if mask == nil {
		mask = func(text string) string { return text }
	}
	c := &Sent{
		Method: mask(s.Method), URL: secretURL(mask(s.URL)), Cut: s.Cut, Trust: s.Trust, Protos: s.Protos, Command: s.Command,
	}
	for _, h := range s.Headers {
		c.Headers = append(c.Headers, strings.ToValidUTF8(secretHeader(mask(h)), "\uFFFD"))
	}
	body := secretBody(mask(s.Body))
	if len(body) > keptSent {
		n := keptSent
		for utf8.ValidString(body) && !utf8.RuneStart(body[n]) { // inside a character
			n--
		}
		c.Cut += int64(len(body) - n)
		body = body[:n]
	}
	if c.Body = body; !utf8.ValidString(body) {
		c.Body, c.Base64 = base64.StdEncoding.EncodeToString([]byte(body)), true
	}
	return c
}

var (
	secretParts = regexp.MustCompile(`(name="([^"\r\n]*)"[^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n)(?s:.*?)(\r\n--|$)`)
	userinfo    = regexp.MustCompile(`(?i)^([a-z][a-z0-9+.-]*://)[^/?#@]*@`)
)

// secretHeader masks the value of a header that authenticates the sender. In other headers it masks the values of
// fields with the name of a secret. It keeps the scheme of credentials, which is the word before a blank.
func secretHeader(line string) string {
	name, value, ok := strings.Cut(line, ":")
	if !ok || !secret.IsName(name) {
		return secret.Fields(line)
	}
	value = strings.TrimSpace(value)
	if value == "" {
		return line
	}
	if scheme, _, two := strings.Cut(value, " "); two && check.IsToken(scheme) &&
		strings.Contains(strings.ToLower(name), "authorization") {
		return name + ": " + scheme + " " + syntax.Masked
	}
	return name + ": " + syntax.Masked
}

func secretURL(url string) string {
	return secret.Fields(userinfo.ReplaceAllString(url, "${1}"+syntax.Masked+"@"))
}

func secretBody(body string) string {
	body = secretParts.ReplaceAllStringFunc(body, func(part string) string {
		m := secretParts.FindStringSubmatch(part)
		if !secret.IsName(m[2]) {
			return part
		}
		return m[1] + syntax.Masked + m[3]
	})
	return secret.Fields(body)
}

// Curl returns the request as a command for a POSIX shell: from Command, or for curl. All parts of the request are
// quoted, so the shell takes them as text. The command reads a secret from the environment; the shell reports a
// missing variable. It reads a body that was not kept completely from a file, which it names.
func (s *Sent) Curl() string {
	if s != nil && s.Command != nil {
		return s.Command(s)
	}
	if s == nil || !strings.HasPrefix(s.URL, "http://") && !strings.HasPrefix(s.URL, "https://") {
		return ""
	}
	var b strings.Builder
	body := s.Body != "" || s.Cut > 0
	piped := body && s.Cut == 0 && (s.Base64 || !typeable(s.Body, true))
	if piped {
		text := s.Body
		if !s.Base64 {
			text = base64.StdEncoding.EncodeToString([]byte(text))
		}
		fmt.Fprintf(&b, "printf %%s '%s' | base64 -d | ", text)
	}
	b.WriteString("curl -sS -i")
	switch {
	case s.Method == "HEAD":
		b.WriteString(" --head")
	case s.Method != "GET" || body:
		b.WriteString(" -X " + ShellWord(s.Method, "METHOD", false))
	}
	if strings.ContainsAny(s.URL, "[]{}") {
		b.WriteString(" --globoff")
	}
	if strings.Contains(s.URL, "/.") {
		b.WriteString(" --path-as-is")
	}
	if s.Trust {
		b.WriteString(" --insecure")
	}
	typed := false
	for _, line := range s.Headers {
		name, value, ok := strings.Cut(line, ":")
		if !ok || !check.IsToken(name) || !sendsHeader(name) {
			continue
		}
		typed = typed || strings.EqualFold(name, "Content-Type")
		if line = name + ": " + strings.TrimSpace(value); strings.TrimSpace(value) == "" {
			line = name + ";" // curl omits a header without a value
		}
		b.WriteString(" \\\n  -H " + ShellWord(line, ShellVariable(name), false))
	}
	if body && !typed {
		b.WriteString(" \\\n  -H 'Content-Type:'") // else curl adds the content type of a form
	}
	switch {
	case !body && (s.Method == "POST" || s.Method == "PUT" || s.Method == "PATCH"):
		b.WriteString(" \\\n  -H 'Content-Length: 0'") // curl omits it, and some servers require it
	case piped:
		b.WriteString(" \\\n  --data-binary @-")
	case s.Cut > 0:
		b.WriteString(" \\\n  --data-binary @request-body")
	case body:
		b.WriteString(" \\\n  --data-raw " + ShellWord(s.Body, "SECRET", true))
	}
	b.WriteString(" \\\n  " + ShellWord(s.URL, "SECRET", false))
	return b.String()
}

// sendsHeader reports whether the command passes a header. curl or the connection sets the others.
func sendsHeader(name string) bool {
	switch strings.ToLower(name) {
	case "content-length", "connection", "transfer-encoding", "proxy-authorization", "proxy-connection":
		return false
	}
	return true
}

// Secrets returns the values of the request whose names mark them as secret, if they are long enough to be masked
// wherever they appear.
func (s *Sent) Secrets() []string {
	if s == nil {
		return nil
	}
	out := secret.Values(s.URL)
	for _, line := range s.Headers {
		if name, value, ok := strings.Cut(line, ":"); ok && secret.IsName(name) {
			out = append(out, secret.Of(strings.TrimSpace(value))...)
		} else {
			out = append(out, secret.Values(line)...)
		}
	}
	for _, m := range secretParts.FindAllStringSubmatch(s.Body, -1) {
		if value := strings.TrimSuffix(strings.TrimPrefix(m[0], m[1]), m[3]); secret.IsName(m[2]) && secret.IsLong(value) {
			out = append(out, value)
		}
	}
	return append(out, secret.Values(s.Body)...)
}

// ShellVariable returns the name of the environment variable that a header's secret is read from.
func ShellVariable(header string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, header)
	if name[0] >= '0' && name[0] <= '9' {
		name = "_" + name
	}
	return name
}

// ShellWord quotes text for a POSIX shell. Masked parts are read from the environment variable named secret. lines
// says that text may have several lines.
func ShellWord(text, secret string, lines bool) string {
	var b strings.Builder
	for i, part := range strings.Split(text, syntax.Masked) {
		if i > 0 {
			b.WriteString(`"${` + secret + `:?}"`)
		}
		if part != "" || i == 0 && text == "" {
			b.WriteString(shellQuoted(part, lines))
		}
	}
	return b.String()
}

// plainWord matches words without special meaning in a shell.
var plainWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]*$`)

// shellQuoted quotes text for a POSIX shell. Characters that can't be pasted into a terminal are
// written as escapes.
func shellQuoted(text string, lines bool) string {
	if plainWord.MatchString(text) {
		return text
	}
	if typeable(text, lines) {
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\\':
			b.WriteString(`\\`)
		case c == '\'', c == '!', c < ' ', c >= 0x7f: // subtle: ! between double quotes expands history
			fmt.Fprintf(&b, `\0%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return `"$(printf %b '` + b.String() + `')"`
}

// typeable reports whether text can safely be pasted into a terminal. A control character could end the paste and run
// the rest. Characters that have no width or change the direction of writing could disguise the text.
func typeable(text string, lines bool) bool {
	for _, r := range text {
		switch {
		case r == '\n' && lines:
		case r == utf8.RuneError, unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r),
			unicode.Is(unicode.Zp, r):
			return false
		}
	}
	return true
}
