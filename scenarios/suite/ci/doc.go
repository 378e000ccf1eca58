// Command ci chooses the tests of CI and runs them.
//
// Tests declare their needs by suite.Needs, and ci reads these declarations in the source, without running anything.
// A suite is a row of a table. It says which tests belong to it, by their needs, and how they are run. A part k/n of
// a suite runs every n-th test of each of its packages, so each test is in exactly one part.
//
//	sources ── read ──> packages and tests ── suite.picks ──> tests of a suite ── part k/n ──> go test, again if flaky
//
// .ci/full and .ci/run prepare the machine, and call
//
//	ci                        to list the suites
//	ci plan [SUITE] [--part k/n]
//	                          to print suites, parts, tests, and their minutes if they declare them
//	ci tests SUITE [--part k/n]
//	                          to print the tests of a suite, a line each: the package, a space, the test
//	ci packages SUITE         to print the packages whose tests a suite runs
//	ci all, ci SUITE [--part k/n]
//	                          to run suites, each part within MINUTES
//	ci --inner SUITE K N      to run a part without that limit
//	ci skipped FILE           to run the tests that the fresh machine skipped
//	ci raced BASE k/n [--compile]
//	                          to run packages with the race detector: those that a change touches, and a part of
//	                          the others
//	ci reach BASE             to run parts of the suites that a change reaches, until the time is up
//	ci vulnerable FILE        to fail if a program links code with a known vulnerability
//	ci labelled, ci left      to list brunt's objects in the engine; to fail if an object of brunt is left
//
// and .ci/fresh and .ci/bench use
//
//	ci outcome SKIPPED FAILED to read what go test -json prints
//	ci slow ADDR DURATION     as a server that answers late
//
// To add a suite, write a row of suites. To add a test to a suite, declare that in the test by suite.Needs.
package main
