//go:build unix

package plugin_test

import (
	"bufio"
	"bytes"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/targetstest"
)

// echo is a plug-in that does nothing else: it answers each line at once, and writes when it has read all that is
// there.
func echo() {
	in, out := bufio.NewReaderSize(os.Stdin, 64<<10), bufio.NewWriterSize(os.Stdout, 64<<10)
	_, _ = in.ReadSlice('\n')
	_, _ = out.WriteString(greeting + "\n")
	for {
		if in.Buffered() == 0 {
			_ = out.Flush()
		}
		text, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		id := text[len(`{"id":`):bytes.IndexByte(text, ',')]
		_, _ = out.WriteString(`{"id":`)
		_, _ = out.Write(id)
		_, _ = out.WriteString(`,"body":{"count":7,"name":"tea"}}` + "\n")
	}
}

// cpu returns the CPU time that this process has used, or its children that have ended.
func cpu(who int) time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(who, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkPlugin_Do measures the CPU time of a call on brunt's side and on that of a plug-in that does nothing.
func BenchmarkPlugin_Do(b *testing.B) {
	for name, users := range map[string]int{"users=1": 1, "users=64": 64} {
		b.Run(name, func(b *testing.B) {
			d := descriptor("echo")
			flow := targetstest.Compile(b, d, "", `{plugin: say, with: {key: "k${int(1,9)}"}, check: {$.count: 7}}`)
			o := targets.Options{Base: "plugin://127.0.0.1:9", T0: time.Now()}
			var err error
			if o.Network, err = network(&o); err != nil {
				b.Fatal(err)
			}
			client, err := d.Client(o)
			if err != nil {
				b.Fatal(err)
			}
			all := make([]*targetstest.User, users)
			for i := range all {
				all[i] = flow.Open(b, client, o.T0, i)
			}
			all[0].Do(0, time.Minute)
			began, child := cpu(syscall.RUSAGE_SELF), cpu(syscall.RUSAGE_CHILDREN)
			b.ReportAllocs()
			b.ResetTimer()
			var left atomic.Int64
			left.Store(int64(b.N))
			var group sync.WaitGroup
			for _, u := range all {
				group.Go(func() {
					for left.Add(-1) >= 0 {
						if out := u.Do(0, time.Minute); out.Kind != scenarios.OK {
							b.Errorf("%+v", out)
							return
						}
					}
				})
			}
			group.Wait()
			b.StopTimer()
			own := cpu(syscall.RUSAGE_SELF) - began
			_ = client.Close()
			b.ReportMetric(float64(own.Microseconds())/float64(b.N), "us-cpu/op")
			b.ReportMetric(float64((cpu(syscall.RUSAGE_CHILDREN)-child).Microseconds())/float64(b.N), "us-cpu-plugin/op")
		})
	}
}
