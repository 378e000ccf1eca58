// Package gates measures how often `brunt gate` is right, on the machine that it runs on: gates of a server that does
// not change, while another load disturbs half of them, and gates of a server that is slower.
package gates
