"""Every recorded conversation of real RPC clients with real agents, held against a starling agent.

tests/vectors/serf-rpc.json has the bytes. The recorded requests go to agents that stand as the recorded ones stood, and what comes
back must be what was recorded: the same objects in the same order, strings as strings, bytes as bytes, and the connection closed
where it was. DIFFERENCES is the whole list of what may differ, and why; an entry that nothing uses fails the check.
"""
import json
import re
import socket
import threading
import time

from harness import ROOT, check, expect, expect_equal
from packed import pack, unpack_all

# (exchange, place in the answer, why). A place is SEQ.NUMBER.header|body and keys, separated by dots.
DIFFERENCES = [
    (r".*", r"body\.runtime\.(version|goroutines|max_procs|cpu_count|arch)$", "another program on another machine"),
    (r".*", r"body\.starling$", "a group of our own"),
    (r".*", r"body\.serf\.(member|event|query)_time$", "Lamport times: so much has happened before"),
    (r".*", r"body\.serf\.(intent|event|query)_queue$", "what is still being gossiped at that moment"),
    (r".*", r"body\.LTime$", "a Lamport time"),
    (r".*", r"body\.Coord\.(Adjustment|Error|Height|Vec\.\d+)$", "measured"),
    (r"monitor", r"body\.Log$", "time of day; our own words for what Serf does not log in the same place"),
    (r"monitor", r"^4\.\d+\.(header|body)$", "how many lines come before the stop is a matter of time"),
]
# Structs go out with their keys in order; the members of these are Go maps, which have none.
MAPS = re.compile(r"(^|\.)(Tags|Messages|Keys|runtime|serf|agent|tags|event_handlers|starling)$")

EXCHANGES = json.loads((ROOT / "tests/vectors/serf-rpc.json").read_text())["exchanges"]
USED = set()


def label(exchange):
    return exchange["name"] + ("@head" if exchange["server"].startswith("HEAD") else "")


def named(name):
    return next(exchange for exchange in EXCHANGES if label(exchange) == name)


class Places:
    """The recorded addresses and the ones that stand for them here, as text and as bytes."""

    def __init__(self, addresses):
        self.texts = addresses
        self.octets = {socket.inet_aton(old): socket.inet_aton(new) for old, new in addresses.items()}

    def moved(self, value):
        if isinstance(value, str):
            for old, new in self.texts.items():
                value = re.sub(re.escape(old) + r"(?!\d)", new, value)
            return value
        if isinstance(value, bytes):
            return self.octets.get(value, value)
        if isinstance(value, list):
            return [self.moved(item) for item in value]
        if isinstance(value, dict):
            return {self.moved(key): self.moved(item) for key, item in value.items()}
        return value

    def moved_bytes(self, data):
        """The recorded bytes themselves wherever they name no address."""
        try:
            values, rest = unpack_all(data)
        except KeyError:  # not msgpack, on purpose
            return data
        moved = [self.moved(value) for value in values]
        return data if moved == values else b"".join(map(pack, moved)) + rest


class Connection:
    def __init__(self, agent):
        host, port = agent.rpc.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self.data = b""
        self.ended = False

    def send(self, data):
        self.socket.sendall(data)

    def read(self, enough, seconds):
        """Until enough(values) or the end of the connection; the values."""
        deadline = time.monotonic() + seconds
        while not enough(unpack_all(self.data)[0]) and not self.ended:
            self.socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                more = self.socket.recv(1 << 16)
            except TimeoutError:
                break
            except ConnectionResetError:
                more = b""
            self.ended = not more
            self.data += more
            if time.monotonic() > deadline:
                break
        return unpack_all(self.data)[0]

    def take(self):
        values, self.data = unpack_all(self.data)
        return values

    def close(self):
        self.socket.close()


def is_header(value):
    return isinstance(value, dict) and set(value) == {"Error", "Seq"}


def answers(values):
    """{sequence: [(header, body or None)]}"""
    grouped = {}
    last = None
    for value in values:
        if is_header(value):
            last = grouped.setdefault(value["Seq"], [])
            last.append([value, None])
        else:
            last[-1][1] = value
    for rows in grouped.values():
        # Who acks first is chance, but acks come before the end.
        rows.sort(key=lambda row: row[1].get("From", "") if row[1] and row[1].get("Type") == "ack" else "~")
    return grouped


def in_order(value):
    """Members come in any order."""
    if isinstance(value, dict) and "Members" in value:
        return value | {"Members": sorted(value["Members"], key=lambda member: member["Name"])}
    return value


def differences(place, wanted, seen):
    if type(wanted) is not type(seen):
        yield place, wanted, seen
    elif isinstance(wanted, dict):
        if not MAPS.search(place) and not place.endswith("body") and list(wanted) != list(seen):
            yield place + " (keys)", list(wanted), list(seen)
        for key in {**wanted, **seen}:
            if key not in wanted or key not in seen:
                yield f"{place}.{key}", wanted.get(key), seen.get(key)
            else:
                yield from differences(f"{place}.{key}", wanted[key], seen[key])
    elif isinstance(wanted, list):
        if len(wanted) != len(seen):
            yield place, wanted, seen
        for i, (one, two) in enumerate(zip(wanted, seen)):
            yield from differences(f"{place}.{i}", one, two)
    elif wanted != seen:
        yield place, wanted, seen


def compare(exchange, wanted, seen):
    name = label(exchange)
    wanted, seen = answers(wanted), answers(seen)
    expect_equal(sorted(seen), sorted(wanted), f"{name}: sequences answered")
    for sequence, rows in wanted.items():
        found = []
        pairs = [*rows, *[[None, None]] * (len(seen[sequence]) - len(rows))]
        others = [*seen[sequence], *[[None, None]] * (len(rows) - len(seen[sequence]))]
        for i, (one, two) in enumerate(zip(pairs, others)):
            for part, a, b in (("header", one[0], two[0]), ("body", one[1], two[1])):
                found += differences(f"{sequence}.{i}.{part}", in_order(a), in_order(b))
        for place, one, two in found:
            rule = next((i for i, (which, where, _) in enumerate(DIFFERENCES)
                         if re.search(which, name) and re.search(where, place)), None)
            expect(rule is not None, f"{name}, {place}: {two!r}, recorded is {one!r}")
            USED.add(rule)


def recorded_bytes(part):
    if "hex" in part:
        return bytes.fromhex(part["hex"])

    def value_of(decoded):
        if isinstance(decoded, dict):
            return bytes.fromhex(decoded["_bin_hex"]) if "_bin_hex" in decoded else {key: value_of(item) for key, item in decoded.items()}
        return [value_of(item) for item in decoded] if isinstance(decoded, list) else decoded
    return pack(value_of(part["decoded"]))


def replay_cli(exchange, agent, places, during=None):
    """Request after request, each answered before the next."""
    connection = Connection(agent)
    requests = []
    for part in exchange["request"]:
        if "Command" in part["decoded"]:
            requests.append([part["decoded"]["Seq"], b""])
        requests[-1][1] += recorded_bytes(part)
    wanted = [places.moved(value) for part in exchange["response"] for value in unpack_all(recorded_bytes(part))[0]]
    counts = {sequence: len(rows) for sequence, rows in answers(wanted).items()}
    has_body = [bool(rows[-1][1]) for rows in answers(wanted).values()]
    for sequence, request in requests:
        if during and during[0] == sequence:
            during[1](connection)
        connection.send(places.moved_bytes(request))

        def enough(values, sequence=sequence):
            return len(answers(values).get(sequence, [])) >= min(1, counts.get(sequence, 0)) and sequence in counts
        connection.read(enough, 8)
    longest = any("Timeout" in part["decoded"] for part in exchange["request"])

    def all_there(values):
        rows = answers(values)
        return all(len(rows.get(sequence, [])) >= count for sequence, count in counts.items()) and (
            not any(has_body) or not is_header(values[-1]) or is_header(wanted[-1]))
    connection.read(all_there, 20 if longest else 8)
    connection.read(lambda values: False, 0.15)  # nothing more may come
    compare(exchange, wanted, connection.take())
    connection.close()


def replay_raw(exchange, agent, places, before=None):
    """Step by step, as recorded; before: {index of a step: what is to happen first}."""
    connection = Connection(agent)
    wanted, seen = [], []
    for number, step in enumerate(exchange["steps"]):
        if before and number in before:
            before[number]()
        data = bytes.fromhex(step["hex"])
        if step["dir"] == "client->server":
            connection.send(places.moved_bytes(data))
            continue
        values = [places.moved(value) for value in unpack_all(data)[0]]
        closes = step.get("connection_closed_by_server", False)
        if values:
            connection.read(lambda there: len(there) >= len(values), 20)  # noqa: B023
        if closes:
            connection.read(lambda there: False, 10)
            expect(connection.ended, f"{label(exchange)}: the connection was not closed")
        wanted += values
        seen += connection.take()
        expect_equal(len(seen), len(wanted), f"{label(exchange)}: objects after step {number}; seen {seen[-3:]}, recorded {wanted[-3:]}")
    if not connection.ended:
        connection.read(lambda there: False, 0.15)
        expect(not connection.data and not connection.ended, f"{label(exchange)}: something came after the end")
    compare(exchange, wanted, seen)
    connection.close()


def replay(name, agent, places, **options):
    exchange = named(name)
    (replay_raw if "steps" in exchange else replay_cli)(exchange, agent, places, **options)
    return name


def cluster(stage, addresses, members, **options):
    """Agents with these names and tags, at addresses that stand for the recorded ones."""
    agents = []
    for name, tags in members.items():
        agents.append(stage.started("starling", name, tags=tags, join=agents[:1], handle="", **options))
    stage.expect_all_alive(agents)
    return agents, Places({old: agent.address for old, agent in zip(addresses, agents)} | {"127.77.9.99": stage.addresses.take()})


def replay_streams(prefix, suffix, agent, places):
    """Events and a query of one connection in the stream of another; the last answer comes after the query's deadline."""
    driver = {}

    def drive():
        try:
            # The query was sent when the coalesced event had come out, a second after the other one.
            replay(f"{prefix}__driver_connection{suffix}", agent, places, before={6: lambda: time.sleep(2)})
        except Exception as error:  # told by the other thread
            driver["error"] = error
    thread = threading.Thread(target=drive)

    def finish():
        thread.join(timeout=30)
    steps = named(prefix + suffix)["steps"]
    answers_at = [i for i, step in enumerate(steps) if step["dir"] == "client->server"]
    replay(prefix + suffix, agent, places, before={answers_at[1] + 2: thread.start, answers_at[-1]: finish})
    if "error" in driver:
        raise driver["error"]
    return [prefix + suffix, f"{prefix}__driver_connection{suffix}"]


def replay_plain(stage):
    members = {"a": {"role": "web", "dc": "east", "k": "v"}, "b": {"role": "db"}, "c": {}}
    agents, places = cluster(stage, ["127.77.0.11", "127.77.0.12", "127.77.0.13"], members)
    done = []
    time.sleep(1.5)  # some probes, so that there are coordinates
    for exchange in EXCHANGES:
        name = label(exchange)
        if name in DONE_ELSEWHERE or name.endswith("@head"):
            continue
        if name == "raw:stream_all":
            done += replay_streams("raw:stream_all", "", agents[0], places)
        elif name != "raw:stream_all__driver_connection":
            done.append(replay(name, agents[0], places))
            if name == "cli:tags":
                agents[0].do("tags", "-set", "role=web", "-set", "dc=east", "-delete", "x")
    return done


def replay_head(stage):
    listed = unpack_all(bytes.fromhex(named("cli:members@head")["response_stream_hex"]))[0][2]["Members"]
    tags = {member["Name"]: member["Tags"] for member in listed}
    agents, places = cluster(stage, ["127.77.1.11", "127.77.1.12", "127.77.1.13"], {name: tags[name] for name in ("ha", "hb", "hc")})
    done = []
    for exchange in EXCHANGES:
        name = label(exchange)
        if not name.endswith("@head"):
            continue
        if name == "raw:stream_all@head":
            done += replay_streams("raw:stream_all", "@head", agents[0], places)
        elif name == "raw:stream_member_update@head":
            def change():
                agents[0].do("tags", "-set", "k=v", "-set", "role=api", "-delete", "dc")
            done.append(replay(name, agents[0], places, before={4: change}))
        elif name == "raw:get_coordinate@head":
            done.append(replay(name, agents[0], places))
        elif name != "raw:stream_all__driver_connection@head":
            done.append(replay(name, agents[0], places))
    return done


def replay_members(stage):
    """Joins, a leave, a pruning and leaves again in one stream; the last is the agent's own."""
    addresses = {f"127.77.14.{i}": stage.addresses.take() for i in (1, 2, 3)}
    places = Places(addresses)
    one, two, three = (stage.agent("starling", name, tags=tags, address=address, handle="") for (name, tags), address in zip(
        (("ra", {"role": "web"}), ("rb", {"role": "db"}), ("rd", {})), addresses.values()))
    one.start()
    time.sleep(1.5)  # its own join has gone by
    done = []

    def join():
        two.start(join=[one], wait=False)
        three.start(join=[one], wait=False)

    def leave_two():
        stage.expect_all_alive([one, two, three])
        two.do("leave")

    def prune():
        one.do("force-leave", "-prune", "rb")

    def leave_three():
        three.do("leave")

    def leave_one():
        done.append(replay("raw:header_fields_persist", one, places))
        done.append(replay("raw:leave", one, places))
    done.append(replay("raw:stream_member_events", one, places, before={4: join, 5: leave_two, 6: prune, 7: leave_three, 8: leave_one}))
    one.expect_exit(0, 10)
    return done


def replay_keys(stage):
    keys = ["ZmVkY2JhOTg3NjU0MzIxMA==", "MDEyMzQ1Njc4OWFiY2RlZg=="]
    agents = []
    for name in ("k1", "k2"):
        ring = stage.folder / f"{name}.keys"
        ring.write_text(json.dumps(keys[::-1]))
        agents.append(stage.started("starling", name, join=agents[:1], handle="", args=[f"-keyring-file={ring}"]))
    stage.expect_all_alive(agents)
    return [replay(name, agents[0], Places({})) for name in KEYS]


def replay_auth(stage):
    agent = stage.agent("starling", "auth1", tags={"role": "x"}, config={"rpc_auth": "sekret"}, handle="", args=["-event-handler=query:who=echo hi"])
    agent.start(wait=False)
    stage.wait("the agent answers", lambda: (agent.cli("members", "-rpc-auth=sekret").returncode == 0, None), 20)
    places = Places({"127.77.4.1": agent.address})
    time.sleep(1.5)  # its own join has gone by

    def ask(connection):
        agent.do("query", "-rpc-auth=sekret", "-timeout=500ms", "who", "pay")
        connection.read(lambda values: any("ID" in value for value in values), 5)
    done = []
    for name in AUTH:
        done.append(replay(name, agent, places, **({"during": (5, ask)} if "monitor(" in name else {})))
    agent.expect_exit(0, 10)
    return done


KEYS = ["cli:keys_list_ok", "cli:keys_install_ok", "cli:keys_use_ok", "cli:keys_use_missing", "cli:keys_remove_ok", "cli:keys_remove_absent",
        "cli:info_enc"]
AUTH = ["cli:auth_wrong", "cli:auth_ok", "cli:auth_none_leave", "cli:monitor_bad", "cli:monitor(shortened)", "cli:leave_auth"]
MEMBERS = ["raw:header_fields_persist", "raw:leave", "raw:stream_member_events"]
DONE_ELSEWHERE = {*KEYS, *AUTH, *MEMBERS}


@check(150)
def rpc_replay(stage):
    """All recorded exchanges, in five clusters that stand as the recorded ones stood."""
    done = []
    for part in (replay_plain, replay_head, replay_members, replay_keys, replay_auth):
        done += part(stage)
    expect_equal(sorted(done), sorted(map(label, EXCHANGES)), "exchanges replayed")
    unused = [DIFFERENCES[i][1] for i in range(len(DIFFERENCES)) if i not in USED]
    expect(not unused, f"nothing differs any more in {unused}")
