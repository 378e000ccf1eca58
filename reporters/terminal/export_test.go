package terminal

// Names that the external tests use.

var ObjectiveState = objectiveState
