// Package process has the faults on the process of a unit: crash, freeze, stop and restart. All but
// freeze are over once they are done; a frozen process is resumed by the undo process.continue.
package process
