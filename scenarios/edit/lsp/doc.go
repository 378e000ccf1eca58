// Package lsp is a language server for scenarios: it sends an editor the mistakes that `brunt validate` finds,
// completes keys and values from the reference, explains what is under the cursor, and offers each "did you mean" as a
// quick fix.
//
//	editor --JSON-RPC--> Serve -> document -> Check -> diagnostics, quick fixes
//	                                 |
//	                               scan -> token -> reference.Outline -> completion, hover
//
// A text that is being written is seldom valid YAML, so completion reads it by [scan] and not by the parser. Files that
// are no scenarios get no diagnostics: an editor opens every YAML file in the server.
//
// The protocol is version 3.17 of https://microsoft.github.io/language-server-protocol/, its part that is used here.
package lsp
