package suite

// Names that the external tests use.
const FullVariable = fullVariable

var LockFile = lockFile
