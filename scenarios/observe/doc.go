// Package observe reads, beside the load, what the target and the team's monitoring tell:
// metrics, alerts, and what each unit uses.
package observe
