// Command ci chooses the tests of CI and runs them.
//
// Tests say what they need by suite.Needs, and ci reads that in the source, without running anything. A suite is a row
// of a table: which tests it takes, by what they need, and how it runs them. A part k/n of a suite runs every n-th
// test of each of its packages, so each test is in exactly one part.
//
//	sources ── read ──> packages and tests ── suite.picks ──> tests of a suite ── part k/n ──> go test, again if flaky
//
// .ci/full and .ci/run prepare the machine, and call
//
//	ci                        to list the suites
//	ci plan [SUITE] [--part k/n]
//	                          to print suites, parts, tests, and minutes where tests say so
//	ci tests SUITE [--part k/n]
//	                          to print the tests of a suite, a line each: the package, a space, the test
//	ci packages SUITE         to print the packages whose tests a suite runs
//	ci all, ci SUITE [--part k/n]
//	                          to run suites, each part within MINUTES
//	ci --inner SUITE K N      to run a part without that limit
//	ci skipped FILE           to run the tests that the fresh machine skipped
//	ci reach BASE             to run parts of the suites that a change reaches, until the time is up
//	ci labelled, ci left      to list what the engine has of brunt's; to fail if something of brunt's is left
//
// and .ci/fresh and .ci/bench use
//
//	ci outcome SKIPPED FAILED to read what go test -json prints
//	ci slow ADDR DURATION     as a server that answers late
//
// To add a suite, write a row of suites. To put a test into one, say so in the test: suite.Needs.
package main
