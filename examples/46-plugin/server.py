"""The system under test: it keeps numbers by key, and appends each change to a file.

A request is an operation, A(dd) or G(et), the length of the key in two bytes, the key, and a number in four bytes. The
answer is a status, 0, or 1 for a key that is not there, and a number in four bytes.
"""

import os
import socketserver
import struct
import sys
import threading

address, path, keep = sys.argv[1:4]
numbers, lock = {}, threading.Lock()


def load():
    if keep == "file" and os.path.exists(path):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n"):  # the last one may be torn
                    key, number = line.split()
                    numbers[key] = numbers.get(key, 0) + int(number)


class Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        while head := self.rfile.read(3):
            operation, length = struct.unpack(">cH", head)
            key = self.rfile.read(length).decode()
            (number,) = struct.unpack(">i", self.rfile.read(4))
            with lock:
                status = 0
                if operation == b"A":
                    if keep == "file":
                        log.write(f"{key} {number}\n")
                        log.flush()  # a crash of the process loses nothing of it
                    numbers[key] = numbers.get(key, 0) + number
                elif key not in numbers:
                    status = 1
                found = numbers.get(key, 0)
            self.wfile.write(struct.pack(">Bi", status, found))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


os.makedirs(os.path.dirname(path), exist_ok=True)
load()
log = open(path, "a", encoding="utf-8")
host, port = address.rsplit(":", 1)
Server((host, int(port)), Connection).serve_forever()
