package main

import "os"

// suspended never signals: Windows does not suspend programs.
func suspended() <-chan os.Signal { return nil }

func stopSelf() {}
