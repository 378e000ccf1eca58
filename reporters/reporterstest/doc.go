// Package reporterstest has results of runs that never were, for the tests of reporters.
package reporterstest
