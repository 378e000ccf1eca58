package ci

// Names that the external tests use.
const MostSummary = mostSummary

type (
	JunitProblem = junitProblem
	JunitSuites  = junitSuites
)
