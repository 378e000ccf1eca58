// Package talk is how brunt speaks with a process that it has had an engine start for it:
// one that may do what brunt may not, or that outlives it. A [Caller] asks, and the other side
// answers by [Serve], both in lines of JSON over the process's input and output.
//
//	caller --{"id":1,"op":"inject","args":{"n":1}}--> other side
//	       <-{"id":1,"result":{…}}------------------
//
// A caller that lives says so every second. Who hears nothing for ten, or whose input ends,
// is alone: it takes back what it did, and ends.
package talk
