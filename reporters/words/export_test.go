package words

// Names that the external tests use.

const SkippedKind = skippedKind

const WidestVerdict = widestVerdict
