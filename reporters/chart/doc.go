// Package chart draws the charts of the page: it computes points, scales, paths and tables from a result.
package chart
