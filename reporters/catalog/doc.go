// Package catalog lists the reporters.
package catalog
