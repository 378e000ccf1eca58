// Package sockets runs brunt against a server of known behaviour, over real sockets. Its tests compare the verdict
// and the figures in result.json with the server's own log.
//
//	truth.Server <--requests-- brunt run SCENARIO --> result.json
//	     '--> truth.Log --truth.Of--> counts, outages, recovery --compared--'
//
// To add a case, add a row to sockets_test.go: a script, a scenario, and the expected verdict. The cases of
// busy_test.go are played on a busy machine as well: beside processes that spin, and with half a processor.
package sockets
