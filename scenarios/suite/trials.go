package suite

import (
	"hash/fnv"
	"os"
	"strconv"
	"testing"
)

// Trials returns how many of n trials of a simulation run. With BRUNT_FULL=1 it is n, with -short a thirtieth, and
// otherwise a tenth, but at least 30. That still reveals a gross mistake, such as an error rate of 10 % in place of 1
// %, or a change that should be seen and is not.
func Trials(n int) int {
	switch {
	case Full():
		return n
	case testing.Short():
		return n / 30
	}
	return max(n/10, min(n, 30))
}

// Turn returns the number in BRUNT_TURN, which CI sets to another number for each commit. It is zero elsewhere.
func Turn() int {
	turn, _ := strconv.Atoi(os.Getenv("BRUNT_TURN"))
	return turn
}

// OneIn picks the cells of a matrix by turns. The returned function is called once for each cell, always in the same
// order, and reports whether to play the cell. With BRUNT_FULL=1 it picks all cells, and otherwise one in n, so that
// n consecutive turns play each cell once.
func OneIn(n int) (mine func() bool) {
	i := Turn() % n
	return func() bool {
		i++
		return Full() || i%n == 0
	}
}

// turns is how many turns it takes to run every long test.
const turns = 4

// Long skips a test that takes more than 10 s or much CPU time. BRUNT_FULL=1 runs it, and so does one turn in four:
// with BRUNT_TURN, as in CI, each commit runs another quarter of these tests.
func Long(t testing.TB) {
	t.Helper()
	if Full() {
		return
	}
	sum := fnv.New32a()
	sum.Write([]byte(t.Name()))
	if os.Getenv("BRUNT_TURN") == "" || (int(sum.Sum32())+Turn())%turns != 0 {
		t.Skip("it takes more than 10 s: BRUNT_FULL=1 runs it")
	}
}

// Times returns how often a test tries something that must never happen: 50 times if Full, and few times otherwise.
func Times(few int) int {
	if Full() {
		return 50
	}
	return few
}
