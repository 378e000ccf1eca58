"""A plug-in of brunt in Python: it speaks the protocol of server.py.

brunt writes calls to standard input, and reads answers from standard output, each a line of JSON. Each of the WORKERS
has a connection of its own, and makes one call at a time.
"""

import json
import os
import queue
import socket
import struct
import sys
import threading

WORKERS = 16
CALLS = {"get": b"G", "add": b"A"}

calls = queue.SimpleQueue()
out = threading.Lock()


def tell(line):
    """Writes a line whole, whatever thread it is of, and flushes it."""
    text = json.dumps(line) + "\n"
    with out:
        sys.stdout.write(text)
        sys.stdout.flush()


def connect(address):
    host, port = address.rsplit(":", 1)
    conn = socket.create_connection((host.strip("[]"), int(port)), timeout=5)
    conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return conn


def ask(conn, call):
    """Makes a call: an operation, the length of the key, the key, a number; back come a status and a number."""
    operation = CALLS[call["call"]]
    settings = call.get("with") or {}
    key = str(settings["key"]).encode()
    conn.settimeout(max(0.001, call.get("timeout_ms", 5000) / 1000))
    conn.sendall(operation + struct.pack(">H", len(key)) + key + struct.pack(">i", int(settings.get("number", 0))))
    answer = b""
    while len(answer) < 5:
        more = conn.recv(5 - len(answer))
        if not more:
            raise EOFError("the server has closed the connection")
        answer += more
    return struct.unpack(">Bi", answer)


def work(address):
    conn = None
    while True:
        call = calls.get()
        line = {"id": call["id"]}
        try:
            if call["call"] not in CALLS:
                tell({**line, "status": 400, "message": "there is no call " + call["call"]})
                continue
            if conn is None:
                conn = connect(address)
            status, number = ask(conn, call)
            if status == 1:
                tell({**line, "absent": True})
            elif status:
                tell({**line, "status": status, "message": "the server refuses it"})
            else:
                tell({**line, "body": {"number": number}})
            continue
        except (KeyError, ValueError, struct.error) as error:  # settings that the protocol can't send
            tell({**line, "status": 400, "message": repr(error)})
            continue
        except ConnectionRefusedError as error:
            failed, why = "refused", error
        except ConnectionResetError as error:
            failed, why = "reset", error
        except (EOFError, BrokenPipeError) as error:
            failed, why = "closed", error
        except TimeoutError as error:
            failed, why = "timeout", error
        except OSError as error:
            failed, why = "other", error
        if conn is not None:  # an answer that comes later must not answer the next call
            conn.close()
            conn = None
        tell({**line, "failed": failed, "message": str(why)})


def main():
    hello = json.loads(sys.stdin.readline())
    tell({"hello": 1, "name": "stock", "calls": list(CALLS), "examples": {"get": {"key": "tea"}}})
    for _ in range(WORKERS):
        threading.Thread(target=work, args=(hello["address"],), daemon=True).start()
    for text in sys.stdin:
        calls.put(json.loads(text))
    with out:  # brunt has closed the input; no thread is within a line
        os._exit(0)


main()
