package template_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"brunt/scenarios/template"
)

type closing struct {
	got    bytes.Buffer
	closed bool
	fails  error
}

func (c *closing) Write(b []byte) (int, error) {
	if c.fails != nil {
		return 0, c.fails
	}
	return c.got.Write(b)
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

func TestMaskedLog(t *testing.T) {
	var s template.Secrets
	s.Add("hunter2-and-more")
	long := strings.Repeat("x", template.LongestLine)
	for _, c := range []struct {
		name    string
		secrets *template.Secrets
		writes  []string
		open    string // output before the log is closed
		want    string
	}{
		{"whole lines", &s, []string{"a\npassword=hunter2-and-more\n"}, "a\npassword=***\n", "a\npassword=***\n"},
		{"cut within a secret", &s, []string{"password=hunter2", "-and-more!\nb", "c"}, "password=***\n", "password=***\nbc"},
		{"cut within a secret without a name", &s, []string{"it is hunter2", "-and-more!\n"}, "it is ***!\n", "it is ***!\n"},
		{"cut within a secret of a line without end", &s, []string{long + "hunter2", "-and-more!"}, long, long + "***!"},
		{
			"cut within the first bytes of a secret of a line without end", &s,
			[]string{long + "h", "unter2-and-more!"},
			long,
			long + "***!",
		},
		{"a short value by its name", new(template.Secrets), []string{"Cookie: a=b\n"}, "Cookie: ***\n", "Cookie: ***\n"},
		{"at the end, without a line's", &s, []string{"it is hunter2-and-more"}, "", "it is ***"},
		{"a line without end", &s, []string{long, "hunter2-and-more"}, long + "***", long + "***"},
		{"nothing to mask", new(template.Secrets), []string{"half"}, "", "half"},
		{"of nobody", nil, []string{"half"}, "half", "half"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var to closing
			l := c.secrets.Log(&to)
			for _, w := range c.writes {
				if n, err := l.Write([]byte(w)); n != len(w) || err != nil {
					t.Fatal(n, err)
				}
			}
			if got := to.got.String(); got != c.open {
				t.Errorf("open it holds %.100q, want %.100q", got, c.open)
			}
			if err := l.Close(); err != nil || !to.closed {
				t.Errorf("closing: %v, closed %t", err, to.closed)
			}
			if got := to.got.String(); got != c.want {
				t.Errorf("it holds %.100q, want %.100q", got, c.want)
			}
		})
	}
	full := &closing{fails: errors.New("no space left on device")}
	if _, err := s.Log(full).Write([]byte("a\n")); !errors.Is(err, full.fails) {
		t.Errorf("a full disk is %v", err)
	}
}
