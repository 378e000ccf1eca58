// Package smtp sends mail.
//
//	step --compile--> call                                                          once
//	call --compose--> envelope, mail --message.Line--> replies --judge--> outcome   for each call
//
//	step.go      the YAML of a step
//	mail.go      a mail: its headers and its text
//	exchange.go  sends a mail: MAIL, RCPT, DATA
//	wire.go      replies on the wire: the codec
//	login.go     the URL of an endpoint, and the first commands of a connection: EHLO, STARTTLS, AUTH
//	errors.go    the causes of replies that refuse
//
// Commands are sent one by one, each after the reply to the one before. Package net/smtp of the standard library is
// not used: it reads lines of any length, and does not tell when a reply came. The protocol is RFC 5321.
package smtp
