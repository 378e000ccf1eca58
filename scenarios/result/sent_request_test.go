package result_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios/result"
	"brunt/scenarios/suite"
	"brunt/scenarios/template"
)

// hostile are texts with special meaning in a shell if unquoted.
var hostile = []string{
	"", "plain", "it's", `"; touch pwned; "`, "'; touch pwned; '", "$(touch pwned)", "`touch pwned`", "a\\b\\n", "!!", "~",
	"*", "%s%d%%",
	"${HOME}", "$'x'", "a b\tc", "\x1b[201~touch pwned\n", "a\nb\n", "-o pwned", "@/etc/passwd", "\u202eevil", "ünïcode 🎈",
	"\x80\xff", "#c", "a;b|c&d<e>f(g)", "\r\nX: y", "\\0101'\x07",
}

// curled runs a command with a curl that reports its arguments and its input.
func curled(t *testing.T, command string, env ...string) (args []string, stdin string, err error) {
	t.Helper()
	sh := suite.Program(t, "sh", "dash")
	dir := t.TempDir()
	fake := "#!/bin/sh\nfor a in \"$@\"; do printf '%s\\0' \"$a\"; done > args\ncase \"$*\" in *@-*) cat > stdin;; esac\n"
	suite.Executable(t, filepath.Join(dir, "curl"), []byte(fake))
	c := exec.Command(sh, "-c", command)
	c.Dir, c.Env = dir, append([]string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=/hidden"}, env...)
	if out, err := c.CombinedOutput(); err != nil {
		return nil, string(out), err
	}
	b, err := os.ReadFile(filepath.Join(dir, "args"))
	if err != nil {
		t.Fatal(err)
	}
	in, _ := os.ReadFile(filepath.Join(dir, "stdin"))
	if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
		t.Errorf("the shell ran what was text: %s", command)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00"), string(in), nil
}

func TestCurl_TakesHostileTextAsText(t *testing.T) {
	for _, text := range hostile {
		header := strings.NewReplacer("\r", "", "\n", "").Replace(text) // headers and URLs can't contain line ends
		url := "http://127.0.0.1:1/" + header
		s := (&result.Sent{
			Method: "POST", URL: url, Headers: []string{"X-Text: " + header, "Content-Type: text/plain"}, Body: text,
		}).Conceal(nil)
		args, stdin, err := curled(t, s.Curl())
		if err != nil {
			t.Errorf("%q: %v: %s\n%s", text, err, stdin, s.Curl())
			continue
		}
		if got := args[len(args)-1]; got != url {
			t.Errorf("url %q is %q", url, got)
		}
		want := "X-Text: " + strings.TrimSpace(strings.ToValidUTF8(header, "\uFFFD"))
		if strings.TrimSpace(header) == "" {
			want = "X-Text;"
		}
		if got := after(args, "-H"); got != want {
			t.Errorf("header %q is %q", want, got)
		}
		body := stdin
		if got := after(args, "--data-raw"); got != "" {
			body = got
		}
		if body != text {
			t.Errorf("body %q is %q\n%s", text, body, s.Curl())
		}
		for line := range strings.SplitSeq(s.Curl(), "\n") {
			if strings.ContainsAny(line, "\x1b\x07\u202e\r") {
				t.Errorf("the command of %q holds what no terminal should be reported: %q", text, line)
			}
		}
	}
}

func after(args []string, flag string) string {
	for i, a := range args[:len(args)-1] {
		if a == flag {
			return args[i+1]
		}
	}
	return ""
}

func TestCurl_ReadsSecretsFromTheEnvironment(t *testing.T) {
	var known template.Secrets
	known.Add("hunter2-hunter2")
	s := (&result.Sent{
		Method: "PUT", URL: "https://ann:pw@host/p?access_token=abc&x=hunter2-hunter2",
		Body: `{"user":"ann","password":"p\"w","n":1,"max_tokens":12}`,
		Headers: []string{
			"Authorization: Bearer ey.abc", "Cookie: id=1", "X-Api-Key: kkk", "X-Plain: yes",
			"Content-Length: 3",
		}, Trust: true,
	}).Conceal(known.Mask)
	all, _ := json.Marshal(s)
	for _, text := range []string{string(all), s.Curl()} {
		for _, secret := range []string{"hunter2", "ey.abc", "id=1", "kkk", "abc", `p\"w`, "ann:pw"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s stands in %s", secret, text)
			}
		}
	}
	if _, out, err := curled(t, s.Curl()); err == nil || !strings.Contains(out, "AUTHORIZATION") {
		t.Errorf("without its secrets: %v, %s", err, out)
	}
	args, _, err := curled(t, s.Curl(), "AUTHORIZATION=T $1'", "COOKIE=C", "X_API_KEY=K", "SECRET=S")
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(args, "\n")
	for _, want := range []string{
		"Authorization: Bearer T $1'", "Cookie: C", "X-Api-Key: K", "X-Plain: yes", "https://S@host/p?access_token=S&x=S",
		`{"user":"ann","password":"S","n":1,"max_tokens":12}`, "--insecure", "PUT",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if strings.Contains(got, "Content-Length") {
		t.Error("curl counts the body itself")
	}
}

func TestConceal_CutsNoSecretInTwo(t *testing.T) {
	var known template.Secrets
	known.Add("a-secret-that-lies-on-the-edge")
	for shift := range 40 {
		body := strings.Repeat("x", result.KeptSent-shift) + "a-secret-that-lies-on-the-edge" + strings.Repeat("y", 10)
		s := (&result.Sent{Method: "POST", URL: "http://h/", Body: body}).Conceal(known.Mask)
		if strings.Contains(s.Body, "a-") || len(s.Body) > result.KeptSent {
			t.Fatalf("shift %d: %q", shift, s.Body[result.KeptSent-45:])
		}
	}
	s := (&result.Sent{Method: "POST", URL: "http://h/", Body: strings.Repeat("é", result.KeptSent)}).Conceal(nil)
	if s.Base64 || s.Cut != result.KeptSent || !strings.Contains(s.Curl(), "@request-body") {
		t.Errorf("base64 %v, cut %d: %s", s.Base64, s.Cut, s.Curl())
	}
	if (*result.Sent)(nil).Conceal(nil) != nil || (*result.Sent)(nil).Curl() != "" ||
		(&result.Sent{Method: "GET", URL: "file:///etc/passwd"}).Curl() != "" {
		t.Error("what was never sent has no command")
	}
	form := (&result.Sent{Method: "POST", URL: "http://h/", Body: "user=ann&password=xyz&a=1"}).Conceal(nil)
	if form.Body != "user=ann&password=***&a=1" {
		t.Error(form.Body)
	}
	parts := (&result.Sent{
		Method: "POST", URL: "http://h/",
		Body: "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nxyz\r\n" +
			"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nplain\r\n--b--",
	}).Conceal(nil)
	if strings.Contains(parts.Body, "xyz") || !strings.Contains(parts.Body, "plain") {
		t.Error(parts.Body)
	}
}
