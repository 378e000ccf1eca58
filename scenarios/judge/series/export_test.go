package series

// Reached is for tests.
var Reached = reached
