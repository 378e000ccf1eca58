package kafka

import (
	"fmt"
	"net/url"
	"slices"

	"brunt/targets"
)

// The schemes of endpoint URLs.
const (
	schemePlain = "kafka"
	schemeTLS   = "kafkas"
)

// location is the parsed URL of an endpoint.
type location struct {
	addresses      []string // host:port of brokers to begin with
	secure         bool
	user, password string
	mechanism      string // of SASL; empty: no login
}

// The mechanisms of SASL, as a URL names them.
var mechanisms = []string{"plain", "scram-sha-256", "scram-sha-512"}

// forms shows examples of endpoint URLs.
const forms = "such as kafka://127.0.0.1:9092, kafka://127.0.0.1:9092?addr=127.0.0.1:9093 or " +
	"kafkas://user:${env.PASSWORD}@kafka.example:9093?sasl=scram-sha-512"

// locate reads the URL of an endpoint.
func locate(u *url.URL) (l location, err error) {
	l = location{addresses: []string{u.Host}, secure: u.Scheme == schemeTLS, user: u.User.Username()}
	l.password, _ = u.User.Password()
	if u.Port() == "" {
		return l, fmt.Errorf("a port is missing: write %s://%s:9092", u.Scheme, u.Host)
	}
	if u.Path != "" && u.Path != "/" {
		return l, fmt.Errorf("the path %s has no meaning: a step names its topic", u.Path)
	}
	for name, values := range u.Query() {
		switch name {
		case "addr":
			if err := targets.CheckAddresses(values); err != nil {
				return l, err
			}
			l.addresses = append(l.addresses, values...)
		case "sasl":
			if l.mechanism = values[0]; !slices.Contains(mechanisms, l.mechanism) {
				return l, fmt.Errorf("sasl=%s: there are plain, scram-sha-256 and scram-sha-512", l.mechanism)
			}
		default:
			return l, fmt.Errorf("unknown parameter %q; there are addr and sasl", name)
		}
	}
	switch {
	case l.mechanism == "" && l.user != "":
		return l, fmt.Errorf("a user without ?sasl=: plain, scram-sha-256 or scram-sha-512")
	case l.mechanism != "" && (l.user == "" || l.password == ""):
		return l, fmt.Errorf("sasl=%s needs a user and a password: %s://USER:PASSWORD@%s", l.mechanism, u.Scheme, u.Host)
	}
	return l, nil
}
