package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// resources reports how much the victim gets of the resources that a fault may take from it.
//
//	/cpu?for=2s          the share of a processor that a busy thread got
//	/disk?for=2s&dir=/   the bytes a second that it wrote, past the page cache; read=1 reads them
//	/clock               the time, in nanoseconds
//	/files               how many files it can open, and the error of the next
func resources() {
	http.HandleFunc("/cpu", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, cpu(span(r))) })
	http.HandleFunc("/disk", func(w http.ResponseWriter, r *http.Request) {
		rate, err := disk(r.FormValue("dir"), span(r), r.FormValue("read") != "")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, rate)
	})
	http.HandleFunc("/clock", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, time.Now().UnixNano()) })
	http.HandleFunc("/files", func(w http.ResponseWriter, _ *http.Request) {
		var open []*os.File
		for {
			f, err := os.Open("/")
			if err != nil {
				for _, f := range open {
					_ = f.Close()
				}
				fmt.Fprint(w, strconv.Itoa(len(open))+" "+err.Error())
				return
			}
			open = append(open, f)
		}
	})
}

func span(r *http.Request) time.Duration {
	d, err := time.ParseDuration(r.FormValue("for"))
	if err != nil {
		return time.Second
	}
	return d
}

func cpu(d time.Duration) float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began, used := time.Now(), thread()
	for time.Since(began) < d {
		for i := range 1000 {
			runtime.KeepAlive(i)
		}
	}
	return (thread() - used).Seconds() / time.Since(began).Seconds()
}

// thread returns the processor time of this thread.
func thread() time.Duration {
	var u syscall.Rusage
	const thread = 1 // RUSAGE_THREAD
	_ = syscall.Getrusage(thread, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func disk(dir string, d time.Duration, read bool) (float64, error) {
	f, err := os.CreateTemp(dir, "x")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	_ = f.Close()
	if f, err = os.OpenFile(f.Name(), os.O_RDWR|syscall.O_DIRECT, 0); err != nil {
		return 0, err
	}
	defer f.Close()
	const block = 16 << 10
	b := make([]byte, block+4096)
	b = b[4096-int(uintptr(unsafe.Pointer(&b[0]))%4096):][:block]
	if _, err := f.WriteAt(b, 0); err != nil {
		return 0, err
	}
	n := int64(0)
	began := time.Now()
	for time.Since(began) < d {
		if read {
			_, err = f.ReadAt(b, 0)
		} else {
			_, err = f.WriteAt(b, n%(64*block))
		}
		if err != nil {
			return 0, err
		}
		n += block
	}
	return float64(n) / time.Since(began).Seconds(), nil
}
