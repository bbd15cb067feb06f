"""Floods against a live agent: what it holds stays within its bounds, and it goes on answering.

The flooder speaks the protocol without a key, so this is also what a holder of the key can do to an encrypted cluster. Each check
prints the bound and what was held.
"""
import collections
import os
import random
import socket
import struct
import threading
import time

from harness import EVERY_STARLING, check, expect
from packed import pack, raw
from rpc_replay import Connection

MEBIBYTE = 1 << 20
# Every thirty seconds a queue is cut to 4096, as in Serf; in between it holds what it has room for.
QUEUED_MAX = 16384
VERSIONS = raw(bytes([1, 5, 2, 2, 5, 4]))


def fields(**items):
    """A map whose keys are in the order of the alphabet, as Go writes them; values are packed already."""
    return bytes([0x80 | len(items)]) + b"".join(raw(key) + value for key, value in sorted(items.items()))


def alive(name, address, meta=b""):
    return b"\x04" + fields(Addr=raw(socket.inet_aton(address)), Incarnation=pack(1), Meta=raw(meta), Node=raw(name), Port=pack(7946),
                            Vsn=VERSIONS)


def user_event(name, time_, payload=b""):
    return b"\x08\x03" + fields(CC=pack(False), LTime=pack(time_), Name=raw(name), Payload=raw(payload))


def query(name, time_, identity, address):
    return b"\x08\x04" + fields(Addr=raw(socket.inet_aton(address)), Filters=pack([]), Flags=pack(1), ID=pack(identity), LTime=pack(time_),
                                Name=raw(name), Payload=pack(None), Port=pack(7946), RelayFactor=pack(0), SourceNode=raw("asker"),
                                Timeout=pack(5_000_000_000))


def compound(messages):
    return b"\x07" + bytes([len(messages)]) + b"".join(struct.pack(">H", len(message)) for message in messages) + b"".join(messages)


def push_pull(nodes, state_bytes=0):
    return b"\x06" + fields(Join=pack(False), Nodes=pack(nodes), UserStateLen=pack(state_bytes))


def state(name, address):
    return fields(Addr=raw(socket.inet_aton(address)), Incarnation=pack(1), Meta=raw(b""), Name=raw(name), Port=pack(7946), State=pack(0),
                  Vsn=VERSIONS)


class Target:
    """An agent under a flood: asked all the while whether it still answers, and what it holds."""

    def __init__(self, stage, **config):
        self.agent = stage.started("starling", "target", handle="", config=config, args=["-log-level=info"])
        self.stage = stage
        self.source = stage.addresses.take()
        self.rpc = Connection(self.agent)
        self.sequence, self.asking, self.slowest_rpc = 0, threading.Lock(), 0.0
        self.ask("handshake", {"Version": 1})
        self.pings, self.slowest_ping = [0, 0], 0.0
        self.peak = 0
        self.most = {}
        self.rss_before, self.cpu_before = self.rss(), self.cpu()
        self.counters_before = self.counters()
        self.started = time.monotonic()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.probe)
        self.error = None
        self.thread.start()
        stage.at_end(self.stopped.set)

    def ask(self, command, body=None):
        has_body = command not in ("handshake", "event")
        with self.asking:
            self.sequence += 1
            start = time.monotonic()
            self.rpc.send(pack({"Command": command, "Seq": self.sequence}) + (pack(body) if body is not None else b""))
            values = self.rpc.read(lambda there: len(there) > has_body, 8)
            expect(len(values) > has_body, f"no answer to {command}")
            self.rpc.take()
            if command == "stats":  # a list of members takes the time that it takes to read
                self.slowest_rpc = max(self.slowest_rpc, time.monotonic() - start)
        return values[-1]

    def counters(self):
        stats = self.ask("stats")
        return {key: int(value) for group in ("serf", "starling") for key, value in stats[group].items() if value.isdigit()}

    def rss(self):
        for line in open(f"/proc/{self.agent.process.pid}/status"):
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * 1024
        return 0

    def cpu(self):
        parts = open(f"/proc/{self.agent.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def ping(self, number, seconds=1.0):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.bind((self.source, 0))
            asker.settimeout(seconds)
            start = time.monotonic()
            asker.sendto(b"\x00" + fields(Node=raw("target"), SeqNo=pack(number)), (self.agent.address, 7946))
            try:
                asker.recv(2048)
            except TimeoutError:
                return None
            return time.monotonic() - start

    def probe(self):
        number = 0
        try:
            while not self.stopped.is_set():
                number += 1
                took = self.ping(number)
                self.pings[0] += 1
                if took is not None:
                    self.pings[1] += 1
                    self.slowest_ping = max(self.slowest_ping, took)
                for key, value in self.counters().items():
                    self.most[key] = max(value, self.most.get(key, 0))
                self.peak = max(self.peak, self.rss())
                self.stopped.wait(0.1)
        except Exception as error:  # told by end()
            self.error = error

    def send(self, datagrams):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.bind((self.source, 0))
            for datagram in datagrams:
                sender.sendto(datagram, (self.agent.address, 7946))

    def dial(self):
        return socket.create_connection((self.agent.address, 7946), timeout=5, source_address=(self.source, 0))

    def push_pull(self):
        """An honest exchange; the seconds it took."""
        start = time.monotonic()
        with self.dial() as peer:
            peer.sendall(push_pull(0))
            peer.settimeout(5)
            try:
                answered = peer.recv(1)
            except OSError:
                answered = b""
        expect(answered, "an honest push/pull was not answered")
        return time.monotonic() - start

    def end(self, what, held, memory_bound):
        """held: {what: (seen, bound)}; memory_bound: bytes that the flood may cost at any time."""
        self.stopped.set()
        self.thread.join(timeout=30)
        if self.error:
            raise self.error
        expect(self.agent.process.poll() is None, f"the agent ended: {self.agent.log_tail()}")
        self.stage.wait("the agent answers a ping", lambda: (self.ping(0) is not None, None), 10)
        seconds = time.monotonic() - self.started
        lines = self.agent.log().count("\n")
        grown = max(self.peak, self.rss()) - self.rss_before
        held = held | {"MB more": (round(grown / MEBIBYTE, 1), round(memory_bound / MEBIBYTE, 1)),
                       # A dozen kinds of refusals at ten lines a second each, and what peers may say.
                       "log lines a second": (round(lines / seconds), 1500),
                       "s slowest ping": (round(self.slowest_ping, 3), 1.0), "s slowest RPC": (round(self.slowest_rpc, 3), 3.0)}
        print(f"     flood of {what}: " + ", ".join(f"{seen} {name} (at most {bound})" for name, (seen, bound) in held.items()) +
              f"; pings answered {self.pings[1]} of {self.pings[0]}, CPU {self.cpu() - self.cpu_before:.1f} s in {seconds:.1f} s", flush=True)
        for name, (seen, bound) in held.items():
            expect(seen <= bound, f"{seen} {name}, at most {bound}")
        expect(self.pings[1] * 4 >= self.pings[0], f"pings answered: {self.pings[1]} of {self.pings[0]}")

    def more(self, counter):
        return self.counters()[counter] - self.counters_before[counter]


def for_seconds(seconds, step):
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        step(number)
        number += 1
    return number


@check(60)
def flood_of_names(stage):
    """Ten times as many spoofed members as there is room for, each with metadata of its own."""
    target = Target(stage, members_max=2000)
    draw = random.Random(1)

    def some(number):
        target.send([compound([alive(f"spoofed-{number:05}-{i:02}", f"127.1.{number % 250}.{i + 1}", b"\xff\x80" + draw.randbytes(60))
                               for i in range(8)])])
        time.sleep(0.001)
    for number in range(2500):
        some(number)
    time.sleep(1)
    members = len(target.ask("members")["Members"])
    expect(target.more("members_refused") > 0, "nobody was refused")
    # Each lane has its share of the table and some room beyond it, here as much as all.
    lanes = next((int(argument[len("-lanes="):]) for argument in EVERY_STARLING if argument.startswith("-lanes=")), 1)
    # A row and its copies in the agent, with room for the suspicions and the coalescing of two thousand joins.
    target.end("names", {"members": (members, 2000 * lanes), "rows of suspicion": (target.most["suspicions"], 2000 * lanes)}, 24 * MEBIBYTE)


@check(60)
def flood_of_headers(stage):
    """Push/pull headers that announce up to 2^64 nodes and bytes, then nothing: no memory is taken for what is only announced."""
    target = Target(stage)
    counts = [(1 << 31, 0), ((1 << 64) - 1, 0), (-1, 0), (0, 1 << 31), (0, -1), (1 << 20, 0), (1000, (1 << 31) - 1)]

    def some(number):
        with target.dial() as peer:
            peer.sendall(push_pull(*counts[number % len(counts)]))
    sent = for_seconds(4, some)
    time.sleep(0.5)
    expect(target.more("streams_failed") > sent // 4, "hardly any header was refused")
    target.end("headers", {"streams at a time": (target.most["streams"], 64)}, 24 * MEBIBYTE)


@check(90)
def flood_of_streams(stage):
    """Streams that never end and streams that hardly begin: each is over after ten seconds, however its bytes come.

    Of a hundred, 64 have a session at a time; the others wait in the kernel until those are over.
    """
    target = Target(stage)
    ended = []

    def endless():
        start = time.monotonic()
        number = 0
        try:
            with target.dial() as peer:
                peer.sendall(push_pull(1 << 20))
                while time.monotonic() - start < 20:
                    number += 1
                    peer.sendall(state(f"endless-{number % 50}", "127.1.1.1") * 20)
                    time.sleep(0.002)
        except OSError:
            pass
        ended.append(("endless", time.monotonic() - start))
    flooders = [threading.Thread(target=endless) for _ in range(3)]
    drips = []
    start = time.monotonic()
    for flooder in flooders:
        flooder.start()
    for _ in range(100):
        try:
            drips.append(target.dial())
        except OSError:
            break
    begun = len(drips)
    message = push_pull(1, 0)
    honest = 0.0
    for number in range(26):
        if number in (3, 6):
            honest = max(honest, target.push_pull())
        for peer in list(drips):
            try:
                peer.sendall(message[number:number + 1])
                peer.settimeout(0.001)
                if peer.recv(1) == b"":
                    drips.remove(peer)
            except TimeoutError:
                pass
            except OSError:
                drips.remove(peer)
        if not drips:
            break
        time.sleep(1)
    ended.append(("dripping", time.monotonic() - start))
    for flooder in flooders:
        flooder.join()
    expect(begun == 100, f"only {begun} streams could be dialled")
    target.end("streams", {"streams at a time": (target.most["streams"], 64), "dripping streams left": (len(drips), 0),
                           "s an honest push/pull took": (round(honest, 2), 3)} |
               {f"s until the {kind} streams were over": (round(seconds, 1), 14 if kind == "endless" else 25) for kind, seconds in ended}, 32 * MEBIBYTE)


def flood_of_one_source(stage, what, drips, each_second=400, seconds=8):
    """Streams of one address that ask for nothing, and honest exchanges of another in between: none of these waits for long."""
    target = Target(stage)
    source, opened, dialled, stop = stage.addresses.take(), collections.deque(), [0], threading.Event()
    drops = push_pull(1 << 20) + state("dripping", "127.1.1.1") * 100

    def flood():
        start = time.monotonic()
        while not stop.is_set():
            while dialled[0] < (time.monotonic() - start) * each_second:
                peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                peer.setblocking(False)
                peer.bind((source, 0))
                peer.connect_ex((target.agent.address, 7946))
                opened.append([peer, 0])
                dialled[0] += 1
                if len(opened) > 600:  # the agent has ended it long ago
                    opened.popleft()[0].close()
            for drip in opened if drips else []:
                try:
                    drip[1] += drip[0].send(drops[drip[1]:drip[1] + 1])
                except OSError:
                    pass
            time.sleep(0.01)
    flooder = threading.Thread(target=flood)
    flooder.start()
    stage.at_end(stop.set)
    honest = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.4)
        honest.append(target.push_pull())
    stop.set()
    flooder.join()
    for peer, _ in opened:
        peer.close()
    expect(dialled[0] > each_second * seconds // 2, f"only {dialled[0]} streams were dialled")
    target.end(f"{dialled[0]} {what} streams of one source, {len(honest)} honest push/pulls of another",
               {"streams at a time": (target.most["streams"], 64), "s the slowest honest push/pull took": (round(max(honest), 3), 1.0)},
               32 * MEBIBYTE)


@check(60)
def flood_of_silent_streams(stage):
    """Four hundred streams a second that say nothing."""
    flood_of_one_source(stage, "silent", drips=False)


@check(60)
def flood_of_dripping_streams(stage):
    """The same, and each has begun a large state and sends a byte of it now and then."""
    flood_of_one_source(stage, "dripping", drips=True)


@check(60)
def flood_of_events(stage):
    """User events, all different, faster than they can be gossiped."""
    target = Target(stage)
    payload = b"x" * 300

    def some(number):
        target.send([user_event(f"event-{number}", number + 10, payload)])
        if number % 20 == 0:
            time.sleep(0.001)
    sent = for_seconds(4, some)
    time.sleep(0.5)
    expect(target.more("user_events") > 1000, f"of {sent} events hardly any was seen")
    target.end("events", {"events queued": (target.most["event_queue"], QUEUED_MAX)}, 40 * MEBIBYTE)


@check(60)
def flood_of_queries(stage):
    """Queries, all different, with answers to an address where nobody listens."""
    target = Target(stage)

    def some(number):
        target.send([query(f"query-{number}", number + 10, number, target.source)])
        if number % 20 == 0:
            time.sleep(0.001)
    sent = for_seconds(4, some)
    time.sleep(0.5)
    expect(target.more("queries_seen") > 1000, f"of {sent} queries hardly any was seen")
    target.end("queries", {"queries queued": (target.most["query_queue"], QUEUED_MAX)}, 40 * MEBIBYTE)


@check(60)
def flood_of_garbage(stage):
    """Bytes of chance, as datagrams, streams and RPC."""
    target = Target(stage)
    draw = random.Random(2)

    def some(number):
        target.send([bytes([draw.choice([0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, draw.randrange(256)])]) +
                     draw.randbytes(draw.randrange(200)) for _ in range(20)])
        for port in (7946, 7373):
            with socket.create_connection((target.agent.address, port), timeout=5) as peer:
                peer.sendall(draw.randbytes(draw.randrange(1, 400)))
        time.sleep(0.002)
    for_seconds(4, some)
    time.sleep(1.5)
    expect(target.more("messages_dropped") + target.more("packets_dropped") > 1000, "hardly anything was refused")
    expect("were left out" in target.agent.log(), "the log does not say how many lines it left out")
    # Of each kind ten lines a second, and a line for their number.
    lines = target.agent.log().count("\n") / (time.monotonic() - target.started)
    target.end("garbage", {"log lines a second of all kinds": (round(lines), 150)}, 24 * MEBIBYTE)


@check(60)
def flood_of_rpc_clients(stage):
    """Clients that say nothing, half of something, or want more than they read: cut off in time, and one that is there stays served."""
    target = Target(stage, rpc_clients_max=40, rpc_handshake_timeout="2s", rpc_request_timeout="2s", rpc_stall_timeout="3s",
                    rpc_request_size_limit=65536)
    hello = pack({"Command": "handshake", "Seq": 1}) + pack({"Version": 1})
    strangers = []

    def dial(data):
        peer = socket.create_connection((target.agent.address, 7373), timeout=5)
        strangers.append(peer)
        try:
            peer.sendall(data)
        except OSError:
            pass
    for _ in range(10):
        dial(b"")
        dial(hello + pack({"Command": "event", "Seq": 2}))
        dial(hello + pack({"Command": "monitor", "Seq": 2}) + pack({"LogLevel": "TRACE"}))
    for _ in range(100):
        dial(b"\xdb\x7f\xff\xff\xff" + b"x" * 1000)
    dial(hello + pack({"Command": "event", "Seq": 2}) + b"\x83" + pack("Payload") + b"\xc6\x00\x10\x00\x00" + b"x" * 70000)
    time.sleep(1)
    held = target.counters()["rpc_clients"]

    def gone():
        left = target.counters()["rpc_clients"]
        return left <= 11, left  # those that listen to the log are good clients
    stage.wait("the silent clients are cut off", gone, 10)
    for peer in strangers:
        peer.close()
    stage.wait("a new client is served", lambda: (target.agent.cli("info").returncode == 0, None), 10)
    target.end("RPC clients", {"clients": (max(held, target.most["rpc_clients"]), 40)}, 24 * MEBIBYTE)
