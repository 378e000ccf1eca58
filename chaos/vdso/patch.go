package vdso

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// A Patch is code that replaces the functions that read the clock. It is data.
type Patch []Piece

// A Piece is the beginning of one function.
type Piece struct {
	At  uint64 `json:"at"` // offset in the vDSO
	Was []byte `json:"was"`
	Is  []byte `json:"is"` // as long as Was
}

// maxOffset is the largest clock offset, in either direction.
const maxOffset = 10 * 366 * 24 * time.Hour

// Of returns the patch that adds offset to the clock of an unmodified vDSO image.
func Of(image []byte, offset time.Duration) (Patch, error) {
	if offset.Abs() > maxOffset {
		return nil, fmt.Errorf("a clock is set off by at most %s", maxOffset)
	}
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, fmt.Errorf("its vDSO is not understood: %w", err)
	}
	if f.Machine != elf.EM_X86_64 {
		return nil, fmt.Errorf("its vDSO is of %s; only x86-64 is known", f.Machine)
	}
	symbols, err := f.DynamicSymbols()
	if err != nil {
		return nil, fmt.Errorf("its vDSO is not understood: %w", err)
	}
	codes := map[string][]byte{
		"__vdso_clock_gettime": clockGettime(offset),
		"__vdso_gettimeofday":  gettimeofday(offset),
		"__vdso_time":          seconds(offset),
	}
	var p Patch
	for _, s := range symbols {
		code, ours := codes[s.Name]
		if !ours {
			continue
		}
		if uint64(len(code)) > s.Size || s.Value+s.Size > uint64(len(image)) {
			return nil, fmt.Errorf("%s has %d bytes, and %d are needed", s.Name, s.Size, len(code))
		}
		p = append(p, Piece{At: s.Value, Was: bytes.Clone(image[s.Value : s.Value+uint64(len(code))]), Is: code})
		delete(codes, s.Name)
	}
	if len(codes) > 0 {
		return nil, errors.New("its vDSO lacks a function that tells the time")
	}
	return p, nil
}

// split returns whole seconds, rounded down, and the rest in units of part.
func split(offset, part time.Duration) (whole, rest int32) {
	s := int64(math.Floor(offset.Seconds()))
	if d := offset - time.Duration(s)*time.Second; d < 0 { // Seconds was rounded up
		s--
	}
	return int32(s), int32((offset - time.Duration(s)*time.Second) / part)
}

// add returns code that adds to the time at p, which is rsi or rdi: whole seconds, then rest
// in units of which a second has all.
//
//	add qword [p], whole
//	add qword [p+8], rest
//	cmp qword [p+8], all
//	jl  +11
//	sub qword [p+8], all
//	inc qword [p]
func add(p byte, whole, rest, all int32) []byte {
	b := []byte{0x48, 0x81, p}
	b = binary.LittleEndian.AppendUint32(b, uint32(whole))
	if rest == 0 {
		return b
	}
	b = append(b, 0x48, 0x81, 0x40|p, 8)
	b = binary.LittleEndian.AppendUint32(b, uint32(rest))
	b = append(b, 0x48, 0x81, 0x78|p, 8)
	b = binary.LittleEndian.AppendUint32(b, uint32(all))
	b = append(b, 0x7C, 11)
	b = append(b, 0x48, 0x81, 0x68|p, 8)
	b = binary.LittleEndian.AppendUint32(b, uint32(all))
	return append(b, 0x48, 0xFF, p)
}

// Register numbers in the last three bits of an instruction.
const (
	rsi = 6
	rdi = 7
)

const ret = 0xC3

// clockGettime returns the code of int clock_gettime(clockid_t edi, struct timespec *rsi).
//
//	mov  eax, 228 ; syscall
//	test eax, eax ; jne out
//	test edi, edi ; je  add        CLOCK_REALTIME
//	cmp  edi, 5   ; jne out        CLOCK_REALTIME_COARSE
//	add: …
//	out: ret
func clockGettime(offset time.Duration) []byte {
	whole, rest := split(offset, time.Nanosecond)
	body := add(rsi, whole, rest, 1_000_000_000)
	b := []byte{
		0xB8, 228, 0, 0, 0, 0x0F, 0x05, 0x85, 0xC0, 0x75, byte(9 + len(body)), 0x85, 0xFF, 0x74, 5, 0x83, 0xFF, 5,
		0x75, byte(len(body)),
	}
	return append(append(b, body...), ret)
}

// gettimeofday returns the code of int gettimeofday(struct timeval *rdi, struct timezone
// *rsi); rdi may be NULL.
//
//	mov  eax, 96  ; syscall
//	test eax, eax ; jne out
//	test rdi, rdi ; je  out
//	add: …
//	out: ret
func gettimeofday(offset time.Duration) []byte {
	whole, rest := split(offset, time.Microsecond)
	body := add(rdi, whole, rest, 1_000_000)
	b := []byte{
		0xB8, 96, 0, 0, 0, 0x0F, 0x05, 0x85, 0xC0, 0x75, byte(5 + len(body)), 0x48, 0x85, 0xFF, 0x74, byte(len(body)),
	}
	return append(append(b, body...), ret)
}

// seconds returns the code of time_t time(time_t *rdi); rdi may be NULL. It ignores the
// fraction of a second in the offset.
//
//	mov  eax, 201 ; syscall
//	add  rax, whole
//	test rdi, rdi ; je out
//	mov  [rdi], rax
//	out: ret
func seconds(offset time.Duration) []byte {
	whole, _ := split(offset, time.Second)
	b := []byte{0xB8, 201, 0, 0, 0, 0x0F, 0x05, 0x48, 0x05}
	b = binary.LittleEndian.AppendUint32(b, uint32(whole))
	return append(b, 0x48, 0x85, 0xFF, 0x74, 3, 0x48, 0x89, 0x07, ret)
}
