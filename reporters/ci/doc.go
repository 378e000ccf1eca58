// Package ci writes a run for CI systems: JUnit, GitHub and GitLab.
package ci
