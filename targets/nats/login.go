package nats

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/calls"
)

// protocol is how NATS goes over connections.
var protocol = calls.Protocol[frame]{
	Causes: causes, Login: login, Read: read, Take: take,
}

// such shows URLs of endpoints.
const such = "such as nats://user:password@127.0.0.1:4222, or nats://127.0.0.1:4222?addr=127.0.0.1:4223 for a cluster"

// locate returns the addresses of a URL.
func locate(u *url.URL) ([]string, error) {
	for name, values := range u.Query() {
		if name != "addr" {
			return nil, fmt.Errorf("unknown parameter %q; there is addr", name)
		}
		if err := targets.CheckAddresses(values); err != nil {
			return nil, err
		}
	}
	if u.Path != "" && u.Path != "/" {
		return nil, fmt.Errorf("it has no path, and %q is one", u.Path)
	}
	return calls.Addresses(u), nil
}

// connect is what a client says of itself.
type connect struct {
	Verbose      bool   `json:"verbose"`
	Pedantic     bool   `json:"pedantic"`
	TLS          bool   `json:"tls_required"`
	User         string `json:"user,omitempty"`
	Password     string `json:"pass,omitempty"`
	Token        string `json:"auth_token,omitempty"`
	NKey         string `json:"nkey,omitempty"`
	JWT          string `json:"jwt,omitempty"`
	Signature    string `json:"sig,omitempty"`
	Name         string `json:"name"`
	Lang         string `json:"lang"`
	Version      string `json:"version"`
	Protocol     int    `json:"protocol"`
	Headers      bool   `json:"headers"`
	NoResponders bool   `json:"no_responders"`
}

// inboxSID is the number of the subscription to the replies of a connection.
const inboxSID = "1"

// login makes the handshake: the server's INFO, TLS if the endpoint wants it, CONNECT, and a PING whose answer says
// that the server accepts it. Replies come to subjects below the name of the line.
func login(ctx context.Context, l *calls.Line[frame], to *url.URL, config *tls.Config) error {
	targets.StagesOf(ctx).Enter(scenarios.InLogin)
	first, err := read(l.Reader)
	switch {
	case err != nil:
		return err
	case first.op == "-ERR":
		return refused("the connection", &first)
	case first.op != "INFO":
		return malformed("the server begins with %s, and INFO was expected", first.op)
	}
	var info struct {
		TLS     bool   `json:"tls_required"`
		Headers bool   `json:"headers"`
		Nonce   string `json:"nonce"` // to be signed
	}
	if err := json.Unmarshal(first.body, &info); err != nil {
		return malformed("INFO: %v", err)
	}
	switch {
	case config != nil:
		if err := l.Secure(ctx, config); err != nil {
			return err
		}
		targets.StagesOf(ctx).Enter(scenarios.InLogin)
	case info.TLS:
		return &targets.Error{
			Cause: scenarios.TLSFailed,
			Text:  "the server requires TLS: write " + schemeTLS + ":// instead of nats://",
		}
	case !info.Headers:
		return malformed("the server is older than version 2.2: it knows no headers")
	}
	about := connect{
		TLS: config != nil, Name: "brunt", Lang: "go", Version: "1", Protocol: 1, Headers: true, NoResponders: true,
	}
	password, both := to.User.Password()
	about.prove(to.User.Username(), password, both, info.Nonce)
	hello, err := json.Marshal(about)
	if err != nil {
		return err
	}
	l.Name = "_INBOX." + strconv.FormatUint(rand.Uint64(), 36) + strconv.FormatUint(rand.Uint64(), 36) + "."
	if _, err := fmt.Fprintf(l, "CONNECT %s\r\nSUB %s* %s\r\nPING\r\n", hello, l.Name, inboxSID); err != nil {
		return err
	}
	for {
		switch f, err := read(l.Reader); {
		case err != nil:
			return err
		case f.op == "-ERR":
			return refused("the login", &f)
		case f.op == "PONG":
			return nil
		case f.op == "PING":
			if _, err := l.Write(pong); err != nil {
				return err
			}
		}
	}
}

// refused is the error for a connection that the server refuses.
func refused(what string, f *frame) error {
	number, reason := refusal(f.body)
	return &targets.Error{Cause: causes.Cause(number), Text: what + " is refused: " + reason}
}

var (
	ping = []byte("PING\r\n")
	pong = []byte("PONG\r\n")
)

// take answers PING, and drops the server's notices.
func take(l *calls.Line[frame], f frame) (bool, error) {
	switch f.op {
	case "PING":
		_, err := l.Write(pong)
		return true, err
	case "INFO", "+OK":
		return true, nil
	}
	return false, nil
}
