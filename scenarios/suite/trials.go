package suite

import (
	"hash/fnv"
	"os"
	"strconv"
	"testing"
)

// Trials returns how many of n trials of a simulation run: all with BRUNT_FULL=1, and otherwise a tenth, but at least
// 30, which still show a gross mistake: an error whose rate is to be 1 % and is 10 %, or a change to be seen that is
// not. With -short it is a thirtieth.
func Trials(n int) int {
	switch {
	case Full():
		return n
	case testing.Short():
		return n / 30
	}
	return max(n/10, min(n, 30))
}

// Turn is the number that BRUNT_TURN gives to a run of the tests, of which CI has another one for each commit; zero
// elsewhere.
func Turn() int {
	turn, _ := strconv.Atoi(os.Getenv("BRUNT_TURN"))
	return turn
}

// OneIn picks the cells of a matrix by turns. The function that it returns is called once for each cell, in the same
// order each time, and reports whether to play it: all cells with BRUNT_FULL=1, and otherwise one in n, so that n turns
// in a row play each cell once.
func OneIn(n int) (mine func() bool) {
	i := Turn() % n
	return func() bool {
		i++
		return Full() || i%n == 0
	}
}

// turns is how many turns it takes until each long test has run.
const turns = 4

// Long skips a test that takes more than 10 s or much of the processor. BRUNT_FULL=1 runs it, and so does one turn in
// four: with BRUNT_TURN, as in CI, another fourth of these tests runs for each commit.
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

// Times is how often a test plays what must never happen: 50 times in full, else few times.
func Times(few int) int {
	if Full() {
		return 50
	}
	return few
}
