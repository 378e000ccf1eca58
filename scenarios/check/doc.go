// Package check holds the conditions of a `check:` on a response: its status, headers, body, values at JSON paths, its
// JSON Schema and the time within which it must arrive.
//
//	check: {status: 2xx, within: 200ms, "$.items": not empty}
//	        |                                |
//	        '---------> [Response] <---------'   each condition is a [Matcher]
//
// To add a form of condition, add it to [Matcher.DecodeNode] and [Matcher.Matches], and its form to the schema of the
// matcher. To add a part of a response, add a field to [Response], and evaluate it in package targets/http.
package check
