// Package sever ends sockets at once, whoever else has them. A process that is being started has all
// files of brunt's until its program is loaded, and what is only closed by brunt lives on until then: a
// port is taken, and the other side of a connection waits.
package sever
