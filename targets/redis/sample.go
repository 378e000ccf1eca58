package redis

import (
	"net"
	"strconv"
	"strings"

	"brunt/scenarios/result"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/calls"
)

// Sample implements [calls.Maker].
func (t *exchange) Sample() targets.Sampled {
	sent := t.client.sent(t.to)
	commands := lines(t.send)
	sent.Method = t.call.source.name()
	if len(commands) == 1 {
		const most = 100
		sent.Method = targets.Clip(commands[0], most)
	}
	sent.SetBody(strings.Join(commands, "\n"))
	return targets.Sampled{Step: t.call.name, Sent: sent, Failed: func() (string, string) {
		return t.wanted(), calls.Shown(t.doc, t.doc != nil)
	}}
}

// sent returns the destination of a call. To is the node of a cluster, or empty.
func (c *client) sent(to string) *result.Sent {
	scheme := "redis"
	if c.at.secure {
		scheme = "rediss"
	}
	switch at := c.primaryAt.Load(); {
	case c.cluster != nil:
		scheme += "+cluster"
	case at != nil:
		to = *at
	}
	if to == "" {
		to = c.at.addresses[0]
	}
	s := &result.Sent{URL: scheme + "://" + to, Trust: c.o.TLS != nil && c.o.TLS.InsecureSkipVerify, Command: sentCommand}
	if c.at.database != 0 {
		s.URL += "/" + strconv.Itoa(c.at.database)
	}
	if c.at.password != "" {
		s.Headers = []string{"user: " + c.at.user}
	}
	return s
}

// shown writes a command as redis-cli reads it. A value after a secret name is masked.
func shown(words []string) string {
	list := make([]string, len(words))
	for i, w := range words {
		switch {
		case i > 1 && hides(words[i-1]), i > 1 && strings.EqualFold(words[0], "ACL") &&
			strings.ContainsAny(w[:min(1, len(w))], "><#!"):
			list[i] = syntax.Masked
		default:
			list[i] = quoted(w)
		}
	}
	return strings.Join(list, " ")
}

// hides reports whether the value after a word is secret.
func hides(word string) bool {
	return secret.IsName(word) || strings.EqualFold(word, "requirepass") || strings.EqualFold(word, "masterauth")
}

// sentCommand returns commands as a redis-cli command for a POSIX shell, quoted like [result.Sent.Curl]. The body has
// one command per line, as redis-cli reads it. The result is empty if the commands were not kept completely.
func sentCommand(s *result.Sent) string {
	scheme, rest, ok := strings.Cut(s.URL, "://")
	host, database, _ := strings.Cut(rest, "/")
	host, port, err := net.SplitHostPort(host)
	if !ok || err != nil || s.Cut > 0 || s.Base64 || s.Body == "" {
		return ""
	}
	var b strings.Builder
	commands := strings.Split(s.Body, "\n")
	// redis-cli parses its own quotes only in standard input.
	piped := len(commands) > 1 || strings.Contains(s.Body, `"`)
	if piped {
		b.WriteString("printf '%s\\n'")
		for _, line := range commands {
			b.WriteString(" \\\n  " + result.ShellWord(line, "SECRET", false))
		}
		b.WriteString(" | ")
	}
	user, known := "", false
	for _, line := range s.Headers {
		if user, known = strings.CutPrefix(line, "user:"); known {
			b.WriteString(`REDISCLI_AUTH="${REDIS_PASSWORD:?}" `)
			break
		}
	}
	b.WriteString("redis-cli -h " + result.ShellWord(host, "SECRET", false) + " -p " +
		result.ShellWord(port, "SECRET", false))
	if database != "" {
		b.WriteString(" -n " + result.ShellWord(database, "SECRET", false))
	}
	if user = strings.TrimSpace(user); user != "" {
		b.WriteString(" --user " + result.ShellWord(user, "SECRET", false))
	}
	if strings.HasPrefix(scheme, "rediss") {
		b.WriteString(" --tls")
		if s.Trust {
			b.WriteString(" --insecure")
		}
	}
	if strings.HasSuffix(scheme, "+cluster") {
		b.WriteString(" -c")
	}
	if !piped {
		for word := range strings.FieldsSeq(s.Body) {
			b.WriteString(" " + result.ShellWord(word, "SECRET", false))
		}
	}
	return b.String()
}
