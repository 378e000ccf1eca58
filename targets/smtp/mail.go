package smtp

import (
	"bytes"
	"crypto/rand"
	"maps"
	"mime"
	"net/textproto"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/targets"
)

// envelope has the addresses of a mail: the sender and the recipients.
type envelope struct {
	from string
	to   []string
	// the mail holds bytes that are not ASCII
	eightBit bool
}

// compose renders the envelope and the mail. The buffer has what follows DATA.
func (s *step) compose(x *exchange) error {
	e := &envelope{}
	from, err := s.From.Append(nil, x.It)
	if err != nil {
		return err
	}
	e.from = string(from)
	for i := range s.Send.list {
		to, err := s.Send.list[i].Append(nil, x.It)
		if err != nil {
			return err
		}
		e.to = append(e.to, string(to))
	}
	for _, address := range append([]string{e.from}, e.to...) {
		if badAddress(address) {
			return &targets.Error{
				Cause: scenarios.Other, Text: "not an address of mail: " + targets.Quote(address), Final: true,
			}
		}
	}
	mail, err := s.mail(x, e)
	if err != nil {
		return err
	}
	e.eightBit = bytes.ContainsFunc(mail, func(r rune) bool { return r > 127 })
	x.State, x.Text, x.Sent = e, strings.Join(e.to, ", "), mail
	x.Buffer = appendDotted(x.Buffer, mail)
	return nil
}

// appendDotted appends a mail as it follows DATA: lines end by CRLF, a dot at the beginning of one is doubled, and a
// line with a dot alone is the end.
func appendDotted(dst, mail []byte) []byte {
	for line := range bytes.Lines(mail) {
		if line[0] == '.' {
			dst = append(dst, '.')
		}
		if end, whole := bytes.CutSuffix(line, []byte("\n")); whole {
			line, _ = bytes.CutSuffix(end, []byte("\r"))
		}
		dst = append(append(dst, line...), "\r\n"...)
	}
	return append(dst, ".\r\n"...)
}

// mail renders the headers and the text of a mail.
func (s *step) mail(x *exchange, e *envelope) ([]byte, error) {
	subject, err := s.Subject.Append(nil, x.It)
	if err != nil {
		return nil, err
	}
	all := map[string]string{
		"From": e.from, "To": strings.Join(e.to, ", "), "Date": time.Now().Format(time.RFC1123Z),
		"Message-Id": "<" + rand.Text() + "@brunt.invalid>", "Mime-Version": "1.0",
		"Content-Type": "text/plain; charset=utf-8", "Content-Transfer-Encoding": "8bit",
	}
	if len(subject) > 0 {
		all["Subject"] = mime.QEncoding.Encode("utf-8", strings.NewReplacer("\r", " ", "\n", " ").Replace(string(subject)))
	}
	for name, h := range s.Headers {
		value, err := h.Append(nil, x.It)
		if err != nil {
			return nil, err
		}
		all[textproto.CanonicalMIMEHeaderKey(name)] = string(value)
	}
	var mail []byte
	for _, name := range slices.Sorted(maps.Keys(all)) {
		mail = append(append(append(append(mail, name...), ": "...), all[name]...), '\n')
	}
	return s.Body.Append(append(mail, '\n'), x.It)
}
