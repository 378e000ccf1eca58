package smtp

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/calls"
	"brunt/targets/dial"
)

// The schemes of endpoint URLs.
const (
	scheme    = "smtp"
	schemeTLS = "smtps"
)

// such shows URLs of endpoints.
const such = "such as smtp://127.0.0.1:25, smtps://user:${env.PASSWORD}@mail.example:465 or " +
	"smtp://user:${env.PASSWORD}@mail.example:587?starttls=on"

// protocol returns how SMTP goes over connections. Options has the TLS settings for STARTTLS.
func protocol(o *targets.Options) *calls.Protocol[reply] {
	return &calls.Protocol[reply]{
		Causes: causes, Read: read,
		Login: func(ctx context.Context, l *calls.Line[reply], to *url.URL, config *tls.Config) error {
			return login(ctx, o, l, to, config)
		},
	}
}

// The mechanisms of AUTH, as a URL names them, in the order in which brunt prefers them.
var mechanisms = []string{"plain", "login"}

// locate returns the addresses of a URL.
func locate(u *url.URL) ([]string, error) {
	if u.Path != "" && u.Path != "/" {
		return nil, fmt.Errorf("it has no path, and %q is one", u.Path)
	}
	for name, values := range u.Query() {
		switch name {
		case "addr":
			if err := targets.CheckAddresses(values); err != nil {
				return nil, err
			}
		case "starttls":
			if values[0] != "on" && values[0] != "off" {
				return nil, fmt.Errorf("starttls=%s: there are on and off", values[0])
			}
			if u.Scheme == schemeTLS && values[0] == "on" {
				return nil, errors.New("smtps:// begins with TLS, and starttls=on begins without")
			}
		case "auth":
			if !slices.Contains(mechanisms, values[0]) {
				return nil, fmt.Errorf("auth=%s: there are plain and login", values[0])
			}
		default:
			return nil, fmt.Errorf("unknown parameter %q; there are addr, starttls and auth", name)
		}
	}
	if _, has := u.User.Password(); !has && u.User.Username() != "" {
		return nil, errors.New("a user without a password")
	}
	return calls.Addresses(u), nil
}

// extensions are what a server can do, by the first words of its answer to EHLO, in capitals, with the rest of the
// line.
type extensions map[string]string

// login waits for the greeting, and introduces the client: EHLO, STARTTLS and AUTH.
func login(ctx context.Context, o *targets.Options, l *calls.Line[reply], to *url.URL, config *tls.Config) error {
	if config != nil {
		if err := l.Secure(ctx, config); err != nil {
			return err
		}
	}
	targets.StagesOf(ctx).Enter(scenarios.InLogin)
	first, err := read(l.Reader)
	if err != nil {
		return err
	}
	if first.code != ready {
		return first.refused("the connection")
	}
	can, err := hello(l)
	if err != nil {
		return err
	}
	if to.Query().Get("starttls") == "on" {
		if _, has := can["STARTTLS"]; !has {
			return &targets.Error{Cause: scenarios.TLSFailed, Text: "the server does not offer STARTTLS"}
		}
		if err := expect(l, "STARTTLS", "STARTTLS", ready); err != nil {
			return err
		}
		secure, err := dial.TLSConfig(o.TLS)
		if err != nil {
			return err
		}
		secure.NextProtos = nil
		if err := l.Secure(ctx, secure); err != nil {
			return err
		}
		targets.StagesOf(ctx).Enter(scenarios.InLogin)
		if can, err = hello(l); err != nil {
			return err
		}
	}
	l.State = can
	if password, has := to.User.Password(); has {
		return prove(l, can, to.Query().Get("auth"), to.User.Username(), password)
	}
	return nil
}

// hello introduces the client, and returns what the server can do.
func hello(l *calls.Line[reply]) (extensions, error) {
	name, _, _ := net.SplitHostPort(l.LocalAddr().String())
	if strings.Contains(name, ":") {
		name = "IPv6:" + name
	}
	p, err := ask(l, "EHLO ["+name+"]")
	if err != nil {
		return nil, err
	}
	if p.code >= firstFinal {
		return extensions{}, expect(l, "HELO ["+name+"]", "HELO", okay)
	}
	if p.code != okay {
		return nil, p.refused("EHLO")
	}
	can := extensions{}
	for _, line := range strings.Split(p.text, "\n")[1:] {
		word, rest, _ := strings.Cut(line, " ")
		can[strings.ToUpper(word)] = rest
	}
	return can, nil
}

// prove proves the user.
func prove(l *calls.Line[reply], can extensions, by, user, password string) error {
	offers := strings.Fields(strings.ToLower(can["AUTH"]))
	if by == "" {
		at := slices.IndexFunc(mechanisms, func(m string) bool { return slices.Contains(offers, m) })
		if at < 0 {
			return &targets.Error{Cause: scenarios.Protocol, Text: fmt.Sprintf(
				"the server takes no login by PLAIN or LOGIN; it offers %q", targets.Clip(can["AUTH"], 100))}
		}
		by = mechanisms[at]
	}
	encode := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	const done = 235
	if by == "plain" {
		return expect(l, "AUTH PLAIN "+encode("\x00"+user+"\x00"+password), "the login", done)
	}
	if err := expect(l, "AUTH LOGIN", "the login", goOn); err != nil {
		return err
	}
	if err := expect(l, encode(user), "the login", goOn); err != nil {
		return err
	}
	return expect(l, encode(password), "the login", done)
}

// ask sends a line, and returns the reply.
func ask(l *calls.Line[reply], line string) (reply, error) {
	if _, err := l.Write([]byte(line + "\r\n")); err != nil {
		return reply{}, err
	}
	return read(l.Reader)
}

// expect sends a line whose reply must have a code.
func expect(l *calls.Line[reply], line, what string, code int32) error {
	p, err := ask(l, line)
	if err != nil || p.code == code {
		return err
	}
	return p.refused(what)
}

// refused is the error of a login that a reply ends.
func (p *reply) refused(what string) error {
	if p.code < firstRefuse {
		return malformed("the reply to %s is %d %s", what, p.code, targets.Clip(p.text, 100))
	}
	return &targets.Error{
		Cause: causes.Cause(p.code), Text: fmt.Sprintf("%s is refused: %d %s", what, p.code, targets.Clip(p.text, 200)),
	}
}
