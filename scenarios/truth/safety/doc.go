// Package safety plays random programs of faults through brunt, kills parts of it meanwhile, and compares the machine's
// state afterwards with its state before.
//
//	seed --> program: faults, kills, gaps of the engine --> brunt run --> ends, or is killed
//	machine before ----------------------------------------------------> = machine after
//	                                       differs: shrink the program, print it
//
// A machine is the part of this computer that a worker of the tests owns: two processes in control groups of their
// own, two containers, two folders and a server of switches. Its state is read from /proc, from the control groups,
// by nft, tc and ip, and from the engine; the package imports nothing of brunt. The faults of a program act on the
// machine and on the processes that brunt starts as its target. Nothing may be left of these.
//
// # What must hold, and when
//
//	brunt ended by itself            at once: the state before, no process, no journal
//	brunt was killed                 its watchdog restores it
//	brunt stands still               its watchdog restores the machine before brunt goes on
//	both were killed                 `brunt revert` restores it; it exits with 0
//	the engine did not answer        as above, or by `brunt revert` once the engine answers
//
// A container or a process that the program itself killed stays ended. The tests start it again before they compare.
//
// # A program that fails
//
// The test shrinks it (fewer faults, kills and gaps, shorter times) and prints it as JSON with its seed. Each later
// test first plays the files of testdata/programs. A file with `known` names a mistake that is not fixed yet, and
// tests skip it.
//
//	BRUNT_PROGRAMS=2000          the programs of the seeds 1 to 2000 (default: 20 with CI=true, else 8)
//	BRUNT_PROGRAMS=37-37         one program
//	BRUNT_PROGRAM=FILE           the program in a file
//	BRUNT_BIN=FOLDER             the folder of brunt and victim that are built already
//	BRUNT_WORKERS=2              programs at once (default: two for each processor)
package safety
