package journal

// Version exports the version of the records to external tests.
const Version = currentVersion
