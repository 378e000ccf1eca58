// Package secret decides by a name whether a value is secret, and finds such names with their values in texts that
// brunt did not write: messages, answers, logs.
//
//	a name -IsName-> is its value secret?
//	a text -Fields-> the text with these values masked, whatever their length
//	       -Values-> the values that are long enough to be masked wherever else they appear
//
// [Words] is the only list of names. To make values of another name secret, add a word to it.
package secret
