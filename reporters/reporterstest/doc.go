// Package reporterstest has simulated results for the tests of reporters.
package reporterstest
