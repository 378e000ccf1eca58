//go:build !race

package run

// parallelTests is how many tests go side by side. Most of them wait most of the time.
const parallelTests = "8"
