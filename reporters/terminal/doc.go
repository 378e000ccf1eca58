// Package terminal shows a run in a terminal: a live block while it goes on, a table at the
// end.
package terminal
