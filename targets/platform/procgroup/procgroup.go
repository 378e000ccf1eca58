// Package procgroup starts commands in process groups of their own, and ends groups.
//
//	Own        before Start: keeps signals of brunt's console, such as from ctrl-C, from the command
//	Start      starts the command in this way, on a thread that stays until it ends
//	Terminate  asks the processes of a group to end
//	Kill       ends them
//
// A group has the process id of its first command. Windows has no signals, so there both end only that process.
package procgroup
