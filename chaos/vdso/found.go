package vdso

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"time"
)

// Found returns the patch of this package in the vDSO image of a process, and the offset of its clock. given is the
// kernel's original image. same says that the process has that image. A nil patch without same means that something
// else changed the code.
func Found(given, image []byte) (p Patch, offset time.Duration, same bool) {
	if bytes.Equal(given, image) {
		return nil, 0, true
	}
	if len(given) != len(image) {
		return nil, 0, false
	}
	f, err := elf.NewFile(bytes.NewReader(given))
	if err != nil {
		return nil, 0, false
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return nil, 0, false
	}
	for _, s := range symbols {
		if s.Name != "__vdso_clock_gettime" || s.Value+s.Size > uint64(len(image)) {
			continue
		}
		if offset, ok := offsetIn(image[s.Value : s.Value+s.Size]); ok {
			if p, err = Of(given, offset); err != nil {
				return nil, 0, false
			}
			now := bytes.Clone(image)
			for _, piece := range p { // only a part of the patch may be there
				if end := piece.At + uint64(len(piece.Is)); bytes.Equal(now[piece.At:end], piece.Is) {
					copy(now[piece.At:end], piece.Was)
				}
			}
			if bytes.Equal(now, given) {
				return p, offset, false
			}
		}
	}
	return nil, 0, false
}

// offsetIn reads the offset from the code of [clockGettime].
func offsetIn(code []byte) (offset time.Duration, ok bool) {
	const (
		whole = 23 // position of the whole seconds
		rest  = 31 // position of the nanoseconds, in code that has them
	)
	if len(code) < rest+4 {
		return 0, false
	}
	number := func(at int) time.Duration { return time.Duration(int32(binary.LittleEndian.Uint32(code[at:]))) }
	for _, offset := range []time.Duration{number(whole) * time.Second, number(whole)*time.Second + number(rest)} {
		if offset.Abs() > maxOffset {
			continue
		}
		if want := clockGettime(offset); bytes.HasPrefix(code, want) {
			return offset, true
		}
	}
	return 0, false
}
