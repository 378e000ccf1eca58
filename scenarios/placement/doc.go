// Package placement is what a scenario says of its workers: how many processes make the load, and where they run.
package placement
