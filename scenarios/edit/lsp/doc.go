// Package lsp is a language server for scenarios. It sends an editor the mistakes that `brunt validate` finds,
// completes keys and values from the reference, explains the word under the cursor, and offers each "did you mean" as
// a quick fix.
//
//	editor --JSON-RPC--> Serve -> document -> Check -> diagnostics, quick fixes
//	                                 |
//	                               scan -> token -> reference.Outline -> completion, hover
//
// A text is seldom valid YAML while it is being written, so completion reads it with [scan] instead of the parser.
// Files that are not scenarios get no diagnostics, because an editor opens every YAML file in the server.
//
// The protocol is version 3.17 of https://microsoft.github.io/language-server-protocol/. The server implements a part
// of it.
package lsp
