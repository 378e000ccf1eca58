// Package evidence writes, reads, signs and verifies the record of a run.
package evidence
