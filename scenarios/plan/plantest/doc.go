// Package plantest helps to test what reads scenarios: a corpus of valid and broken ones,
// each with the mistakes that are expected, and a way to compile a scenario from its text.
package plantest
