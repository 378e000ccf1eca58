package dns

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/targets"

	"github.com/miekg/dns"
	"github.com/ohler55/ojg/jp"
)

// causes are the causes of answers whose rcode is an error. Their numbers are the rcodes.
var causes = scenarios.CauseFamily{First: 0x60 << 16, Name: rcodeName}

// rcodeName returns the name of an rcode.
func rcodeName(code int32) string {
	if name, known := dns.RcodeToString[int(code)]; known {
		return name
	}
	return "rcode " + strconv.Itoa(int(code))
}

// The names of the sections of an answer, whose records can be counted.
var sections = [...]string{"answers", "authority", "additional"}

// answer is the answer to a call.
type answer struct {
	wire    []byte
	rcode   int
	records [len(sections)]int // number of records in each section, without OPT
	doc     any                // the decoded answer, if the call needs it
}

// belongs reports whether a message is the answer to a query: it is an answer, with the number and the question of
// the query. A server that could not read the question may leave it out of its refusal.
func belongs(message, query []byte) bool {
	if len(message) < headerSize || message[0] != query[0] || message[1] != query[1] || message[2]&(flagAnswer>>8) == 0 {
		return false
	}
	switch binary.BigEndian.Uint16(message[4:]) {
	case 0:
		return message[3]&0x0f != dns.RcodeSuccess
	case 1:
		end := questionEnd(query)
		return len(message) >= end && sameName(message[headerSize:end-typeSize], query[headerSize:end-typeSize]) &&
			bytes.Equal(message[end-typeSize:end], query[end-typeSize:end])
	}
	return false
}

// sameName reports whether two names in wire format are equal. Letters of ASCII have no case in DNS (RFC 4343), and no
// length of a label is a letter.
func sameName(a, b []byte) bool {
	for i, x := range a {
		y := b[i]
		if x != y && (x|0x20 != y|0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return false
		}
	}
	return true
}

// typeSize is the size of the type and the class of a question, in bytes.
const typeSize = 4

// questionEnd returns where the question of a query ends. Its name is not compressed.
func questionEnd(query []byte) int {
	at := headerSize
	for query[at] != 0 {
		at += 1 + int(query[at])
	}
	return at + 1 + typeSize
}

// truncated reports whether an answer says that it is not whole.
func truncated(message []byte) bool { return message[2]&(flagTruncated>>8) != 0 }

// read reads an answer: its rcode alone, or everything if decode is set.
func (a *answer) read(message []byte, decode bool) error {
	*a = answer{wire: message, rcode: int(message[3] & 0x0f)}
	if !decode {
		return nil
	}
	var m dns.Msg
	if err := unpack(&m, message); err != nil {
		return &targets.Error{Cause: scenarios.Protocol, Text: "the answer is not a message of DNS: " + err.Error()}
	}
	a.rcode = m.Rcode
	doc := map[string]any{
		"rcode": rcodeName(int32(m.Rcode)), "authoritative": m.Authoritative, "truncated": m.Truncated,
		"recursion": m.RecursionAvailable, "authenticated": m.AuthenticatedData,
	}
	for i, list := range [len(sections)][]dns.RR{m.Answer, m.Ns, m.Extra} {
		rows := []any{}
		for _, rr := range list {
			if h := rr.Header(); h.Rrtype != dns.TypeOPT {
				rows = append(rows, map[string]any{
					"name": h.Name, "type": dns.Type(h.Rrtype).String(), "ttl": int64(h.Ttl),
					"data": strings.TrimPrefix(rr.String(), h.String()),
				})
			}
		}
		a.records[i], doc[sections[i]] = len(rows), rows
	}
	a.doc = doc
	return nil
}

// unpack decodes a message. A panic of the decoder is an error in the message.
func unpack(m *dns.Msg, message []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return m.Unpack(message)
}

// Header implements [targets.Answer]. It returns the number of records in a section.
func (a *answer) Header(name string) [][]byte {
	for i, section := range sections {
		if section == name {
			return [][]byte{strconv.AppendInt(nil, int64(a.records[i]), 10)}
		}
	}
	return nil
}

// JSON implements [targets.Answer].
func (a *answer) JSON(path jp.Expr) []any { return check.AtPath(a.doc, path) }

func (a *answer) Body() []byte { return a.wire }

func (a *answer) Document() (doc any, ok bool) { return a.doc, true }
