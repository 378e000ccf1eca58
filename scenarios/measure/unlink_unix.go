//go:build unix

package measure

import "os"

// unlinkOpen removes the name of an open file.
func unlinkOpen(f *os.File) { _ = os.Remove(f.Name()) }
