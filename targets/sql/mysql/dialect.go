package mysql

import (
	"net"
	"regexp"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/targets/sql"
)

// Dialect describes MySQL, MariaDB, and other servers with the same protocol.
func Dialect() *sql.Dialect {
	return &sql.Dialect{
		Name: "MySQL", Schemes: []string{"mysql"}, Formats: []string{"sql", "mysql"}, Port: 3306,
		Params: []string{"target_session_attrs"},
		Syntax: sql.Syntax{Backslash: true},
		Begin: func(isolation string) string {
			if isolation == "" {
				return start
			}
			return "set transaction isolation level " + isolation + "; " + start
		},
		IsCode: code.MatchString, CodeHint: "the number of an error, such as 1213",
		Causes:    causes,
		Temporary: func(number int32) bool { return temporary[number] },
		Connect:   connect, Command: command, Script: script,
	}
}

// causes are the causes of errors, by their numbers.
var causes = scenarios.CauseFamily{
	First: 6 << 16, Name: func(number int32) string { return "error " + strconv.Itoa(int(number)) },
}

// start begins a transaction.
const start = "start transaction"

// code matches the number of an error.
var code = regexp.MustCompile(`^[1-9][0-9]{3,4}$`)

// temporary are the numbers of errors after which another try may succeed: too many connections, a lost race with
// another transaction, a server that stops or accepts no writes.
var temporary = map[int32]bool{
	1040: true, 1047: true, 1053: true, 1203: true, 1205: true, 1213: true, 1290: true, 1792: true, 1836: true, 1927: true,
	3572: true,
}

// quoted writes a text as a literal.
func quoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", "''", "\x00", `\0`, "\n", `\n`, "\r", `\r`).Replace(text) + "'"
}

// script writes a statement for the program mysql.
func script(s *sql.Statement, args [][]byte) string {
	text := strings.TrimSuffix(s.Text, ";")
	if len(args) == 0 || s.Form == sql.Simple {
		return text + ";"
	}
	var values, names []string
	for i, a := range args {
		name, value := "@a"+strconv.Itoa(i+1), "null"
		if a != nil {
			value = quoted(string(a))
		}
		names, values = append(names, name), append(values, name+" = "+value)
	}
	return "set " + strings.Join(values, ", ") + ";\nprepare brunt from " + quoted(text) + ";\nexecute brunt using " +
		strings.Join(names, ", ") + ";"
}

// command returns a script as a mysql command for a POSIX shell, quoted like [result.Sent.Curl]. It is empty if the
// script was not kept completely.
func command(s *result.Sent) string {
	_, rest, ok := strings.Cut(s.URL, "://")
	rest, secure, _ := strings.Cut(rest, "?")
	address, database, _ := strings.Cut(rest, "/")
	host, port, err := net.SplitHostPort(address)
	if !ok || err != nil || s.Cut > 0 || s.Base64 || s.Body == "" {
		return ""
	}
	var b strings.Builder
	b.WriteString("printf '%s\\n'")
	for line := range strings.SplitSeq(s.Body, "\n") {
		b.WriteString(" \\\n  " + result.ShellWord(line, "SECRET", false))
	}
	b.WriteString(" | ")
	for _, line := range s.Headers {
		if strings.HasPrefix(line, "login:") {
			b.WriteString(`MYSQL_PWD="${MYSQL_PWD:?}" `)
		}
	}
	b.WriteString("mysql --protocol=tcp -h " + result.ShellWord(host, "SECRET", false) + " -P " +
		result.ShellWord(port, "SECRET", false))
	for _, line := range s.Headers {
		if user, yes := strings.CutPrefix(line, "user: "); yes {
			b.WriteString(" -u " + result.ShellWord(user, "SECRET", false))
		}
	}
	if secure != "" {
		b.WriteString(" --ssl")
	}
	return b.String() + " " + result.ShellWord(database, "SECRET", false)
}
