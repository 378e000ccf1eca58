package redis

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"brunt/targets"
)

// schemes are the schemes of endpoint URLs.
var schemes = []string{"redis", "rediss", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel"}

// wires describes the connections of each scheme.
var wires = map[string]targets.Wire{
	"redis": {Formats: []string{"redis"}}, "redis+cluster": {Formats: []string{"redis"}},
	"rediss": {TLS: true, Plain: "redis"}, "rediss+cluster": {TLS: true, Plain: "redis+cluster"},
	"redis+sentinel":  {Directory: true},
	"rediss+sentinel": {TLS: true, Plain: "redis+sentinel", Directory: true},
}

// location is the parsed URL of an endpoint.
type location struct {
	addresses []string // host:port of the server, of nodes of the cluster, or of sentinels
	secure    bool     // TLS
	cluster   bool
	master    string // the sentinels' name for the primary; empty: there are no sentinels
	user      string // empty: default
	password  string
	database  int
	resp2     bool // RESP3 is not requested
}

// forms shows examples of endpoint URLs.
const forms = "such as redis://user:password@127.0.0.1:6379/0, redis+cluster://127.0.0.1:7000?addr=127.0.0.1:7001 " +
	"or redis+sentinel://127.0.0.1:26379/mymaster"

// locate reads the URL of an endpoint.
func locate(u *url.URL) (l location, err error) {
	l.secure = wires[u.Scheme].TLS
	_, form, _ := strings.Cut(u.Scheme, "+")
	l.cluster = form == "cluster"
	l.addresses = append(l.addresses, u.Host)
	l.user = u.User.Username()
	l.password, _ = u.User.Password()
	if l.user != "" && l.password == "" {
		return l, fmt.Errorf("a user without a password: write redis://:PASSWORD@%s for the default user", u.Host)
	}
	path := strings.Trim(u.Path, "/")
	if form == "sentinel" {
		if l.master, path, _ = strings.Cut(path, "/"); l.master == "" {
			return l, fmt.Errorf("the name of the primary is missing: write %s://%s/mymaster", u.Scheme, u.Host)
		}
	}
	if path != "" {
		if l.database, err = strconv.Atoi(path); err != nil || l.database < 0 {
			return l, fmt.Errorf("%q is not the number of a database", path)
		}
	}
	if l.cluster && l.database != 0 {
		return l, fmt.Errorf("a cluster has the database 0 alone")
	}
	return l, l.query(u)
}

// ofUnit returns the URL of one server of an endpoint, with the endpoint's user and database.
func ofUnit(endpoint *url.URL, addr string) string {
	l, err := locate(endpoint)
	if err != nil {
		return "redis://" + addr
	}
	u := url.URL{Scheme: "redis", User: endpoint.User, Host: addr}
	if l.secure {
		u.Scheme = "rediss"
	}
	if l.database != 0 {
		u.Path = "/" + strconv.Itoa(l.database)
	}
	if l.resp2 {
		u.RawQuery = "protocol=2"
	}
	return u.String()
}

// query reads the parameters of the URL.
func (l *location) query(u *url.URL) error {
	given := u.Query()
	for name, values := range given {
		switch name {
		case "addr":
			if err := targets.CheckAddresses(values); err != nil {
				return err
			}
			l.addresses = append(l.addresses, values...)
		case "protocol":
			if !slices.Contains([]string{"2", "3"}, values[0]) {
				return fmt.Errorf("protocol=%s: Redis has 2 and 3", values[0])
			}
			l.resp2 = values[0] == "2"
		default:
			return fmt.Errorf("unknown parameter %q; there are addr and protocol", name)
		}
	}
	if len(l.addresses) > 1 && !l.cluster && l.master == "" {
		return fmt.Errorf("several addresses are those of a cluster or of sentinels: redis+cluster://, redis+sentinel://")
	}
	return nil
}
