package convert

import (
	"fmt"
	"regexp"
	"strings"
)

// secretHeaders are those whose values let somebody in.
var secretHeaders = []string{
	"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "apikey", "x-auth-token", "x-access-token", "x-csrf-token", "x-xsrf-token",
	"x-amz-security-token", "private-token", "x-auth-key",
}

// isSecret tells whether what goes by a name, of a field or a parameter, is not to be
// written down.
func isSecret(name string) bool {
	name = strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(name))
	switch name {
	case "token", "pwd", "pass", "passwd", "passphrase", "pin", "otp", "sig":
		return true
	}
	if strings.HasSuffix(name, "token") || strings.HasSuffix(name, "pwd") {
		return true
	}
	for _, part := range []string{"password", "passwort", "secret", "apikey", "accesstoken", "refreshtoken", "idtoken", "authtoken", "privatekey", "csrftoken"} {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// hide gives the placeholder of an environment variable in place of a secret. One that
// stands at several places is one variable.
func (d *draft) hide(line int, name, what, value string) text {
	if value == "" {
		return lit("")
	}
	if env, seen := d.secrets[value]; seen {
		return ref("env." + env)
	}
	base := strings.ToUpper(strings.ReplaceAll(slug(name, "secret"), "-", "_"))
	env := base
	for n := 2; d.hides(env); n++ {
		env = fmt.Sprintf("%s_%d", base, n)
	}
	d.secrets[value] = env
	d.env = append(d.env, Secret{Env: env, What: what})
	d.tell(line, "%s is a secret: set %s in the environment", what, env)
	return ref("env." + env)
}

func (d *draft) hides(env string) bool {
	for _, s := range d.env {
		if s.Env == env {
			return true
		}
	}
	return false
}

// secretIn finds a name and its value in bodies that stay texts: of a JSON string, an
// element of XML, a field of a form.
var secretIn = regexp.MustCompile(`"([A-Za-z0-9_.-]{1,60})"\s*:\s*"([^"\\]+)"|<([A-Za-z0-9_.:-]{1,60})>([^<>]+)</|(?:^|&)([A-Za-z0-9_.-]{1,60})=([^&\s]+)`)

// scrub hides secrets in a body that stays a text.
func (d *draft) scrub(r *request, body text) text {
	if r.public {
		return body
	}
	var out text
	for _, p := range body {
		from := 0
		for _, m := range secretIn.FindAllStringSubmatchIndex(p.lit, -1) {
			for g := 2; g < len(m); g += 4 {
				if m[g] < 0 {
					continue
				}
				if name := p.lit[m[g]:m[g+1]]; isSecret(name) {
					out = join(out, lit(p.lit[from:m[g+2]]), d.hide(r.line, name, "the field "+name, p.lit[m[g+2]:m[g+3]]))
					from = m[g+3]
				}
			}
		}
		p.lit = p.lit[from:]
		out = append(out, p)
	}
	return out
}
