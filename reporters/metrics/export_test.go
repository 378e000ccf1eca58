package metrics

// Names that the external tests use.
const (
	KindSeries = kindSeries
	StepSeries = stepSeries
)
