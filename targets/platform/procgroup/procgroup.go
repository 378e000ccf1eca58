// Package procgroup starts commands in process groups of their own, and ends groups.
//
//	Own        before Start: the signals of brunt's console, such as that of ctrl-C, do not reach the command
//	Start      starts the command so, on a thread that stays until it ends
//	Terminate  asks the processes of a group to end
//	Kill       ends them
//
// A group has the process id of the command that it began with. Windows has no signals: there both end that
// process alone.
package procgroup
