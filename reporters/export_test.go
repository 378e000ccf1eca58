package reporters

// Overwrite is what tests call of it.
var Overwrite = overwrite
