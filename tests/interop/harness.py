"""Real agents as processes: starting, asking, signalling, ending; waiting with a limit.

A check gets a Stage. The stage hands out loopback addresses that no other check or run uses, starts agents of two kinds
("starling", "serf"), and ends every process it started when the check is over, however it ended.
"""
import base64
import dataclasses
import functools
import json
import math
import os
import pathlib
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).parents[2]
# Arguments of every starling agent: the same checks with other settings.
EVERY_STARLING = os.environ.get("STARLING_ARGUMENTS", "").split()
BINARIES = {
    "starling": os.environ.get("STARLING", str(ROOT / "build/agent/starling")),
    "serf": os.environ.get("SERF", shutil.which("serf") or "/usr/bin/serf"),
}
KINDS = ("starling", "serf")
OTHER = {"starling": "serf", "serf": "starling"}
POLL_SECONDS = 0.2
# What a loaded machine may add to a bound that follows from the protocol.
SLACK_SECONDS = 4.0


class Failure(Exception):
    """The product did not do what the check expects."""


class Skip(Exception):
    """This machine lacks what the check needs; the text says what."""


@dataclasses.dataclass(frozen=True)
class Profile:
    """The timing constants that a bound depends on (protocol/memberlist section 8)."""
    probe_seconds: float
    suspicion_multiplier: int


PROFILES = {"local": Profile(1.0, 3), "lan": Profile(1.0, 4), "wan": Profile(5.0, 6)}


def detection_bound(profile, members):
    """Seconds after which a killed member of so many is failed for everyone (protocol/memberlist sections 11 and 13).

    Round robin with a reshuffle between rounds asks a given member at the latest in tick 2(n-1); the failed probe lasts up to
    two intervals at a health score of one; then the longest suspicion.
    """
    constants = PROFILES[profile]
    confirmations = constants.suspicion_multiplier - 2
    shortest = constants.suspicion_multiplier * max(1.0, math.log10(members)) * constants.probe_seconds
    longest = 6 * shortest if members - 2 >= confirmations else shortest
    return (2 * (members - 1) + 2) * constants.probe_seconds + longest + SLACK_SECONDS


class Addresses:
    """127.A.B.1 .. for one run; A and B drawn at random so that two runs at once do not meet. Goes on into B + 1 if it must."""

    def __init__(self):
        self._lock = threading.Lock()
        draw = random.SystemRandom()
        while True:
            self._a, self._b = draw.randint(16, 250), draw.randint(1, 250)
            with socket.socket() as probe:
                try:
                    probe.bind((f"127.{self._a}.{self._b}.1", 7946))
                    break
                except OSError:
                    continue
        self._next = 0

    def take(self):
        with self._lock:
            self._next += 1
            beyond, last = divmod(self._next - 1, 254)
            return f"127.{self._a}.{self._b + beyond}.{last + 1}"


class Stage:
    """One check's agents, files and time limit. Used by the check's own thread only."""

    def __init__(self, addresses, folder, seconds):
        self.addresses = addresses
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.deadline = time.monotonic() + seconds
        self._processes = []
        self._undo = []
        self._names = 0

    def agent(self, kind, name=None, **options):
        """A new agent, not yet started."""
        if name is None:
            self._names += 1
            name = f"{kind}-{self._names}"
        return Agent(self, kind, name, **options)

    def started(self, kind, name=None, join=(), **options):
        agent = self.agent(kind, name, **options)
        agent.start(join)
        return agent

    def pair(self, first="starling", second="serf", **options):
        """Two agents, the second joined to the first, each seeing the other alive."""
        one = self.started(first, **options)
        two = self.started(second, join=[one], **options)
        self.expect_all_alive([one, two])
        return one, two

    def at_end(self, action):
        self._undo.append(action)

    def spawn(self, command, log_name, **options):
        """A process whose output goes to a file; it is ended with the stage."""
        log = open(self.folder / log_name, "ab")
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                       start_new_session=True, **options)
        finally:
            log.close()
        self._processes.append(process)
        return process

    def remaining(self):
        return self.deadline - time.monotonic()

    def run(self, command, seconds=15, **options):
        """Runs a command to its end; its result has returncode, stdout, stderr."""
        limit = max(1.0, min(seconds, self.remaining()))
        try:
            return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit, **options)
        except subprocess.TimeoutExpired:
            raise Failure(f"{' '.join(map(str, command))[-120:]} did not end within {limit:.0f} s") from None

    def wait(self, what, probe, seconds):
        """Until probe() returns (True, _); the second value says what was seen. Returns the seconds it took."""
        start = time.monotonic()
        limit = min(start + seconds, self.deadline)
        while True:
            done, seen = probe()
            if done:
                return time.monotonic() - start
            if time.monotonic() > limit:
                raise Failure(f"{what}: not within {limit - start:.1f} s; seen: {seen}")
            time.sleep(POLL_SECONDS)

    def hold(self, what, probe, seconds):
        """probe() must stay true for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            done, seen = probe()
            if not done:
                raise Failure(f"{what}: did not last; seen: {seen}")
            time.sleep(POLL_SECONDS)

    def expect_status(self, viewers, name, status, seconds):
        """Each viewer comes to list `name` with this status (None: not at all)."""
        slowest = 0.0
        start = time.monotonic()
        for viewer in viewers:
            def probe():
                member = viewer.members().get(name)
                seen = member["status"] if member else None
                return seen == status, seen
            self.wait(f"{viewer.name} sees {name} as {status}", probe, start + seconds - time.monotonic())
            slowest = time.monotonic() - start
        return slowest

    def expect_all_alive(self, agents, seconds=40, names=None):
        """Everybody lists exactly these members, all alive. A lost datagram is repaired by push/pull, every 15 to 30 s."""
        names = sorted(names or [agent.name for agent in agents])
        start = time.monotonic()
        for viewer in agents:
            def probe():
                seen = {name: member["status"] for name, member in viewer.members().items()}
                return sorted(seen) == names and set(seen.values()) == {"alive"}, seen
            self.wait(f"{viewer.name} sees all {len(names)} alive", probe, start + seconds - time.monotonic())

    def close(self):
        for process in self._processes:
            if process.poll() is None:
                # A stopped process takes a KILL as well.
                try:
                    process.kill()
                except ProcessLookupError:
                    pass
        for process in self._processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                pass
        for action in reversed(self._undo):
            action()


class Agent:
    """One agent process and its command line client.

    The lan profile unless told otherwise: what is gossiped once and never repaired (events, queries, intents) goes out at
    least four times there. With the two times of the local profile some three in a thousand are lost in a small cluster.
    """

    def __init__(self, stage, kind, name, *, address=None, tags=None, args=(), config=None, profile="lan", key=None,
                 compress=True, prefix=(), rpc=None, handle="*", environment=None):
        self.stage, self.kind, self.name, self.profile = stage, kind, name, profile
        self.address = address or stage.addresses.take()
        self.rpc = rpc or f"{self.address}:7373"
        self.prefix = list(prefix)
        self.environment = os.environ | (environment or {})
        self.process = None
        folder = stage.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.event_file = folder / "events"
        self.log_name = f"{name}/log"
        settings = {"reconnect_interval": "2s", "tags": tags or {}} | (config or {})
        (folder / "config.json").write_text(json.dumps(settings))
        self.command = [
            *self.prefix, BINARIES[kind], "agent", f"-node={name}", f"-bind={self.address}:7946", f"-rpc-addr={self.rpc}",
            f"-profile={profile}", "-log-level=debug", f"-config-file={folder / 'config.json'}"]
        if handle:
            handler = folder / "handler"
            handler.write_text(
                "#!/bin/sh\n{ printf '%s|%s|%s|' \"$SERF_EVENT\" \"$SERF_USER_EVENT$SERF_QUERY_NAME\" "
                "\"$SERF_USER_LTIME$SERF_QUERY_LTIME\"; tr '\\n' ';'; echo; } >> " + f"'{self.event_file}'\n")
            handler.chmod(0o755)
            self.command += [f"-event-handler={handle}={handler}", f"-event-handler=query:whoami=echo i am {name}"]
        if key:
            self.command.append(f"-encrypt={key}")
        if not compress:
            self.command.append("-disable-compression")
        if kind == "starling":
            self.command += EVERY_STARLING
        self.command += args

    def start(self, join=(), wait=True):
        """`join`: agents to join at start."""
        joins = [f"-join={agent.address}" for agent in join]
        self.process = self.stage.spawn([*self.command, *joins], self.log_name, env=self.environment)
        if wait:
            self.wait_ready()

    def wait_ready(self):
        def ready():
            if self.process.poll() is not None:
                raise Failure(f"{self.name} ended with {self.process.returncode} at start: {self.log_tail()}")
            done = self.cli("members")
            return done.returncode == 0, done.stdout.strip()
        self.stage.wait(f"{self.name} answers", ready, 20)

    def cli(self, command, *arguments, by=None, seconds=15, environment=None):
        """Runs a client command against this agent, with the client of its own kind or of `by`."""
        full = [*self.prefix, BINARIES[by or self.kind], command, f"-rpc-addr={self.rpc}", *arguments]
        return self.stage.run(full, seconds, env=os.environ | (environment or {}))

    def do(self, command, *arguments, by=None, seconds=15):
        """As cli, but must succeed; returns its standard output."""
        done = self.cli(command, *arguments, by=by, seconds=seconds)
        if done.returncode != 0:
            raise Failure(f"{by or self.kind} {command} {' '.join(arguments)} at {self.name} ended with {done.returncode}: "
                          f"{(done.stdout + done.stderr).strip()[:300]}")
        return done.stdout

    def members(self, *arguments, by=None):
        """name -> record, as the JSON output has it; empty if the agent does not answer."""
        done = self.cli("members", "-format=json", *arguments, by=by)
        if done.returncode != 0:
            return {}
        try:
            return {member["name"]: member for member in json.loads(done.stdout)["members"] or []}
        except (ValueError, KeyError, TypeError) as error:
            raise Failure(f"members -format=json of {self.name} is not what it should be ({error!r}): {done.stdout[:200]}") from None

    def events(self, kind=None):
        """What the event handler saw so far: (kind, name, ltime, text) each."""
        if not self.event_file.exists():
            return []
        lines = [line.split("|", 3) for line in self.event_file.read_text().splitlines()]
        return [tuple(line) for line in lines if len(line) == 4 and kind in (None, line[0])]

    def member_events(self):
        """(kind, member name) for each member in each member event."""
        return [(kind, row.split("\t")[0]) for kind, _, _, text in self.events() if kind.startswith("member-")
                for row in text.split(";") if row]

    def kill(self):
        """As a crash: no goodbye. Its address is free for another agent afterwards: the kernel clears an io_uring away in the
        background, and the sockets of a killed process live on until then."""
        self.process.kill()
        self.process.wait(timeout=10)
        if not self.prefix:
            self.stage.wait(f"the address of {self.name} is free", self.address_free, 10)

    def address_free(self):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(socket.AF_INET, kind) as probe:
                if kind == socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Go does
                try:
                    probe.bind((self.address, 7946))
                except OSError as error:
                    return False, error
        return True, None

    def signal(self, number):
        os.kill(self.process.pid, number)

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def expect_exit(self, status, seconds):
        try:
            code = self.process.wait(timeout=max(0.1, min(seconds, self.stage.remaining())))
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} still runs after {seconds} s") from None
        if code != status:
            raise Failure(f"{self.name} ended with {code}, not {status}: {self.log_tail()}")

    def log(self):
        return (self.stage.folder / self.log_name).read_text(errors="replace")

    def log_tail(self):
        return " / ".join(line.strip() for line in self.log().splitlines()[-4:])


@functools.cache
def has_command(kind, command):
    """Whether this program's client knows a command; an unknown one ends with 127."""
    return subprocess.run([BINARIES[kind], command, "-help"], stdin=subprocess.DEVNULL, capture_output=True, timeout=15,
                          check=False).returncode != 127


@functools.cache
def has_agent_flag(kind, flag):
    """Whether this program's agent has a flag, by its own help, which also names the flags it only refuses politely."""
    done = subprocess.run([BINARIES[kind], "agent", "-help"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=15,
                          check=False)
    return any(flag in line and "Not supported" not in line for line in (done.stdout + done.stderr).splitlines())


def needs(condition, text):
    """What a program does not claim to have is skipped, not failed."""
    if not condition:
        raise Skip(text)


def answers_queries(kind):
    """A program that can ask is held to answer as well."""
    return has_command(kind, "query")


def new_key(bytes_count=32):
    return base64.b64encode(os.urandom(bytes_count)).decode()


def expect(condition, text):
    if not condition:
        raise Failure(text)


def expect_equal(seen, wanted, what):
    if seen != wanted:
        raise Failure(f"{what}: {seen!r}, not {wanted!r}")


def acks_and_answers(agent, *arguments, by=None):
    """Who acked, sorted, and what was answered.

    A serf agent closes a query's channels a moment before it ends the stream, and may read acks and answers of nobody from
    them until then, hundreds of them. Its client shows them, ours does not.
    """
    told = json.loads(agent.do("query", "-format=json", *arguments, by=by))
    acks, responses = told["Acks"] or [], told["Responses"] or {}
    if agent.kind == "serf" and (by or agent.kind) == "serf":
        acks = [name for name in acks if name]
        responses = {name: text for name, text in responses.items() if name}
    return sorted(acks), responses


class Space:
    """A network namespace for a check, gone with its stage. Needs root; what the machine lacks skips the check."""

    def __init__(self, stage, name):
        if os.geteuid() != 0:
            raise Skip("network namespaces need root")
        self.stage = stage
        self.name = f"starling-{secrets.token_hex(3)}-{name}"
        self.prefix = ["ip", "netns", "exec", self.name]  # of a command in it
        self._must(["ip", "netns", "add", self.name])
        stage.at_end(lambda: stage.run(["ip", "netns", "del", self.name]))
        self.ip("link set lo up")

    def ip(self, words):
        self._must(["ip", "-n", self.name, *words.split()])

    def run(self, *command):
        self._must([*self.prefix, *command])

    def cable_to(self, other, own_end, other_end):
        """A virtual cable between the two, both ends up."""
        self.ip(f"link add {own_end} type veth peer name {other_end} netns {other.name}")
        self.ip(f"link set {own_end} up")
        other.ip(f"link set {other_end} up")

    def _must(self, command):
        done = self.stage.run(command)
        if done.returncode != 0:
            raise Skip(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[:100]}")


# ---- the list of checks -------------------------------------------------------------------------------------------

@dataclasses.dataclass
class Check:
    name: str
    run: object
    seconds: float


CHECKS = []


def check(seconds, cases=None):
    """Registers a function as a check with a time limit; with cases {label: arguments} as one check each."""
    def register(function):
        if cases is None:
            CHECKS.append(Check(function.__name__, function, seconds))
        else:
            for label, arguments in cases.items():
                CHECKS.append(Check(f"{function.__name__}[{label}]",
                                    lambda stage, arguments=arguments: function(stage, *arguments), seconds))
        return function
    return register


# Both kinds in both roles.
BOTH_WAYS = {"starling-serf": ("starling", "serf"), "serf-starling": ("serf", "starling")}
EACH_KIND = {"starling": ("starling",), "serf": ("serf",)}


def temporary_folder():
    return tempfile.mkdtemp(prefix="starling-interop-")
