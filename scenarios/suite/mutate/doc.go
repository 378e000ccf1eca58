// Command mutate breaks brunt's code in small ways, and lists which of the broken programs, the mutants, the tests
// find. A test is worth what it kills: it may go where the list of its package is the same without it.
//
//	source -- mutants --> sites, drawn by seed -- overlay --> go build: is it a program? -- go test --> killed, survived
//
// Mutants live in files beside the source, which go build and go test read by -overlay, so that nothing in the tree
// changes. A mutant that does not compile doesn't count. One that does the same as the code survives any test, and no
// program can tell: so survivors are listed, and fail nothing.
//
//	.ci/mutate                          draws 100 over the packages that decide (groups)
//	.ci/mutate --part 1/4 --n 100       a quarter of them
//	.ci/mutate --since BASE --for 3m    of the groups' packages that changed since a commit, until the time is up
//	.ci/mutate --n 20 PACKAGE…          draws 20 over some packages
//	.ci/mutate list PACKAGE             100 mutants of a package with their fates, in the order of the source
//
// The same seed draws the same mutants of the same source, so that two lists can be compared by diff: before and after
// a test is dropped.
//
//	mutants.go  the sites of a file, and what stands there in each mutant
//	draw.go     the packages, their tests, and the choice
//	play.go     builds a mutant and runs tests against it
package main
