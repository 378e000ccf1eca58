// Package plantest helps to test code that reads scenarios: it holds a corpus of valid and broken scenarios, each
// with the expected mistakes, and compiles a scenario from its text.
package plantest
