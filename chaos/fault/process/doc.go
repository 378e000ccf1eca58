// Package process has the faults on the process of a unit: crash, freeze, stop, restart and a shifted clock. The undo
// process.continue resumes a frozen process, and clock.back restores a clock.
package process
