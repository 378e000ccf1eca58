package dns

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"

	"github.com/miekg/dns"
)

// query is the question of a call.
type query struct {
	text  template.Text
	fixed []byte // in wire format, with the number 0; nil: it has placeholders
	flags uint16
	edns  int  // size of answers that fit a datagram; zero: no EDNS
	do    bool // DNSSEC is wanted
}

// Sizes of parts of a message, in bytes.
const (
	headerSize = 12
	leastSize  = 512 // of answers that fit a datagram without EDNS
)

// The bits of a header's flags.
const (
	flagAnswer    = 1 << 15
	flagTruncated = 1 << 9
	flagRecursion = 1 << 8
)

// defaultEDNS is the size that fits a datagram on any network without fragments: https://www.dnsflagday.net/2020.
const defaultEDNS = 1232

// compile prepares the query, and notes mistakes in its text.
func (q *query) compile(s *step, m *syntax.Mistakes) {
	q.text, q.edns, q.do = s.DNS, defaultEDNS, s.DNSSEC
	if s.EDNS != nil {
		q.edns = *s.EDNS
	}
	if s.Recursion == nil || *s.Recursion {
		q.flags = flagRecursion
	}
	switch {
	case q.edns != 0 && q.edns < leastSize || q.edns > 1<<16-1:
		m.Add(s.Of("edns"), "every datagram has room for %d bytes; want 0, or %d to %d", leastSize, leastSize, 1<<16-1)
	case q.edns == 0 && q.do:
		m.Add(s.Of("edns"), "dnssec needs EDNS, and `edns: 0` sends none")
	}
	const hint = `such as "www.example.com A"`
	text, static := q.text.Static()
	if static {
		var err error
		if q.fixed, err = q.append(nil, text); err != nil {
			m.AddHint(q.text.At, hint, "%v", err)
		}
		return
	}
	_, kind := cut(q.text.Text())
	if strings.ContainsAny(kind, "$}") {
		return // a placeholder, or the end of one
	}
	if _, err := typeOf(kind); err != nil {
		m.AddHint(q.text.At, hint, "%v", err)
	}
}

// cut splits the text of a query into name and type.
func cut(text string) (name, kind string) {
	text = strings.TrimSpace(text)
	if i := strings.LastIndexAny(text, " \t"); i >= 0 {
		return strings.TrimSpace(text[:i]), text[i+1:]
	}
	return text, "A"
}

// typeOf returns the number of a type of records.
func typeOf(kind string) (uint16, error) {
	upper := strings.ToUpper(kind)
	switch t, known := dns.StringToType[upper]; {
	case upper == "AXFR" || upper == "IXFR":
		return 0, fmt.Errorf("%s transfers a zone by several messages, which a step does not read", upper)
	case known:
		return t, nil
	}
	if text, numbered := strings.CutPrefix(upper, "TYPE"); numbered {
		if n, err := strconv.ParseUint(text, 10, 16); err == nil {
			return uint16(n), nil
		}
	}
	hint := syntax.DidYouMean(upper, []string{"A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT", "HTTPS"})
	if hint != "" {
		hint = "; " + hint
	}
	return 0, fmt.Errorf("%q is not a type of records%s", syntax.Clip(kind, 20), hint)
}

// append appends a query in wire format, with the number 0.
func (q *query) append(dst []byte, text string) ([]byte, error) {
	name, kind := cut(text)
	t, err := typeOf(kind)
	if err != nil {
		return dst, err
	}
	if name == "" || strings.ContainsAny(name, " \t\r\n") {
		return dst, fmt.Errorf("%q is not a name and a type of records", syntax.Clip(text, 60))
	}
	additional := uint16(0)
	if q.edns > 0 {
		additional = 1
	}
	from := len(dst)
	for _, field := range [headerSize / 2]uint16{0, q.flags, 1, 0, 0, additional} {
		dst = binary.BigEndian.AppendUint16(dst, field)
	}
	var wire [256]byte
	n, err := dns.PackDomainName(dns.Fqdn(name), wire[:], 0, nil, false)
	if err != nil {
		return dst[:from], fmt.Errorf("%q is not a domain name: %w", syntax.Clip(name, 60), err)
	}
	dst = append(dst, wire[:n]...)
	dst = binary.BigEndian.AppendUint16(dst, t)
	dst = binary.BigEndian.AppendUint16(dst, dns.ClassINET)
	if q.edns > 0 { // RFC 6891: the root, OPT, the size, the flags, and no options
		dst = append(dst, 0, 0, byte(dns.TypeOPT), byte(q.edns>>8), byte(q.edns), 0, 0, 0, 0, 0, 0)
		if q.do {
			dst[len(dst)-4] = 0x80
		}
	}
	return dst, nil
}

// compose appends the query of an iteration.
func (q *query) compose(dst []byte, it *template.Iter) ([]byte, error) {
	if q.fixed != nil {
		return append(dst, q.fixed...), nil
	}
	text, err := q.text.Append(nil, it)
	if err != nil {
		return dst, err
	}
	if dst, err = q.append(dst, string(text)); err != nil {
		return dst, &targets.Error{Cause: scenarios.Other, Text: err.Error(), Final: true}
	}
	return dst, nil
}

// size returns how many bytes an answer may have in a datagram.
func (q *query) size() int { return max(q.edns, leastSize) }

// number sets the number of a query.
func number(query []byte, n uint16) { binary.BigEndian.PutUint16(query, n) }
