package mqtt

import (
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/targets"
)

// firstError is the first reason code that is an error. Reason codes are the numbers of errors. Files of requests store
// them, so that a number keeps its meaning for ever.
const firstError = 0x80

// subscriptionLost is the status of a step whose kept subscription ended with its connection, and the number of the
// error.
const subscriptionLost = 1

// reasons are the names of reason codes by MQTT 5, section 2.4.
var reasons = map[byte]string{
	0x80: "unspecified error", 0x81: "malformed packet", 0x82: "protocol error", 0x83: "implementation specific error",
	0x84: "unsupported protocol version", 0x85: "client identifier not valid", 0x86: "bad user name or password",
	0x87: "not authorized", 0x88: "server unavailable", 0x89: "server busy", 0x8a: "banned",
	0x8b: "server shutting down", 0x8c: "bad authentication method", 0x8d: "keep alive timeout",
	0x8e: "session taken over", 0x8f: "topic filter invalid", 0x90: "topic name invalid",
	0x91: "packet identifier in use", 0x92: "packet identifier not found", 0x93: "receive maximum exceeded",
	0x94: "topic alias invalid", 0x95: "packet too large", 0x96: "message rate too high", 0x97: "quota exceeded",
	0x98: "administrative action", 0x99: "payload format invalid", 0x9a: "retain not supported",
	0x9b: "qos not supported", 0x9c: "use another server", 0x9d: "server moved",
	0x9e: "shared subscriptions not supported", 0x9f: "connection rate exceeded", 0xa0: "maximum connect time",
	0xa1: "subscription identifiers not supported", 0xa2: "wildcard subscriptions not supported",
}

// Of 3.1.1, the return codes 1 to 5 of CONNACK as reason codes.
var returned = [...]byte{1: 0x84, 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87}

const tooManyWaiting = 0x97 // quota exceeded: of messages that no step takes

// causes are the causes of answers that are errors.
var causes = scenarios.CauseFamily{First: 13 << 16, Name: func(number int32) string {
	if number == subscriptionLost {
		return "error subscription lost"
	}
	if name, known := reasons[byte(number)]; known && number < 0x100 {
		return "error " + name
	}
	return "error " + strconv.Itoa(int(number))
}}

// numberOf reads an error by its reason code, such as 135 or 0x87, or by its name.
func numberOf(text string) (int32, bool) {
	if n, err := strconv.ParseUint(text, 0, 8); err == nil {
		return int32(n), n >= firstError
	}
	if strings.EqualFold(text, "subscription lost") {
		return subscriptionLost, true
	}
	for code, name := range reasons {
		if strings.EqualFold(text, name) {
			return int32(code), true
		}
	}
	return 0, false
}

// describe describes a reason code, with the text that the server adds.
func describe(code byte, more string) string {
	text := strings.TrimPrefix(causes.Name(int32(code)), "error ")
	if more != "" {
		text += ": " + targets.Clip(more, 100)
	}
	return text
}

// refused is the error for something that the server refuses.
func refused(what string, code byte, more string) error {
	return &targets.Error{Cause: causes.Cause(int32(code)), Text: what + ": " + describe(code, more)}
}
