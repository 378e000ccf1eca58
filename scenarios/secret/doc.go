// Package secret tells which values are secret by the name of the place that holds them, and finds
// those places in texts that brunt did not write: messages, answers, logs.
//
//	a name -IsName-> is its value secret?
//	a text -Fields-> the text with these values masked, whatever their length
//	       -Values-> the values that are long enough to be masked wherever else they appear
//
// [Words] is the one list of names. To make values of a further name secret, add a word to it.
package secret
