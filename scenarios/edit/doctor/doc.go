// Package doctor checks what this machine can do: in general ([Machine]), under policies ([Policies]), and for a plan
// ([Needs]). It changes nothing on the machine.
//
// To add a check, add a function that returns a [Check], and call it in Machine or in Needs. A check that is not
// [Fine] says how to fix it.
package doctor
