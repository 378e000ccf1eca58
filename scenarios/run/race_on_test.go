//go:build race

package run

// parallelTests is how many tests go side by side. The race detector makes them several times slower.
const parallelTests = "4"
