package mqtt

import (
	"fmt"
	"math"
	"net/url"
	"strconv"
	"time"

	"brunt/scenarios/quantity"
	"brunt/targets"
	"brunt/targets/calls"
)

// The schemes of endpoint URLs.
const (
	scheme    = "mqtt"
	schemeTLS = "mqtts"
)

// such shows URLs of endpoints.
const such = "such as mqtt://user:password@127.0.0.1:1883, mqtt://127.0.0.1:1883?version=3.1.1, " +
	"or mqtt://127.0.0.1:1883?client=device-&session=1h&keep_alive=60s for devices"

// location is the parsed URL of an endpoint.
type location struct {
	addresses []string
	version   byte          // 4 is 3.1.1
	client    string        // the beginning of client ids; empty: they are random
	session   time.Duration // how long the server keeps a session without a connection
	keepAlive time.Duration // zero: no pings
	will      *will         // nil: none
}

// will is the message that the server publishes for a client whose connection ends without a DISCONNECT.
type will struct {
	topic, message string
	qos            byte
	retain         bool
}

const mostName = math.MaxUint16 // bytes of a text

// locate reads the URL of an endpoint.
func locate(u *url.URL) (l location, err error) {
	l = location{addresses: calls.Addresses(u), version: 5}
	if u.Path != "" && u.Path != "/" {
		return l, fmt.Errorf("the path %s has no meaning: a step names its topic", u.Path)
	}
	if u.Port() == "" {
		return l, fmt.Errorf("a port is missing: write %s://%s:1883", u.Scheme, u.Host)
	}
	var w will
	given := u.Query()
	for name, values := range given {
		value := values[0]
		switch name {
		case "addr":
			err = targets.CheckAddresses(values)
		case "version":
			versions := map[string]byte{"3.1.1": 4, "5": 5}
			if l.version = versions[value]; l.version == 0 {
				return l, fmt.Errorf("version=%s: there are 3.1.1 and 5", value)
			}
		case "client":
			l.client = value
		case "session":
			l.session, err = seconds(name, value, math.MaxUint32-1)
		case "keep_alive":
			l.keepAlive, err = seconds(name, value, math.MaxUint16)
		case "will":
			w.topic = value
		case "will_message":
			w.message = value
		case "will_qos":
			if w.qos, err = 0, nil; len(value) != 1 || value[0] < '0' || value[0] > '2' {
				return l, fmt.Errorf("will_qos=%s: there are 0, 1 and 2", value)
			}
			w.qos = value[0] - '0'
		case "will_retain":
			if w.retain, err = strconv.ParseBool(map[string]string{"on": "true", "off": "false"}[value]); err != nil {
				return l, fmt.Errorf("will_retain=%s: it is on or off", value)
			}
		default:
			return l, fmt.Errorf("unknown parameter %q; there are addr, version, client, session, keep_alive, will, "+
				"will_message, will_qos and will_retain", name)
		}
		if err != nil {
			return l, err
		}
	}
	return l, l.settle(u, w)
}

// settle checks how the settings fit together.
func (l *location) settle(u *url.URL, w will) error {
	password, has := u.User.Password()
	switch {
	case len(u.User.Username()) > mostName, len(password) > mostName:
		return fmt.Errorf("the user or the password has more than %d bytes", mostName)
	case l.session > 0 && l.client == "":
		return fmt.Errorf("session wants client, such as client=device-: a session belongs to a client id that stays")
	case len(l.client) > 1000:
		return fmt.Errorf("client has more than 1000 bytes")
	case has && u.User.Username() == "" && l.version == 4:
		return fmt.Errorf("MQTT 3.1.1 has no password without a user")
	case len(w.message) > mostName:
		return fmt.Errorf("will_message has more than %d bytes", mostName)
	case w.topic != "":
		l.will = &w
		return badTopic(w.topic)
	case w != will{}:
		return fmt.Errorf("will names the topic of the message: it is missing")
	}
	return nil
}

// seconds reads a duration of whole seconds.
func seconds(name, text string, most int64) (time.Duration, error) {
	d, err := quantity.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%s=%s: %w", name, text, err)
	}
	if n := int64(d / time.Second); d%time.Second != 0 || n < 1 || n > most {
		return 0, fmt.Errorf("%s=%s: want whole seconds, 1 to %d", name, text, most)
	}
	return d, nil
}
