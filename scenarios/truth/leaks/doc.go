// Package leaks searches for secrets in everything that brunt gives away.
//
//	secrets, one for each place of a scenario ──> brunt run ──requests──> echo: answers with all that it was sent,
//	                                                 |                    in every encoding, cut into chunks
//	    files, terminal, live page, pushes, journal, children's command lines
//	                                                 |
//	                                              finder: decodes and searches
//
// The finder shares nothing with brunt: it decodes what it searches (URL, base64 at each alignment, hex, HTML, JSON,
// chunks, a terminal's escapes, compression), where brunt encodes what it masks. It searches for the beginnings and the
// ends of secrets too. TestFinder plants a secret in each encoding and wants it found.
//
// TestLeaks runs scenarios by their file, as a user does, and prints the places that it searched.
package leaks
