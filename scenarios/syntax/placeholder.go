package syntax

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// RefKind says where the value of a placeholder comes from.
type RefKind uint8

const (
	RefParam   RefKind = iota // ${rate}: filled in when the file is read
	RefEnv                    // ${env.X}: filled in, masked
	RefFile                   // ${file.PATH}: filled in, masked
	RefData                   // ${data.users.id}: the row of this iteration
	RefVar                    // ${var.token}: extracted by an earlier step
	RefUnit                   // ${unit.posts[1].addr}: known once the target is running
	RefLink                   // ${link.store.url}: in the environment of a process, the listener of its link
	RefSelf                   // ${self.port}: in the settings of a process, its own unit
	RefInt                    // ${int(1,50)}
	RefUUID                   // ${uuid()}, ${uuid(seeded)}
	RefNow                    // ${now()}, ${now(unix)}, ${now(ms)}
	RefRequest                // ${request.path}: in a signature, a part of the signed request
	// ${ledger.id}, ${consistency.value} or ${delivery.id} in a write: drawn for it; ${id} in the ledger's read:
	// the id of the write
	RefLedger
	RefTrace    // ${trace.id}: in the link to a trace, its id
	RefRecorded // the request of a replayed log; authors can't write it
	// ${message.id}: in a message of a stream and in the expected answer, a number drawn for the message
	RefMessage
	RefCall  // ${base64(env.USER, ':', env.PASSWORD)}, ${hex(…)}, ${sha256(…)}
	refKinds // the number of kinds
)

// A Ref is a parsed placeholder.
type Ref struct {
	Text     string // as written between ${ and }
	Kind     RefKind
	Name     string // name of the param, variable, table, service or file
	Col      string // column of a table; attribute of a unit or link: addr, host, port, url
	Index    int    // of a unit, or of the unit at the far end of a link, from 0
	Min, Max int64  // of int(a,b), both included
	Slot     int    // number of the variable or table at run time
	ColSlot  int    // the column's number
	Args     []Part // of a function such as base64; Name is the name of the function
}

// String returns the placeholder as written, shortened for messages.
func (r *Ref) String() string { return "${" + Clip(r.Text, 60) + "}" }

// UnitName returns the name of a replica of a service, counted from 0: service[i].
func UnitName(service string, i int) string { return fmt.Sprintf("%s[%d]", service, i) }

// A Part is a part of a text with placeholders. It is written text, a value filled in from a param, the environment
// or a file, or a placeholder that is filled in for each request.
type Part struct {
	Text   string
	Ref    *Ref
	Filled bool     // Text came from a placeholder, so it is escaped for its place
	Kind   NodeKind // of the filled-in value
	Secret string   // the placeholder of a secret value: env.TOKEN
	Path   string   // path of the file that a secret was read from
	Call   *Ref     // the function whose value Text is
}

var (
	varPattern    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
	unitPattern   = regexp.MustCompile(`^([a-z][a-z0-9-]*)(?:\[(0|[1-9][0-9]{0,3})\])?\.(addr|host|port|url)$`)
	callPattern   = regexp.MustCompile(`^(int|uuid|now)\(([^()]*)\)$`)
	columnPattern = regexp.MustCompile(`^([a-z][a-z0-9-]*)\.(.+)$`)
)

// EnvName matches the name of an environment variable.
var EnvName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// SplitPlaceholders splits a text at its ${…}. Before a brace, two dollars are an escaped dollar:
// $${ is a literal ${, and $$${price} a dollar before a price. An invalid placeholder is left
// out, and parsing continues after it.
func SplitPlaceholders(s string) (parts []Part, wrong []*RefError) {
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			parts = append(parts, Part{Text: lit.String()})
			lit.Reset()
		}
	}
	for len(wrong) < mostWrong {
		i := strings.Index(s, "${")
		if i < 0 {
			break
		}
		before := strings.TrimRight(s[:i], "$")
		dollars := i + 1 - len(before)
		lit.WriteString(before)
		lit.WriteString(s[len(before) : len(before)+dollars/2])
		s = s[i:]
		if dollars%2 == 0 {
			lit.WriteByte('{')
			s = s[2:]
			continue
		}
		end := strings.IndexByte(s, '}')
		if end < 0 {
			return parts, append(wrong, &RefError{
				s[2:], fmt.Errorf("%q is never closed; a literal ${ is written $${", Clip(s, 40)),
			})
		}
		flush()
		if ref, err := ParseRef(s[2:end]); err != nil {
			wrong = append(wrong, &RefError{s[2:end], err})
		} else {
			parts = append(parts, Part{Ref: ref})
		}
		s = s[end+1:]
	}
	lit.WriteString(s)
	flush()
	return parts, wrong
}

// mostWrong is the maximum number of invalid placeholders that are reported per text.
const mostWrong = 20

// A RefError describes a mistake in a placeholder. Text is the text after ${.
type RefError struct {
	Text string
	Err  error
}

// unsplit is the inverse of SplitPlaceholders.
func unsplit(parts []Part) string {
	var b, lit strings.Builder
	flush := func(next string) {
		s := lit.String()
		lit.Reset()
		for {
			i := strings.IndexByte(s, '$')
			if i < 0 {
				break
			}
			rest := strings.TrimLeft(s[i:], "$")
			dollars := s[i : len(s)-len(rest)]
			b.WriteString(s[:i] + dollars)
			if strings.HasPrefix(rest, "{") || rest == "" && next != "" {
				b.WriteString(dollars)
			}
			s = rest
		}
		b.WriteString(s + next)
	}
	for _, p := range parts {
		switch {
		case p.Ref != nil:
			flush("${" + p.Ref.Text + "}")
		case p.Secret != "":
			flush("${" + p.Secret + "}")
		default:
			lit.WriteString(p.Text)
		}
	}
	flush("")
	return b.String()
}

// OfSelf lists the attributes of its own unit that a process can use.
var OfSelf = []string{"addr", "host", "port", "url", "index", "name"}

// ofRequest lists the parts of a request that a signature can cover.
var ofRequest = []string{
	"method", "path", "query", "target", "host", "url", "body", "body.sha256", "body.sha256_base64", "body.sha512",
	"body.sha512_base64",
	"body.md5", "body.md5_base64", "date", "iso_date", "unix", "ms", "nonce", "header.NAME", "signature",
}

// requestPart reports whether a signature can cover a part.
func requestPart(part string) bool {
	name, header := strings.CutPrefix(part, "header.")
	return header && name != "" && name != "NAME" || slices.Contains(ofRequest, part) && !header
}

// ParseRef parses a placeholder, without ${ and }. The error says what is wrong with it.
func ParseRef(text string) (*Ref, error) {
	r := &Ref{Text: text}
	if m := callPattern.FindStringSubmatch(text); m != nil {
		return r, r.call(m[1], strings.TrimSpace(m[2]))
	}
	if m := functionPattern.FindStringSubmatch(text); m != nil {
		r.Kind, r.Name = RefCall, m[1]
		return r, r.arguments(m[2])
	}
	if trimmed := strings.TrimSpace(text); trimmed != text && trimmed != "" {
		return nil, fmt.Errorf("%s: write ${%s}, without blanks", r, Clip(trimmed, 60))
	}
	space, rest, dotted := strings.Cut(text, ".")
	if !dotted || strings.Contains(space, "(") {
		return r.param()
	}
	if !slices.Contains(spaces, space) {
		return nil, fmt.Errorf("%s: there is no %q; %s", r, Clip(space, 20), DidYouMean(space, spaces))
	}
	r.Name = rest
	switch space {
	case "env":
		r.Kind = RefEnv
		if !EnvName.MatchString(rest) {
			return nil, fmt.Errorf("%s: %q is not a name of an environment variable", r, Clip(rest, 40))
		}
	case "file":
		r.Kind = RefFile
		if rest == "" {
			return nil, fmt.Errorf("%s: the path is missing", r)
		}
	case "var":
		r.Kind = RefVar
		if !varPattern.MatchString(rest) {
			return nil, fmt.Errorf("%s: %q is not a name of a variable: letters, digits, _ and -", r, Clip(rest, 40))
		}
	case "data":
		if r.Kind = RefData; namePattern.MatchString(rest) {
			break // columns are checked when the tables are known
		}
		m := columnPattern.FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf("%s: want ${data.NAME.COLUMN}", r)
		}
		r.Name, r.Col = m[1], m[2]
	case "unit", "link":
		m := unitPattern.FindStringSubmatch(rest)
		if m == nil {
			return nil, fmt.Errorf("%s: want ${%s.NAME.url} or ${%s.NAME[1].addr}; there are addr, host, port, url", r, space,
				space)
		}
		r.Kind, r.Name, r.Col = RefUnit, m[1], m[3]
		if space == "link" {
			r.Kind = RefLink
		}
		r.Index, _ = strconv.Atoi(m[2])
	case "self":
		r.Kind, r.Name, r.Col = RefSelf, "self", rest
		if !slices.Contains(OfSelf, rest) {
			return nil, fmt.Errorf("%s: there are self.%s", r, strings.Join(OfSelf, ", self."))
		}
	case "request":
		r.Kind = RefRequest
		if !requestPart(rest) {
			return nil, fmt.Errorf("%s: %s", r, DidYouMean(rest, ofRequest))
		}
	case "ledger":
		if r.Kind = RefLedger; text != LedgerPlaceholder {
			return nil, fmt.Errorf("%s: there is ${%s}", r, LedgerPlaceholder)
		}
	case "consistency":
		if r.Kind = RefLedger; text != ConsistencyPlaceholder {
			return nil, fmt.Errorf("%s: there is ${%s}", r, ConsistencyPlaceholder)
		}
	case "delivery":
		if r.Kind = RefLedger; text != DeliveryPlaceholder {
			return nil, fmt.Errorf("%s: there is ${%s}", r, DeliveryPlaceholder)
		}
	case "message":
		if r.Kind = RefMessage; text != messagePlaceholder {
			return nil, fmt.Errorf("%s: there is ${%s}", r, messagePlaceholder)
		}
	case "trace":
		if r.Kind = RefTrace; text != TracePlaceholder {
			return nil, fmt.Errorf("%s: there is ${%s}", r, TracePlaceholder)
		}
	}
	return r, nil
}

// param returns the placeholder of a param.
func (r *Ref) param() (*Ref, error) {
	if name, _, call := strings.Cut(r.Text, "("); call {
		return nil, fmt.Errorf("%s: %s", r, DidYouMean(name, functions))
	}
	if varPattern.MatchString(r.Text) && !namePattern.MatchString(r.Text) {
		return nil, fmt.Errorf("%s: the name of a param is made of a-z, 0-9 and -, and begins with a letter", r)
	}
	if !namePattern.MatchString(r.Text) {
		return nil, fmt.Errorf("%s is not a placeholder; there are %s", r, examples())
	}
	r.Kind, r.Name = RefParam, r.Text
	return r, nil
}

func (r *Ref) call(name, args string) error {
	switch name {
	case "int":
		r.Kind = RefInt
		a, b, ok := strings.Cut(args, ",")
		lo, err1 := strconv.ParseInt(strings.TrimSpace(a), 10, 64)
		hi, err2 := strconv.ParseInt(strings.TrimSpace(b), 10, 64)
		if !ok || err1 != nil || err2 != nil || hi < lo {
			return fmt.Errorf("%s: want int(a,b), two whole numbers in order", r)
		}
		r.Min, r.Max = lo, hi
	case "uuid":
		r.Kind, r.Name = RefUUID, args
		if args != "" && args != "seeded" {
			return fmt.Errorf("%s: want uuid() or uuid(seeded)", r)
		}
	case "now":
		r.Kind, r.Name = RefNow, args
		if args != "" && args != "unix" && args != "ms" {
			return fmt.Errorf("%s: want now(), now(unix) or now(ms)", r)
		}
	}
	return nil
}

// TracePlaceholder stands for the id of a trace in its link.
const TracePlaceholder = "trace.id"

// messagePlaceholder stands for the number that is drawn for a message of a stream.
const messagePlaceholder = "message.id"

// LedgerPlaceholder is the placeholder that the ledger fills in for each write.
const LedgerPlaceholder = "ledger.id"

// ConsistencyPlaceholder is the placeholder that `consistency` fills in for each write. If a ledger keeps the same
// write, its value is that of [LedgerPlaceholder].
const ConsistencyPlaceholder = "consistency.value"

// DeliveryPlaceholder is the placeholder that `deliveries` fills in for each request that is sent. If a ledger keeps
// the same request, or `consistency` does, their placeholders have its value.
const DeliveryPlaceholder = "delivery.id"
