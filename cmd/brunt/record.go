package main

import (
	"fmt"
	"net/http"
	"time"

	"brunt/reporters/live"
	"brunt/scenarios"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/convert/har"
	"brunt/scenarios/disk"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

func recordCommand() *cobra.Command {
	o := draft.Options{Kind: "har", File: "recording", From: "."}
	var listen, recording string
	var origins []string
	var w written
	c := &cobra.Command{
		Use:   "record URL",
		Short: "Write a scenario from requests that a browser or a program makes through a proxy",
		Long: `Listen as a proxy before the target at URL, and pass each request on to it: use the printed
address in place of URL, in a browser or in the settings of a program. Ctrl-C ends the
recording, and writes the scenario, as ` + "`brunt convert har`" + ` makes it: the session as a flow
with its pauses, and values of answers that later requests send as ${var.NAME}.

The proxy speaks plain HTTP, also for a target with TLS. It listens on loopback unless
--listen names another HOST, and reaches the target alone. Pages of other origins may read
through it and not change anything, unless --origin names them. It records the first MiB of
each body. The scenario holds no secret, as with convert; the file of --har does.`,
		Example: `  brunt record http://127.0.0.1:8080 -o shop.yaml
  brunt record https://shop.example --listen :9000 -o shop.yaml --har shop.har`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			target, err := syntax.ParseURL(args[0])
			if err != nil {
				return scenarios.Usage(err)
			}
			if target.RawQuery != "" {
				return usagef("%s: the target has no query; requests bring their own", args[0])
			}
			l, names, err := listenAt("--listen", listen)
			if err != nil {
				return err
			}
			ctx, stop := interruptible(stderr(c), "", "")
			defer stop()
			own := http.NewCrossOriginProtection()
			for _, origin := range origins {
				if err := own.AddTrustedOrigin(origin); err != nil {
					return usagef("--origin: %w", err)
				}
			}
			recorder := har.NewRecorder(target)
			s := &http.Server{ReadHeaderTimeout: 10 * time.Second}
			s.Handler = http.HandlerFunc(func(to http.ResponseWriter, r *http.Request) {
				if !live.OwnHost(r.Host, names) { // a page of another site, whose name leads here
					http.Error(to, "name this host in --listen", http.StatusMisdirectedRequest)
					return
				}
				if err := sameOrigin(own, r); err != nil {
					http.Error(to, "a page of another origin sent this: name it, such as http://localhost:3000, in --origin",
						http.StatusForbidden)
					return
				}
				recorder.ServeHTTP(to, r)
			})
			fmt.Fprintf(stderr(c), "brunt: recording %s at http://%s/; Ctrl-C ends it and writes the scenario\n",
				args[0], l.Addr())
			ended := make(chan error, 1)
			go func() { ended <- s.Serve(l) }()
			select {
			case err := <-ended:
				return err
			case <-ctx.Done():
				_ = s.Close()
				<-ended
			}
			text, n, err := recorder.HAR()
			switch {
			case err != nil:
				return err
			case n == 0:
				return usagef("no request came to http://%s/, so there is no scenario", l.Addr())
			case recording != "":
				if err := writeNew(recording, string(text), disk.Private, w.force); err != nil {
					return err
				}
				o.File = recording
			}
			return w.convert(c, text, o)
		},
	}
	w.flags(c)
	c.Flags().StringVar(&listen, "listen", ":8888",
		"[HOST]:PORT of the proxy, such as :8888, which is 127.0.0.1:8888; port 0 is a free one")
	c.Flags().StringArrayVar(&origins, "origin", nil,
		"an origin, such as http://localhost:3000, whose pages may change something at the target (may be repeated)")
	c.Flags().StringVar(&recording, "har", "",
		"write the recording to a file too, with all that requests and answers hold")
	c.Flags().BoolVar(&o.Static, "static", false, "include images, fonts, styles and scripts")
	return c
}

// sameOrigin returns an error if a page of another origin sent a request that may change something. A WebSocket, which
// begins with a GET, may.
func sameOrigin(own *http.CrossOriginProtection, r *http.Request) error {
	if r.Header.Get("Upgrade") != "" {
		change := r.Clone(r.Context())
		change.Method = http.MethodPost
		r = change
	}
	return own.Check(r)
}
