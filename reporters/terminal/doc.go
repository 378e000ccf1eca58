// Package terminal shows a run in a terminal: a live block while it goes on, a table in the end.
package terminal
