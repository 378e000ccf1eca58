package postgres

import (
	"net/url"
	"regexp"
	"strings"

	"brunt/scenarios/result"
	"brunt/targets/sql"
)

// Dialect describes PostgreSQL, and other servers with the same protocol.
func Dialect() *sql.Dialect {
	return &sql.Dialect{
		Name: "PostgreSQL", Schemes: []string{"postgres", "postgresql"}, Formats: []string{"sql"}, Port: 5432,
		Params: []string{"application_name", "options", "search_path", "target_session_attrs"},
		Syntax: sql.Syntax{Dollar: true}, Copies: true, Listens: true,
		Begin: func(isolation string) string {
			if isolation == "" {
				return "begin"
			}
			return "begin isolation level " + isolation
		},
		IsCode: code.MatchString, CodeHint: "a SQLSTATE such as 40001 or 23505, or a class such as 53",
		Causes:    sql.States(),
		Temporary: func(number int32) bool { return temporary[number] },
		Connect:   connect, Command: command, Script: script,
	}
}

// code matches a SQLSTATE, or the class of several.
var code = regexp.MustCompile(`^[0-9A-Z]{2}([0-9A-Z]{3})?$`)

// script writes a statement for psql.
func script(s *sql.Statement, args [][]byte) string {
	switch {
	case s.Form == sql.Copying:
		return s.Text + ";\n" + strings.Join(texts(args), "") + `\.`
	case s.Form == sql.Listening:
		return "listen " + s.Channel + ";"
	case len(args) == 0 || s.Form == sql.Simple:
		return strings.TrimSuffix(s.Text, ";") + ";"
	}
	literals := make([]string, len(args))
	for i, a := range args {
		if literals[i] = "null"; a != nil {
			literals[i] = "'" + strings.ReplaceAll(string(a), "'", "''") + "'"
		}
	}
	return "prepare brunt as " + strings.TrimSuffix(s.Text, ";") + ";\nexecute brunt(" + strings.Join(literals, ", ") +
		");\ndeallocate brunt;"
}

func texts(args [][]byte) (list []string) {
	for _, a := range args {
		list = append(list, string(a))
	}
	return list
}

// command returns a script as a psql command for a POSIX shell, quoted like [result.Sent.Curl]. It is empty if the
// script was not kept completely.
func command(s *result.Sent) string {
	scheme, rest, ok := strings.Cut(s.URL, "://")
	if !ok || s.Cut > 0 || s.Base64 || s.Body == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString("printf '%s\\n'")
	for line := range strings.SplitSeq(s.Body, "\n") {
		b.WriteString(" \\\n  " + result.ShellWord(line, "SECRET", false))
	}
	b.WriteString(" | ")
	at := scheme + "://" + rest
	for _, line := range s.Headers {
		if user, yes := strings.CutPrefix(line, "user: "); yes {
			at = scheme + "://" + url.User(user).String() + "@" + rest
		} else if strings.HasPrefix(line, "login:") {
			b.WriteString(`PGPASSWORD="${PGPASSWORD:?}" `)
		}
	}
	b.WriteString("psql -X -v ON_ERROR_STOP=1 " + result.ShellWord(at, "SECRET", false))
	return b.String()
}
