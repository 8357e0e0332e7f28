// Package report is the result of a run and all its forms: JSON, CSV, tables for the
// terminal and for Markdown, one HTML page, plots as SVG, and the comparison of two runs.
//
// It holds figures and words only. It does not know how they came about, so a program that
// reads the JSON of others can use it without the rest.
package report
