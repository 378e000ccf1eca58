package plan

// Kinds is for tests.
var Kinds = ArgumentKinds
