package mongo

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"brunt/targets"
	"brunt/targets/calls"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// The schemes of endpoint URLs.
const (
	scheme    = "mongodb"
	schemeTLS = "mongodb+tls"
)

// such shows URLs of endpoints.
const such = "such as mongodb://user:${env.PASSWORD}@127.0.0.1:27017/shop?authSource=admin, or " +
	"mongodb://127.0.0.1:27017/shop?addr=127.0.0.1:27018&w=majority for a replica set"

// location is the parsed URL of an endpoint.
type location struct {
	addresses      []string // host:port of each member that is named
	user, password string
	source         string // the database that knows the user
	database       string
	set            string // the name of the replica set; empty: any
	prefer         string // the read preference; empty: primary
	primary        bool   // a server that is not the primary is passed over
	concern        bson.D // the write concern; nil: the server's own
	level          string // of the read concern; empty: the server's own
}

// preferences are the read preferences. True: only a member of that kind is taken.
var preferences = map[string]bool{
	"primary": true, "primaryPreferred": false, "secondary": true, "secondaryPreferred": false, "nearest": false,
}

// levels are the levels of a read concern.
var levels = []string{"local", "available", "majority", "linearizable", "snapshot"}

// locate reads the URL of an endpoint. Its parameters are those of MongoDB's connection strings, and addr.
func locate(u *url.URL) (l location, err error) {
	l = location{addresses: calls.Addresses(u), user: u.User.Username(), source: "admin", database: "test"}
	l.password, _ = u.User.Password()
	if name := strings.Trim(u.Path, "/"); name != "" {
		l.database, l.source = name, name
	}
	if l.user != "" && l.password == "" {
		return l, errors.New("a user without a password")
	}
	if badDatabase(l.database) {
		return l, fmt.Errorf("%q is not the name of a database", l.database)
	}
	query := u.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if err := l.parameter(name, query[name]); err != nil {
			return l, err
		}
	}
	several := len(l.addresses) > 1 || l.set != ""
	l.primary = several && (l.prefer == "" || l.prefer == "primary")
	return l, nil
}

// badDatabase reports whether a text can't be the name of a database.
func badDatabase(name string) bool { return name == "" || strings.ContainsAny(name, "/\\. \"$\x00") }

// parameter reads a parameter of the URL.
func (l *location) parameter(name string, values []string) (err error) {
	value := values[0]
	switch name {
	case "addr":
		return targets.CheckAddresses(values)
	case "authSource":
		l.source = value
	case "authMechanism":
		if value != mechanism {
			return fmt.Errorf("authMechanism=%s: brunt knows %s", value, mechanism)
		}
	case "replicaSet":
		l.set = value
	case "readPreference":
		if _, known := preferences[value]; !known {
			return fmt.Errorf("readPreference=%s: there are %s", value,
				strings.Join(slices.Sorted(maps.Keys(preferences)), ", "))
		}
		l.prefer = value
	case "readConcernLevel":
		if l.level = value; !slices.Contains(levels, value) {
			return fmt.Errorf("readConcernLevel=%s: there are %s", value, strings.Join(levels, ", "))
		}
	case "w":
		l.concern = append(l.concern, bson.E{Key: "w", Value: value})
		if n, err := strconv.ParseInt(value, 10, 32); err == nil {
			l.concern[len(l.concern)-1].Value = int32(n)
		}
	case "journal":
		l.concern = append(l.concern, bson.E{Key: "j", Value: value == "true"})
	case "wtimeoutMS":
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil || n < 0 {
			return fmt.Errorf("wtimeoutMS=%s is not a number of milliseconds", value)
		}
		l.concern = append(l.concern, bson.E{Key: "wtimeout", Value: int32(n)})
	case "tls", "ssl":
		if value == "true" {
			return fmt.Errorf("%s=true is written as the scheme: %s://", name, schemeTLS)
		}
	case "retryWrites", "retryReads":
		if value == "true" {
			return fmt.Errorf("%s=true: a command is sent once; `retry` of the load makes further attempts, and counts them",
				name)
		}
	case "directConnection":
	default:
		return fmt.Errorf("unknown parameter %q; there are addr, authSource, authMechanism, replicaSet, readPreference, "+
			"readConcernLevel, w, journal and wtimeoutMS", name)
	}
	return nil
}
