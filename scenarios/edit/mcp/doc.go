// Package mcp is a server of the Model Context Protocol: an assistant checks, explains, plans and runs scenarios, and
// reads their reports, within a policy that whoever starts the server gives.
//
//	assistant --JSON-RPC--> Serve -> tool -> command line of brunt, with --policy -> text
//
// The client is not trusted. It chooses a tool, a scenario below one folder, params and a term, and nothing else; no
// shell sees them. Each tool is a process of brunt, so that the policy holds where it always does. The server refuses a
// policy that leaves open what a scenario may read, reach or start, and one that has changed since the server began.
// One plan or run is made at a time, because the limits of a policy are those of one run.
//
// To add a tool, add it to [Server.tools].
package mcp
