package chaos

// Names that the external tests use.

const LeastPhase = leastPhase

const MostLate = mostLate

const RevertFor = revertFor
