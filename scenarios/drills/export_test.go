package drills

// For the tests of this package.
var Parse = parse
