// Package sockets closes sockets with immediate effect, even while another process holds a copy of the
// descriptor.
//
// Between fork and exec a child process has copies of all of brunt's descriptors. A plain close(2) in
// brunt leaves the socket open in the child: its port stays taken and its peer keeps waiting.
package sockets
