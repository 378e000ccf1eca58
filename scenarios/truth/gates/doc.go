// Package gates measures how often `brunt gate` is right, on the machine that it runs on. It gates a server that does
// not change, while another load disturbs half of the runs, and a server that is slower.
package gates
