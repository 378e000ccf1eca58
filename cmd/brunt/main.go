package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/pprof"

	"brunt/scenarios"
	"brunt/scenarios/run"
)

func main() {
	sc, err := scenarios.Parse(os.Args[1], scenarios.Options{})
	if err == nil {
		var p *run.Plan
		p, err = run.Compile(sc)
		if err == nil {
			if pf := os.Getenv("PROF"); pf != "" {
				f, _ := os.Create(pf)
				pprof.StartCPUProfile(f)
				defer pprof.StopCPUProfile()
			}
			var r *scenarios.Result
			r, err = p.Run(context.Background(), run.Options{})
			if err == nil {
				for _, c := range r.Cells {
					if c.Load == "*" && (c.Phase == "run" || os.Getenv("ALL") != "") {
						b, _ := json.Marshal(c)
						fmt.Println(string(b))
					}
				}
				for _, o := range r.Objectives {
					fmt.Println(o.Text, o.Verdict, o.Measured, o.Low, o.High, o.Note)
				}
				for _, o := range r.Errors {
					b, _ := json.Marshal(o)
					fmt.Println(string(b))
				}
				r.Generator.Seconds = nil
				b, _ := json.Marshal(r.Generator)
				fmt.Println(string(b))
				if os.Getenv("WIN") != "" {
					for _, w := range r.Windows {
						if w.Load == "*" {
							b, _ := json.Marshal(w)
							fmt.Println(string(b))
						}
					}
				}
				fmt.Println(r.Verdict, r.ExitCode, r.Reason)
			}
		}
	}
	if e, ok := errors.AsType[*scenarios.MistakesError](err); ok {
		fmt.Print(e.Explain())
		os.Exit(2)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
