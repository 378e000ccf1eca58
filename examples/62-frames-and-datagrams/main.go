// Command 62-frames-and-datagrams is a server with a protocol of its own. It answers each report `at PLACE` of a
// tracker with `ok PLACE`. A report is a datagram, or a message of a TCP connection: one whose length comes before it
// in two bytes, or one that ends with a semicolon. The first byte of a connection tells the two apart.
package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"log"
	"net"
	"os"
	"strings"
)

func main() {
	datagrams, err := net.ListenPacket("udp", os.Getenv("DATAGRAMS"))
	if err != nil {
		log.Fatal(err)
	}
	connections, err := net.Listen("tcp", os.Getenv("BRUNT_ADDR"))
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(serveDatagrams(datagrams)) }()
	for {
		c, err := connections.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(c)
	}
}

// answer returns the answer to a report.
func answer(report string) string {
	place, ok := strings.CutPrefix(report, "at ")
	if !ok {
		return "what?"
	}
	return "ok " + place
}

func serveDatagrams(c net.PacketConn) error {
	for b := make([]byte, 1500); ; {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return err
		}
		if _, err := c.WriteTo([]byte(answer(string(b[:n]))), from); err != nil {
			return err
		}
	}
}

// serve answers the reports of a connection until it ends.
func serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	first, err := in.Peek(1)
	for err == nil {
		if first[0] == 0 { // of a length below 256
			err = serveFrame(in, c)
		} else {
			err = serveText(in, c)
		}
	}
}

// serveFrame answers a report that has its length before it.
func serveFrame(in io.Reader, out io.Writer) error {
	var length [2]byte
	if _, err := io.ReadFull(in, length[:]); err != nil {
		return err
	}
	report := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(in, report); err != nil {
		return err
	}
	text := answer(string(report))
	_, err := out.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(text))), text...))
	return err
}

// serveText answers a report that ends with a semicolon.
func serveText(in *bufio.Reader, out io.Writer) error {
	report, err := in.ReadString(';')
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, answer(strings.TrimSuffix(report, ";"))+";")
	return err
}
