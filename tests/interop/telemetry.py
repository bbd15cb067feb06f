"""Metrics and the system's log: what collectors made for serf get from a starling agent."""
import collections
import json
import os
import re
import shutil
import signal
import socket
import threading
import time

import rpc
from harness import EACH_KIND, KINDS, ROOT, Skip, acks_and_answers, check, expect, expect_equal

LINE = re.compile(r"(?P<name>[^:|]+):(?P<value>-?[0-9]+\.[0-9]{6})\|(?P<type>g|c|ms)(\|@(?P<rate>0\.[0-9]+))?")
PREFIX = "serf-agent."
# What the C library and the engine have no figure for; the table in docs/serf-compatibility.md names the same.
RUNTIME = "of Go's runtime: there are no goroutines, no garbage and no count of allocations"
MISSING = {
    **{f"runtime.{name}": RUNTIME for name in (
        "num_goroutines", "malloc_count", "free_count", "heap_objects", "total_gc_pause_ns", "total_gc_runs", "gc_pause_ns")},
    "memberlist.gossip": "the engine has no clock of its own to take the time of its gossip with",
}
# Whether these come is a matter of chance, of a member's health above all; their names are the same if they come.
BY_CHANCE = {"memberlist.degraded.probe", "memberlist.degraded.timeout", "memberlist.health.score",
             "serf.coordinate.rejected", "serf.coordinate.zero-rtt", "runtime.gc_pause_ns"}
# Enough lines that either kind writes its snapshot anew at once.
LONG_SNAPSHOT = "clock: 1\n" * 16_000


class Collector:
    """What came from one agent: by datagrams (statsd), or over one connection at a time (statsite).

    A thread of its own reads. `broken` has what is no line of the protocol."""

    def __init__(self, stage, kind, address=None):
        self.kind = kind
        self.values = collections.defaultdict(list)  # (name, type) -> (value, rate) each, guarded by lock
        self.broken = []
        self.bytes = 0
        self.connections = 0
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "statsd" else socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(address or (stage.addresses.take(), 0))
        self.address = self._socket.getsockname()
        if kind == "statsite":
            self._socket.listen(4)
        self._socket.settimeout(0.2)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._packets if kind == "statsd" else self._connections, daemon=True)
        self._thread.start()
        stage.at_end(self.close)

    def setting(self):
        return {f"{self.kind}_addr": "{}:{}".format(*self.address)}

    def close(self):
        self._ended.set()
        self._thread.join(timeout=10)
        self._socket.close()

    def names(self):
        """(name without the prefix and the host's name, type) of everything that came."""
        host = f"{socket.gethostname()}."
        with self._lock:
            return {(name.removeprefix(PREFIX).removeprefix(host), kind) for name, kind in self.values}

    def of(self, name):
        """The values of one metric, in order."""
        with self._lock:
            return [value for (full, _), values in self.values.items() for value, _ in values
                    if full in (PREFIX + name, f"{PREFIX}{socket.gethostname()}.{name}")]

    def sum(self, name):
        return sum(self.of(name))

    def _take(self, text):
        with self._lock:
            self.bytes += len(text)
            for line in text.splitlines():
                match = LINE.fullmatch(line)
                if match is None or not line.startswith(PREFIX):
                    self.broken.append(line)
                    continue
                self.values[match["name"], match["type"]].append((float(match["value"]), float(match["rate"] or 1)))

    def _packets(self):
        while not self._ended.is_set():
            try:
                packet = self._socket.recv(65536).decode()
            except TimeoutError:
                continue
            if len(packet) > 1400 or not packet.endswith("\n"):
                self.broken.append(f"a packet of {len(packet)} bytes")
            self._take(packet)

    def _connections(self):
        while not self._ended.is_set():
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                continue
            self.connections += 1
            with connection:
                connection.settimeout(0.2)
                rest = ""
                while not self._ended.is_set():
                    try:
                        part = connection.recv(65536).decode()
                    except TimeoutError:
                        continue
                    if not part:
                        break
                    whole, end, rest = (rest + part).rpartition("\n")
                    self._take(whole + end)


def in_table(*verdicts):
    """The metrics with these verdicts in the compatibility table."""
    text = (ROOT / "docs/serf-compatibility.md").read_text().split("\n## Metrics\n")[1].split("\n## ")[0]
    found = set()
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) < 2 or cells[1] not in verdicts:
            continue
        for name in re.findall(r"`([^`]+)`", cells[0]):
            before, brace, rest = name.partition("{")
            inner, _, after = rest.partition("}")
            found |= {before + each + after for each in inner.split(",")} if brace else {name}
    return found


def in_general(name):
    """A metric's name as the table has it."""
    for start, end in (("serf.events.", "NAME"), ("serf.queries.", "NAME"), ("agent.invoke.", "SCRIPT")):
        if name.startswith(start):
            return start + end
    return name


def live_through_everything(stage, subjects):
    """A join, events, queries with relays, a change of tags, a leave, a failure and a return, seen by all subjects."""
    one = stage.started("serf", "one", handle=None)
    for subject in subjects:
        subject.start(join=[one])
    two = stage.started("serf", "two", join=[one, *subjects], handle=None)
    everybody = [one, two, *subjects]
    stage.expect_all_alive(everybody)
    for number, subject in enumerate(subjects):
        subject.do("event", "-coalesce=false", "deploy", f"v{number}")
        acks, _ = acks_and_answers(subject, "-timeout=2s", "-relay-factor=2", "load", "now")
        expect_equal(len(acks), len(everybody), f"acks of the query of {subject.name}")
    two.do("query", "-node=one", "-timeout=1s", "elsewhere")
    two.do("tags", "-set", "role=db")
    two.kill()
    stage.expect_status(subjects, "two", "failed", 90)
    two.start(join=[one])
    stage.expect_status(subjects, "two", "alive", 30)
    two.do("leave", seconds=30)
    two.expect_exit(0, 15)
    stage.expect_status(subjects, "two", "left", 30)


@check(240)
def metrics_are_serfs(stage):
    """Both kinds in one cluster: the same names and types but for the differences that are listed, and the same counts."""
    collectors, subjects = {}, []
    for kind in KINDS:
        collectors[kind] = Collector(stage, "statsd")
        snapshot = stage.folder / f"snapshot-{kind}"
        snapshot.write_text(LONG_SNAPSHOT)
        subjects.append(stage.agent(kind, f"a-{kind}", handle=None, config=collectors[kind].setting(),
                                    args=[f"-snapshot={snapshot}", "-event-handler=query:load=echo yes",
                                          "-event-handler=user=true"]))
    live_through_everything(stage, subjects)

    def wanted(kind):
        return {name for name, _ in collectors[kind].names()}

    # Serf looks at its queues every 30 s.
    stage.wait("serf tells of its queues", lambda: ("serf.queue.Query" in wanted("serf"), wanted("serf")), 45)
    for name, count in (("serf.events.deploy", 2), ("serf.queries.load", 2), ("serf.queries.elsewhere", 1),
                        ("serf.member.failed", 1), ("serf.member.flap", 1), ("serf.member.left", 1)):
        for kind in KINDS:
            stage.wait(f"{name} of {kind}", lambda: (collectors[kind].sum(name) == count, collectors[kind].of(name)), 20)
    for name in ("serf.events", "serf.queries"):
        expect_equal(collectors["starling"].sum(name), collectors["serf"].sum(name), f"sum of {name} against serf's")
    for subject in subjects:
        subject.do("leave", seconds=30)
        subject.expect_exit(0, 15)

    for kind in KINDS:
        expect_equal(collectors[kind].broken, [], f"what {kind} sends that is no line")
        sizes = collectors[kind].of("serf.msgs.received") + collectors[kind].of("serf.msgs.sent")
        expect(sizes and all(4 < size < 1400 for size in sizes), f"sizes of messages by {kind}: {sizes[:9]}")
    names = {kind: {pair for pair in collectors[kind].names() if pair[0] not in BY_CHANCE} for kind in KINDS}
    expect_equal(names["starling"] - names["serf"], set(), "what only starling sends")
    expect_equal({name for name, _ in names["serf"] - names["starling"]}, set(MISSING) - BY_CHANCE, "what only serf sends")
    told = in_table("same", "more", "differs")
    expect_equal({in_general(name) for name, _ in collectors["starling"].names()} - told, set(), "what the table does not have")
    expect_equal(in_table("none"), set(MISSING), "the differences in the compatibility table")


@check(60)
def metrics_come_every_second(stage):
    """Gauges as often as serf's, and a dump that adds up."""
    collector = Collector(stage, "statsd")
    one = stage.started("starling", "one", config=collector.setting())
    for _ in range(3):
        one.do("event", "-coalesce=false", "deploy")
    for name in ("runtime.sys_bytes", "runtime.alloc_bytes", "memberlist.health.score"):
        before = len(collector.of(name))
        # Half a minute for what takes five seconds, on a machine that does other things.
        stage.wait(f"five values of {name}", lambda: (len(collector.of(name)) >= before + 5, collector.of(name)), 30)
    stage.wait("events", lambda: (collector.sum("serf.events") == 3, collector.of("serf.events")), 10)

    def dumped():
        one.signal(signal.SIGUSR1)
        time.sleep(0.3)
        # An interval is told when it has ended, by each dump for a minute: the latest of each.
        found = {start: int(count) for start, count in re.findall(
            r"^\[([^\]]+ UTC)\]\[C\] 'serf-agent\.serf\.events\.deploy': Count: (\d+) Sum: ", one.log(), re.M)}
        return sum(found.values()) == 3, found
    stage.wait("the events in ended intervals", dumped, 25)
    expect("][G] 'serf-agent." in one.log(), "no gauge in the dump")


@check(120, EACH_KIND)
def a_statsite_collector_may_go_and_come_back(stage, kind):
    """The agent goes on without it, keeps a bounded part of what it has to say, and begins with a whole line."""
    collector = Collector(stage, "statsite")
    one = stage.started(kind, "one", config=collector.setting(), handle=None)
    for count in (1, 2):
        one.do("event", "-coalesce=false", "deploy")
        stage.wait("metrics come", lambda: (collector.sum("serf.events.deploy") == count, collector.of("serf.events")), 20)
    expect_equal(collector.broken, [], "what is no line")
    collector.close()

    # More than the 256 KiB that starling keeps: each event has two lines, one with its name.
    client = rpc.Rpc(one.rpc)
    for number in range(900):
        client.event(f"{number:03}" + "x" * 400, b"")
    client.ask("event", {"Name": "last", "Payload": b"", "Coalesce": False})
    client.close()
    expect_equal(client.errors, [], "refused events")
    expect_equal(one.members()[one.name]["status"], "alive", "the agent without its collector")

    again = Collector(stage, "statsite", collector.address)

    def comes():
        one.do("event", "-coalesce=false", "after")
        return again.sum("serf.events.after") > 0, again.connections
    # Serf notices with its second write, and waits for 5 s before it tries once more.
    stage.wait("metrics come again", comes, 45)
    expect_equal(again.broken, [], "what is no line, after the collector has come back")
    expect(again.bytes < 300_000, f"{again.bytes} bytes at once")
    expect_equal(again.connections, 1, "connections")


# ---- the system's log ---------------------------------------------------------------------------------------------

# A /dev of our own in a mount namespace of our own: /dev/log in it is that of the daemon of the check alone.
OWN_DEV = """
for name in null zero random urandom; do mount --bind /dev/$name "$0/$name" || exit; done
mount --rbind "$0" /dev && exec "$@"
"""


def own_devices(stage, name):
    """A folder that stands for /dev, and what makes it so for a command."""
    folder = stage.folder / name
    folder.mkdir()
    for device in ("null", "zero", "random", "urandom"):
        (folder / device).touch()  # something to mount the device on
    return folder, ["unshare", "--mount", "sh", "-c", OWN_DEV, str(folder)]


class SystemLog:
    """A real syslog daemon that nobody but the check's agents sees."""

    def __init__(self, stage):
        busybox = shutil.which("busybox")
        if busybox is None:
            raise Skip("needs busybox, whose syslogd is used")
        if os.geteuid() != 0:
            raise Skip("needs root for a mount namespace")
        self.file = stage.folder / "messages"
        self.devices, self.prefix = own_devices(stage, "dev")
        done = stage.run([*self.prefix, "true"])
        if done.returncode != 0:
            raise Skip(f"no mount namespaces here: {done.stderr.strip()}")
        stage.spawn([*self.prefix, busybox, "syslogd", "-n", "-O", str(self.file)], "syslogd")
        stage.wait("the daemon listens", lambda: ((self.devices / "log").is_socket(), os.listdir(self.devices)), 10)

    def lines(self, agent):
        """(facility, level, text) of what this agent logged."""
        text = self.file.read_text(errors="replace") if self.file.exists() else ""
        return re.findall(rf"(\w+)\.(\w+) serf\[{agent.process.pid}\]: (.*)", text)


@check(90, EACH_KIND)
def the_system_log_gets_lines(stage, kind):
    """Tag, facility and levels are serf's; what the log's level keeps out does not come, and a reload changes it."""
    log = SystemLog(stage)
    one = stage.agent(kind, "one", prefix=log.prefix, handle=None, args=["-syslog"],
                      config={"syslog_facility": "LOCAL3", "log_level": "info"})
    one.command.remove("-log-level=debug")
    one.start()

    def seen(level, part):
        def probe():
            lines = log.lines(one)
            return any(line[:2] == ("local3", level) and part in line[2] for line in lines), lines[-5:]
        return probe
    stage.wait("a line of level INFO", seen("notice", "serf: EventMemberJoin: one"), 15)
    nobody = stage.addresses.take()
    one.cli("join", nobody)
    one.do("event", "-coalesce=false", "deploy")
    stage.wait("the event", seen("notice", "agent: Received event: user-event: deploy"), 15)
    lines = log.lines(one)
    expect_equal({line[0] for line in lines}, {"local3"}, "facilities")
    expect({line[1] for line in lines} <= {"notice", "warn", "err"}, f"levels above the log's: {lines}")
    expect(not any(re.search(r"\[(INFO|WARN|ERR|DEBUG)\]|^\d{4}/", line[2]) for line in lines), f"level or time in the text: {lines}")

    settings = one.folder / "config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"log_level": "debug"}))
    one.signal(signal.SIGHUP)

    def told():
        one.cli("join", nobody)
        return seen("info", "memberlist: Failed to join")()
    stage.wait("a line of level DEBUG after the reload", told, 20)


@check(30, EACH_KIND)
def a_system_log_that_cannot_be_is_said(stage, kind):
    """An unknown facility, and a machine without a log daemon, end the agent with serf's words."""
    log = SystemLog(stage)
    _, without_daemon = own_devices(stage, "empty")
    for name, prefix, config, words in (
            ("facility", log.prefix, {"syslog_facility": "LOCAL8"}, "Syslog setup failed: invalid syslog facility: LOCAL8"),
            ("daemon", without_daemon, {}, "Syslog setup failed: Unix syslog delivery error")):
        agent = stage.agent(kind, name, prefix=prefix, args=["-syslog"], config=config)
        agent.start(wait=False)
        agent.expect_exit(1, 15)
        expect(words in agent.log(), f"said: {agent.log_tail()}")
