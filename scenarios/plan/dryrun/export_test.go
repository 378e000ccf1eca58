package dryrun

// Names that the external tests use.
const PlanVersion = planVersion

var Named = named
