package capacity

// Compare is [compare] for tests.
var Compare = compare
