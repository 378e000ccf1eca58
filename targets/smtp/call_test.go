package smtp_test

import (
	"io"
	"net/mail"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/smtp"
	"brunt/targets/targetstest"
)

// long is a timeout that passes only if something is wrong.
const long = 30 * time.Second

// newFixture creates a client of the endpoint of o.
func newFixture(t testing.TB, o targets.Options, steps ...string) *targetstest.Fixture {
	t.Helper()
	return targetstest.NewFixture(t, smtp.Descriptor(), o, steps...)
}

// TestCall judges replies.
func TestCall(t *testing.T) {
	for _, c := range []struct {
		name, step, want, message string
		says                      map[string]string
	}{
		{"taken", `{smtp.send: ann@x, check: {text: "~ queued as Q1"}}`, "ok", "", nil},
		{"another text", `{smtp.send: ann@x, check: {text: nothing}}`, "error, check body", "a body of", nil},
		{"no such user", `smtp.send: fail@x`, "error, status 550", "550 5.1.1 no such user", nil},
		{"allowed", `{smtp.send: fail@x, check: {allow: 550}}`, "ok", "", nil},
		{"shed", `{smtp.send: ann@x, check: {shed: 450}}`, "shed", "", map[string]string{"MAIL": "450 later\r\n"}},
		{
			"of many lines", `{smtp.send: ann@x, check: {shed: 452}}`, "shed", "",
			map[string]string{"RCPT": "452-full\r\n452 later\r\n"},
		},
		{"forwarded", `smtp.send: ann@x`, "ok", "", map[string]string{"RCPT": "251 I send it on\r\n"}},
		{"ended", `smtp.send: ann@x`, "error, status 421", "421 bye", map[string]string{"MAIL": "421 bye\r\n"}},
		{"nonsense", `smtp.send: ann@x`, "error, protocol", "is not a reply", map[string]string{"MAIL": "hello\r\n"}},
		{
			"two codes", `smtp.send: ann@x`, "error, protocol", "the codes 250 and 550",
			map[string]string{"MAIL": "250-a\r\n550 b\r\n"},
		},
		{"another code", `smtp.send: ann@x`, "error, protocol", "the reply is 354", map[string]string{"MAIL": "354 go\r\n"}},
		{"no address", `smtp.send: "${int(1,9)} x@y"`, "error, other", "not an address of mail", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			kept := new(targetstest.Sampler)
			s := start(t, options{says: c.says})
			f := newFixture(t, targets.Options{Base: s.Base(), Sampler: kept}, c.step)
			u := f.Flow.Open(t, f.Client, f.T0, 0)
			out := u.Do(0, long)
			if got := f.Got(out); got != c.want {
				t.Errorf("got %s, want %s: %+v", got, c.want, kept.Kept)
			}
			if c.message != "" && (len(kept.Kept) != 1 || !strings.Contains(kept.Kept[0].Message, c.message)) {
				t.Errorf("samples %+v, want %q", kept.Kept, c.message)
			}
			if strings.Contains(c.want, "550") { // the connection is as before it
				if out := u.Do(0, long); f.Got(out) != c.want || s.Connections() != 1 {
					t.Errorf("again: %s, %d connections", f.Got(out), s.Connections())
				}
			}
		})
	}
}

// TestMail: a reader of mail that is not brunt's finds what was sent.
func TestMail(t *testing.T) {
	s := start(t, options{can: []string{"8BITMIME", "PIPELINING"}})
	f := newFixture(t, targets.Options{Base: s.Base()},
		`{smtp.send: [ann@x, "bob${int(7,7)}@x"], from: shop@y, subject: "Grüße ${int(5,5)}", `+
			`headers: {x-order: "${int(3,3)}"}, body: "Hello,\n.\n..a dot and ü\nend"}`)
	if out := f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long); out.Kind != scenarios.OK {
		t.Fatal(f.Got(out))
	}
	want := []string{"MAIL FROM:<shop@y> BODY=8BITMIME", "RCPT TO:<ann@x>", "RCPT TO:<bob7@x>", "DATA"}
	if !slices.Equal(s.said()[1:], want) {
		t.Errorf("it said %q, want %q", s.said(), want)
	}
	m, err := mail.ReadMessage(strings.NewReader(s.mails[0]))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(m.Body)
	if want := "Hello,\n.\n..a dot and ü\nend"; err != nil || strings.TrimSuffix(string(body), "\n") != want {
		t.Errorf("got %q, %v, want %q", body, err, want)
	}
	to, err := m.Header.AddressList("To")
	if err != nil || len(to) != 2 || to[1].Address != "bob7@x" {
		t.Errorf("to %v, %v", to, err)
	}
	if at, err := m.Header.Date(); err != nil || time.Since(at) > time.Minute {
		t.Errorf("date %v, %v", at, err)
	}
	if got := m.Header.Get("Subject"); got != "=?utf-8?q?Gr=C3=BC=C3=9Fe_5?=" || m.Header.Get("X-Order") != "3" {
		t.Errorf("%+v", m.Header)
	}
}

// TestLogin: what a server says before the first mail.
func TestLogin(t *testing.T) {
	for _, c := range []struct {
		name, user, query, want, said string
		options
	}{
		{
			"plain", "app:sesame@", "", "ok", "AUTH PLAIN AGFwcABzZXNhbWU=",
			options{can: []string{"AUTH LOGIN PLAIN"}, login: "app:sesame"},
		},
		{
			"login", "app:sesame@", "", "ok", "AUTH LOGIN",
			options{can: []string{"AUTH LOGIN"}, login: "app:sesame"},
		},
		{
			"login by choice", "app:sesame@", "?auth=login", "ok", "AUTH LOGIN",
			options{can: []string{"AUTH LOGIN PLAIN"}, login: "app:sesame"},
		},
		{
			"wrong", "app:other@", "", "error, status 535", "AUTH PLAIN",
			options{can: []string{"AUTH PLAIN"}, login: "app:sesame"},
		},
		{
			"no login", "app:sesame@", "", "error, protocol", "EHLO",
			options{can: []string{"AUTH GSSAPI"}},
		},
		{
			"TLS", "app:sesame@", "?starttls=on", "ok", "STARTTLS",
			options{can: []string{"STARTTLS", "AUTH PLAIN"}, login: "app:sesame"},
		},
		{"no TLS", "", "?starttls=on", "error, tls", "EHLO", options{}},
		{"refused", "", "", "error, status 554", "", options{greeting: "554 no\r\n"}},
		{"old", "", "", "ok", "HELO", options{says: map[string]string{"EHLO": "500 what\r\n"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.options)
			base := strings.Replace(s.Base(), "://", "://"+c.user, 1) + c.query
			f := newFixture(t, targets.Options{Base: base, TLS: &scenarios.TLS{InsecureSkipVerify: true}}, "smtp.send: ann@x")
			out := f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long)
			if got := f.Got(out); got != c.want || out.WasSent != (c.want == "ok") {
				t.Errorf("got %s, want %s: %+v", got, c.want, out)
			}
			if !slices.ContainsFunc(append(s.said(), ""), func(line string) bool { return strings.HasPrefix(line, c.said) }) {
				t.Errorf("it said %q, want %s", s.said(), c.said)
			}
		})
	}
}

// TestHostile: a line without an end takes no memory.
func TestHostile(t *testing.T) {
	s := start(t, options{says: map[string]string{"MAIL": "250 " + strings.Repeat("x", 8<<20)}})
	f := newFixture(t, targets.Options{Base: s.Base()}, "smtp.send: ann@x")
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	out := u.Do(0, long)
	runtime.ReadMemStats(&after)
	const most = 12 // MiB, of which 8 are the server's
	if took := (after.TotalAlloc - before.TotalAlloc) >> 20; out.Cause != scenarios.Protocol || took > most {
		t.Errorf("%s took %d MiB", f.Got(out), took)
	}
}

func TestCompile_Mistakes(t *testing.T) {
	for _, c := range []struct{ step, want string }{
		{"smtp.send: ann x", "is not an address of mail"},
		{"smtp.send: []", "smtp.send wants an address"},
		{"{smtp.send: ann@x, from: <shop>}", "is not an address of mail"},
		{"{smtp.send: ann@x, headers: {a b: c}}", "is not the name of a header"},
		{"{smtp.send: ann@x, boddy: hi}", `did you mean "body"?`},
		{"{smtp.send: ann@x, check: {allow: 250}}", `"250" is not an error of this protocol; such as 450 or 550`},
	} {
		if _, err := targetstest.Try(smtp.Descriptor(), "", c.step); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.step, err, c.want)
		}
	}
}
