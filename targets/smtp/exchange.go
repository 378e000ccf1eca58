package smtp

import (
	"fmt"
)

// send sends a mail: MAIL, RCPT for each recipient, DATA, the mail.
func (s *step) send(x *exchange) error {
	e := x.State.(*envelope)
	from := "MAIL FROM:<" + e.from + ">"
	if _, has := x.Line.State.(extensions)["8BITMIME"]; has && e.eightBit {
		from += " BODY=8BITMIME"
	}
	lines := []string{from}
	for _, to := range e.to {
		lines = append(lines, "RCPT TO:<"+to+">")
	}
	lines = append(lines, "DATA")
	for _, line := range lines {
		want := int32(okay)
		if line == "DATA" {
			want = startMail
		}
		if taken, err := s.ask(x, []byte(line+"\r\n"), want); err != nil || !taken {
			return err
		}
	}
	_, err := s.ask(x, x.Buffer, okay)
	return err
}

// ask sends a line or the mail, and waits for the reply. Taken is false if the reply refuses, which becomes the status
// of the call; the mail is then given up.
func (s *step) ask(x *exchange, b []byte, want int32) (taken bool, err error) {
	if err := x.Send(b); err != nil {
		return false, err
	}
	p, at, err := x.Next(x.It.Deadline)
	if err != nil {
		return false, err
	}
	x.Came(at, p.size)
	x.Answer.Data, x.Answer.First, x.Answer.End = []byte(p.text), at, at
	const forwarded = 251 // of RCPT: the server sends it on
	switch {
	case p.code == want, want == okay && p.code == forwarded:
		return true, nil
	case p.code < firstRefuse:
		return false, malformed("the reply is %d, and %d was expected", p.code, want)
	}
	x.Refuse(p.code, fmt.Sprintf("%d %s", p.code, p.text))
	if p.code == closing {
		x.Ended()
		return false, nil
	}
	return false, s.giveUp(x)
}

// giveUp makes the connection ready for another mail.
func (s *step) giveUp(x *exchange) error {
	if err := x.Send([]byte("RSET\r\n")); err != nil {
		x.Ended() // the refusal came before
		return nil
	}
	if p, _, err := x.Next(x.It.Deadline); err != nil || p.code != okay {
		x.Ended()
	}
	return nil
}
