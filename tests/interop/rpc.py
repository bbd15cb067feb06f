"""A client of an agent's RPC socket that keeps one connection: steady traffic without a process for each request.

Only the part of msgpack and of the protocol (protocol/serf section "RPC") that the checks use: handshake, event, query, tags.
"""
import socket
import struct
import threading


def packed(value):
    """As old msgpack has it: texts and bytes are both raw, which agents of both kinds take."""
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return struct.pack(">BQ", 0xcf, value)
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return struct.pack(">BH", 0xda, len(value)) + value
    if isinstance(value, list):
        return struct.pack(">BH", 0xdc, len(value)) + b"".join(map(packed, value))
    return struct.pack(">BH", 0xde, len(value)) + b"".join(packed(key) + packed(each) for key, each in value.items())


class Unpacker:
    """Reads values from a file of bytes; EOFError at its end."""
    LENGTHS = {0xc4: ">B", 0xc5: ">H", 0xc6: ">I", 0xd9: ">B", 0xda: ">H", 0xdb: ">I", 0xdc: ">H", 0xdd: ">I", 0xde: ">H", 0xdf: ">I"}
    NUMBERS = {0xca: ">f", 0xcb: ">d", 0xcc: ">B", 0xcd: ">H", 0xce: ">I", 0xcf: ">Q", 0xd0: ">b", 0xd1: ">h", 0xd2: ">i", 0xd3: ">q"}

    def __init__(self, file):
        self._file = file

    def _take(self, count):
        taken = self._file.read(count) if count else b""
        if len(taken) != count:
            raise EOFError
        return taken

    def _number(self, form):
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def value(self):
        kind = self._take(1)[0]
        if kind <= 0x7f:
            return kind
        if kind >= 0xe0:
            return kind - 0x100
        if kind in (0xc0, 0xc2, 0xc3):
            return {0xc0: None, 0xc2: False, 0xc3: True}[kind]
        if kind in self.NUMBERS:
            return self._number(self.NUMBERS[kind])
        length = self._number(self.LENGTHS[kind]) if kind in self.LENGTHS else kind & (0x1f if kind >= 0xa0 else 0x0f)
        if kind <= 0x8f or kind in (0xde, 0xdf):
            return {self.value(): self.value() for _ in range(length)}
        if kind <= 0x9f or kind in (0xdc, 0xdd):
            return [self.value() for _ in range(length)]
        text = self._take(length)
        return text.decode(errors="replace")


class Rpc:
    """One connection. A thread of its own reads the answers; `errors` has what the agent refused."""

    def __init__(self, address, seconds=10):
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=seconds)
        self._socket.settimeout(None)
        self._sequence = 0
        self._lock = threading.Lock()
        self._queries = {}
        self._answered = threading.Condition()
        self._done = set()  # sequences of requests that were answered
        self.errors = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.ask("handshake", {"Version": 1}, seconds)

    def send(self, command, body, on_record=None):
        """Sends a request and does not wait; returns its number. `on_record` gets what a query brings."""
        with self._lock:
            self._sequence += 1
            sequence = self._sequence
            if on_record:
                self._queries[sequence] = on_record
            self._socket.sendall(packed({"Command": command, "Seq": sequence}) + packed(body))
            return sequence

    def ask(self, command, body, seconds=10):
        """Sends a request and waits until it was answered."""
        sequence = self.send(command, body)
        with self._answered:
            if not self._answered.wait_for(lambda: sequence in self._done, seconds):
                raise TimeoutError(f"no answer to {command} within {seconds} s")

    def event(self, name, payload):
        self.send("event", {"Name": name, "Payload": payload, "Coalesce": False})

    def query(self, name, payload, timeout_seconds, on_record):
        self.send("query", {"FilterNodes": [], "FilterTags": {}, "RequestAck": True, "Timeout": int(timeout_seconds * 1e9),
                            "Name": name, "Payload": payload}, on_record)

    def _read(self):
        unpacker = Unpacker(self._socket.makefile("rb"))
        started = set()
        try:
            while True:
                header = unpacker.value()
                sequence = header["Seq"]
                if header["Error"]:
                    self.errors.append(header["Error"])
                if sequence in started:
                    self._queries[sequence](unpacker.value())
                elif sequence in self._queries:
                    started.add(sequence)
                with self._answered:
                    self._done.add(sequence)
                    self._answered.notify_all()
        except (EOFError, OSError):
            pass

    def close(self):
        """Everything that was sent must have been answered."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()
        self._reader.join(timeout=10)
