// Command ferretdb runs FerretDB over SQLite, which speaks MongoDB's protocol. It stands for MongoDB in tests and
// examples. FerretDB's own command can't be built as a module: it wants files that only its repository has.
//
//	ferretdb HOST:PORT FOLDER           documents are in files of this folder
//	ferretdb HOST:PORT FOLDER memory    documents are in memory
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "ferretdb:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) < 2 || len(args) > 3 {
		return fmt.Errorf("usage: ferretdb HOST:PORT FOLDER [memory]")
	}
	if err := os.MkdirAll(args[1], 0o700); err != nil {
		return err
	}
	at := "file:" + args[1] + "/"
	if len(args) == 3 && args[2] == "memory" {
		at += "?mode=memory"
	}
	f, err := ferretdb.New(&ferretdb.Config{
		Listener: ferretdb.ListenerConfig{TCP: args[0]}, Handler: "sqlite", SQLiteURL: at,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return f.Run(ctx)
}
