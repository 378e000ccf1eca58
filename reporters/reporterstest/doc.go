// Package reporterstest provides simulated results for the tests of reporters.
package reporterstest
