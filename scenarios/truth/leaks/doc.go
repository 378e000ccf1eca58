// Package leaks searches for secrets in everything that brunt outputs.
//
//	secrets, one for each place of a scenario ──> brunt run ──requests──> echo: answers with all that it was sent,
//	                                                 |                    in every encoding, cut into chunks
//	    files, terminal, live page, pushes, journal, children's command lines
//	                                                 |
//	                                              finder: decodes and searches
//
// The finder shares nothing with brunt. It decodes the output (URL, base64 at each alignment, hex, HTML, JSON,
// chunks, a terminal's escapes, compression), while brunt encodes the secrets that it masks. It also searches for the
// beginnings and the ends of secrets. TestFinder plants a secret in each encoding and expects the finder to find it.
//
// TestLeaks runs scenario files like a user does, and prints the places that it searched.
package leaks
