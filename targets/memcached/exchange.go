package memcached

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
)

type exchange = calls.Exchange[frame]

// kind is how a step is made.
type kind struct {
	step  *step
	name  string // the kind of the step
	key   *template.Text
	fixed string // the key if it is always the same
}

// mostKey is the size of the longest key in bytes.
const mostKey = 250

// badKey returns what is wrong with a key; nil: nothing.
func badKey(key string) error {
	switch {
	case key == "" || len(key) > mostKey:
		return malformed("a key has 1 to %d bytes, not %d", mostKey, len(key))
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return malformed("the key %q has a blank", targets.Clip(key, 60))
	}
	return nil
}

// compose renders the key and the value.
func (k *kind) compose(x *exchange) error {
	if k.name == kindStats {
		return nil
	}
	key, err := x.Buffer, error(nil)
	if x.Text = k.fixed; x.Text == "" {
		if key, err = k.key.Append(x.Buffer, x.It); err != nil {
			return err
		}
		x.Text = string(key)
		if err := badKey(x.Text); err != nil {
			return &targets.Error{Cause: scenarios.Other, Text: err.Error(), Final: true}
		}
	}
	x.Buffer, err = k.step.AppendMessage(key[:0], x.It)
	x.Sent = x.Buffer
	return err
}

// appendRequest appends the bytes of the command.
func (k *kind) appendRequest(b []byte, x *exchange) ([]byte, error) {
	switch k.name {
	case kindStats:
		return append(b, "stats\r\n"...), nil
	case kindGet:
		return appendAll(b, "mg ", x.Text, " v\r\n"), nil
	case kindGets:
		return appendAll(b, "mg ", x.Text, " v c\r\n"), nil
	case kindDelete:
		return appendAll(b, "md ", x.Text, "\r\n"), nil
	case kindIncr:
		mode, by := " v MI D", k.step.By
		if by < 0 {
			mode, by = " v MD D", -by
		}
		return append(strconv.AppendInt(appendAll(b, "ma ", x.Text, mode), by, 10), "\r\n"...), nil
	}
	b = strconv.AppendInt(appendAll(b, "ms ", x.Text, " "), int64(len(x.Sent)), 10)
	if t := k.step.TTL.D(); t > 0 {
		b = strconv.AppendInt(append(b, " T"...), int64(max(1, t/time.Second)), 10)
	}
	switch k.name {
	case kindAdd:
		b = append(b, " ME"...)
	case kindCas:
		token, err := k.step.Token.Append(nil, x.It)
		if err != nil {
			return b, err
		}
		if _, err := strconv.ParseUint(string(token), 10, 64); err != nil {
			return b, &targets.Error{
				Cause: scenarios.Other, Text: fmt.Sprintf("the token %q is not a number", targets.Clip(string(token), 60)),
				Final: true,
			}
		}
		b = append(append(b, " C"...), token...)
	}
	b = append(append(b, "\r\n"...), x.Sent...)
	return append(b, "\r\n"...), nil
}

func appendAll(dst []byte, parts ...string) []byte {
	for _, p := range parts {
		dst = append(dst, p...)
	}
	return dst
}

// run sends the command, and reads the answer.
func (k *kind) run(x *exchange) error {
	value, err := len(x.Sent), error(nil)
	if x.Buffer, err = k.appendRequest(x.Buffer[:value], x); err != nil {
		return err
	}
	if err := x.Send(x.Buffer[value:]); err != nil {
		return err
	}
	var stats map[string]json.RawMessage
	if k.name == kindStats {
		stats = map[string]json.RawMessage{}
	}
	for count := 0; ; {
		f, at, err := x.Next(x.It.Deadline)
		if err != nil {
			return err
		}
		x.Came(at, len(f.body))
		x.Answer.First, x.Answer.End = x.Out.First, at
		if f.op == "STAT" && k.name == kindStats {
			if count++; count > mostStats {
				return malformed("more than %d figures", mostStats)
			}
			name, value, _ := strings.Cut(f.rest, " ")
			stats[name] = jsonOf([]byte(value))
			continue
		}
		if n, reason := f.refusal(); n != 0 {
			x.Refuse(n, reason)
			if n == clientError || n == unknownCommand {
				x.Ended() // the server may take the value for a command
			}
			return nil
		}
		return k.take(x, &f, stats)
	}
}

// take takes the answer.
func (k *kind) take(x *exchange, f *frame, stats map[string]json.RawMessage) (err error) {
	switch valued := k.name == kindGet || k.name == kindGets || k.name == kindIncr; {
	case f.op == "END" && k.name == kindStats:
		x.Answer.Data, err = json.Marshal(stats)
		return err
	case f.op == "VA" && k.name == kindGets:
		cas := f.flag('c')
		if _, err := strconv.ParseUint(cas, 10, 64); err != nil {
			return malformed("the token %q is not a number", targets.Clip(cas, 60))
		}
		x.Answer.Data = fmt.Appendf(nil, `{"value":%s,"cas":%s}`, jsonOf(f.body), cas)
		return nil
	case f.op == "VA" && valued:
		x.Answer.Data = f.body
		return nil
	case f.op == "HD" && !valued && k.name != kindStats:
		return nil
	case f.op == "EN" && valued, f.op == "NF" && k.name != kindStats, f.op == "NS" && !valued && k.name != kindStats:
		x.Status, x.Answer.None = calls.Absent, true
		return nil
	case f.op == "EX" && k.name == kindCas:
		x.Refuse(exists, "the item has changed since its cas was read")
		return nil
	}
	return malformed("%s is no answer to %s", f.op, k.name)
}

// jsonOf returns a value as JSON: as it is, or as a text.
func jsonOf(value []byte) json.RawMessage {
	if json.Valid(value) {
		return value
	}
	b, _ := json.Marshal(string(value)) // a text has no error
	return b
}
