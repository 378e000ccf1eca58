//go:build !linux

package main

func resources() {}
