"""Either command line client against either agent: same output, same exit status."""
import json
import re
import signal
import time

from harness import (BINARIES, EACH_KIND, KINDS, OTHER, Failure, answers_queries, check, expect, expect_equal, has_command)
from basics import expect_query_answered


def sorted_tags(row):
    """Tags come in any order; sort the comma list of a members row."""
    return re.sub(r"\S+=\S+", lambda match: ",".join(sorted(match[0].split(","))), row)


def normal(text):
    """Rows in any order, tags in any order, and no padding: the last row loses its own."""
    return "\n".join(sorted(sorted_tags(line).rstrip() for line in text.splitlines()))


def unnamed(text):
    """Each program speaks of itself."""
    return re.sub("(?i)starling|serf", "PRODUCT", text)


def both(agent, command, *arguments, **options):
    """The same command by both clients."""
    return {by: agent.cli(command, *arguments, by=by, **options) for by in KINDS}


def expect_same(results, what, change=lambda text: text):
    ours, theirs = results["starling"], results["serf"]
    expect_equal((ours.returncode, change(ours.stdout), change(ours.stderr)),
                 (theirs.returncode, change(theirs.stdout), change(theirs.stderr)), what)


@check(60, EACH_KIND)
def members_output(stage, kind):
    """members as text and JSON, with every filter, is the same byte for byte up to order."""
    one = stage.started(kind, "one", tags={"role": "web", "dc": "east"})
    two = stage.started(OTHER[kind], "a-longer-name", join=[one], tags={"role": "db"})
    three = stage.started(kind, "bare", join=[one])
    stage.expect_all_alive([one, two, three])
    for arguments in ([], ["-detailed"], ["-name=one"], ["-name=.*n.*"], ["-status=alive"], ["-status=failed"],
                      ["-tag=role=web"], ["-tag=role=w.*", "-tag=dc=east"], ["-tag=role="], ["-role=db"], ["-name=nobody"],
                      ["-format=xml"], ["-name=("], ["-nonsense"]):
        results = both(one, "members", *arguments)
        if arguments == ["-nonsense"]:
            for by, done in results.items():
                expect_equal(done.returncode, 1, f"{by}: exit status of a bad flag")
                expect("flag provided but not defined: -nonsense" in done.stderr, f"{by}: {done.stderr[:200]}")
            continue
        expect_same(results, f"members {' '.join(arguments)}", normal)
    for arguments in ([], ["-detailed"], ["-name=bare"], ["-name=nobody"]):
        texts = {by: done.stdout for by, done in both(one, "members", "-format=json", *arguments).items()}
        values = {by: sorted((json.loads(text)["members"] or []), key=lambda member: member["name"]) for by, text in texts.items()}
        expect_equal(values["starling"], values["serf"], f"members -format=json {arguments}")
        if "nobody" in str(arguments) or "bare" in str(arguments):
            expect_equal(texts["starling"], texts["serf"], "JSON text of members")
    expect_equal(normal(one.do("members")), normal(three.do("members", by=OTHER[kind])), "text at two members")


@check(60, EACH_KIND)
def errors_output(stage, kind):
    """What a wrong command says and how it ends."""
    agent = stage.started(kind, "agent")
    full_text = [
        ("event",), ("force-leave", "nobody-of-that-name"), ("tags", "-set", "broken"), ("query",),
        ("query", "-format=z", "load"), ("query", "-relay-factor=256", "load"), ("query", "_serf_ping_x"),
        ("event", "big", "x" * 600), ("rtt", "nobody"), ("rtt", "a", "b", "c"), ("keys", "-list"), ("keys", "-install", "short"),
        ("keys", "-use", "AAAAAAAAAAAAAAAAAAAAAA=="), ("keys", "-list", "-use", "x"),
        ("monitor", "-log-level=nonsense"), ("info", "-format=xml"), ("join", "127.0.0.1:1"),
    ]
    def first_line(text):
        # The first paragraph is the message; a help text of the client's own may follow.
        return text.split("\n\n")[0].strip().removeprefix("==> ")
    for command, *arguments in full_text:
        if not has_command("starling", command):
            continue
        results = both(agent, command, *arguments)
        ours, theirs = results["starling"], results["serf"]
        what = f"{command} {' '.join(arguments)[:40]}"
        expect_equal(ours.returncode, theirs.returncode, f"exit status of {what}")
        expect_equal(unnamed(first_line(ours.stdout)), unnamed(first_line(theirs.stdout)), f"message of {what}")
        expect_equal(bool(ours.stderr.strip()), bool(theirs.stderr.strip()), f"something on standard error by {what}")
    for command in (("event", "a", "b", "c"), ("force-leave",), ("tags",), ("join",), ("nonsense",), (), ("members", "-help"),
                    ("-nonsense",), ("event", "-h")):
        results = {by: stage.run([BINARIES[by], *command]) for by in KINDS}
        ours, theirs = results["starling"], results["serf"]
        what = "starling " + " ".join(command)
        expect_equal(ours.returncode, theirs.returncode, f"exit status of {what}")
        for stream in ("stdout", "stderr"):
            expect_equal(bool(getattr(ours, stream).strip()), bool(getattr(theirs, stream).strip()), f"{what}: something on {stream}")
    agent.kill()
    for command in (("members",), ("event", "x"), ("info",), ("leave",), ("query", "x"), ("monitor",), ("reachability",)):
        if not has_command("starling", command[0]):
            continue
        results = both(agent, *command)
        expect_same(results, f"{command[0]} without an agent", unnamed)


@check(90, EACH_KIND)
def commands_cross(stage, kind):
    """Every command of one kind's client works on the other kind's agent."""
    one = stage.started(kind, "one")
    two = stage.started(OTHER[kind], "two")
    by = OTHER[kind]
    expect_equal(one.do("join", two.address, by=by), "Successfully joined cluster by contacting 1 nodes.\n", "join")
    stage.expect_all_alive([one, two])
    expect_equal(one.do("event", "-coalesce=false", "deploy", "v1", by=by),
                 "Event 'deploy' dispatched! Coalescing enabled: false\n", "event")
    stage.wait("the event arrives", lambda: (len(two.events("user")) == 1, two.events("user")), 30)
    expect_equal(one.do("tags", "-set", "a=1", "-set", "b=2", by=by), "Successfully updated agent tags\n", "tags")
    expect_equal(one.do("tags", "-delete", "a", by=by), "Successfully updated agent tags\n", "tags")
    stage.wait("the tags arrive", lambda: (two.members()["one"]["tags"] == {"b": "2"}, two.members()["one"]), 8)
    if answers_queries("starling"):
        expect_query_answered([one, two], one, by=by)
        text = one.do("query", "-timeout=1s", "-node=one", "whoami", by=by)
        lines = text.splitlines()
        expect_equal([lines[0], *sorted(lines[1:3]), *lines[3:]],  # the ack and the answer race
                     ["Query 'whoami' dispatched", "Ack from 'one'", "Response from 'one': i am one", "Total Acks: 1",
                      "Total Responses: 1"], "query as text")
        expect("Successfully contacted all live nodes" in one.do("reachability", by=by), "reachability")
    expect_equal(one.do("force-leave", "stranger", by=by), "", "force-leave")
    expect_equal(one.do("leave", by=by), "Graceful leave complete\n", "leave")
    one.expect_exit(0, 10)
    stage.expect_status([two], "one", "left", 10)


@check(45, EACH_KIND)
def info_output(stage, kind):
    """info has the same keys and the same form from both clients and both agents."""
    one = stage.started(kind, "one", tags={"role": "web"})
    two = stage.started(OTHER[kind], "two", join=[one], tags={"role": "db"})
    stage.expect_all_alive([one, two])

    def keys(agent, by):
        value = json.loads(agent.do("info", "-format=json", by=by))
        runtime = {"goroutines"}  # counts something of the implementation's own, as the group named for it does
        return {group: sorted(set(fields) - runtime) for group, fields in value.items()
                if group not in ("event_handlers", "starling")}, value
    wanted, value = keys(one, kind)
    for agent in (one, two):
        for by in KINDS:
            seen, _ = keys(agent, by)
            expect_equal(seen, wanted, f"groups and keys of info at a {agent.kind} agent by {by}")
    expect_equal(value["serf"]["members"], "2", "members")
    expect_equal(value["serf"]["encrypted"], "false", "encrypted")
    expect_equal(value["agent"], {"name": "one"}, "agent")
    expect_equal(value["tags"], {"role": "web"}, "tags")

    def steady(text):
        text = re.sub(r"^starling:\n(\t.*\n)*", "", text, flags=re.M)  # counters that move between two questions
        return "\n".join(line for line in text.splitlines()
                         if not re.match(r"\t(goroutines|health_score|member_time|[a-z]+_queue) = ", line))
    expect_same(both(one, "info"), "info as text", steady)


@check(45)
def version_and_keygen(stage):
    """Commands that need no agent."""
    for kind in KINDS:
        for words in (["version"], ["-v"], ["--version"]):
            done = stage.run([BINARIES[kind], *words])
            expect_equal(done.returncode, 0, f"exit status of {kind} {words[0]}")
            lines = done.stdout.splitlines()
            expect_equal(lines[1:], ["Agent Protocol: 5 (Understands back to: 2)"], f"second line of {kind} {words[0]}")
        keys = set()
        for _ in range(3):
            done = stage.run([BINARIES[kind], "keygen"])
            expect(done.returncode == 0 and re.fullmatch(r"[A-Za-z0-9+/]{43}=\n", done.stdout), f"{kind} keygen: {done}")
            keys.add(done.stdout)
        expect_equal(len(keys), 3, "different keys")


@check(60, EACH_KIND)
def start_output(stage, kind):
    """The agents start with the same words."""
    plain = {}
    for each in (kind, OTHER[kind]):
        peer = stage.started(each, f"{each}-peer", handle=None)
        address = stage.addresses.take()
        agent = stage.started(each, join=[peer], handle=None, args=[f"-advertise={address}:7946"], address=address)
        stage.wait("the agent is up", lambda: ("Log data will now stream in" in agent.log(), agent.log_tail()), 10)
        log = agent.log().split("Log data will now stream in")[0]
        log = log.replace(address, "ADDRESS").replace(agent.name, "NAME")
        # One line more than Serf: how packets reach the kernel.
        plain[each] = "".join(line for line in unnamed(log).splitlines(True) if not re.match(" +(IO|Memory|Hosted members): ", line))
        agent.do("leave")
        agent.expect_exit(0, 10)
    expect_equal(plain[kind], plain[OTHER[kind]], "start output")


def blocks(text):
    """The events in a monitor's output: a frozen set of lines each."""
    found, current = [], None
    for line in text.splitlines():
        if line == "Event Info:":
            current = []
            found.append(current)
        elif current is not None and line.startswith("\t"):
            current.append(line.strip())
        else:
            current = None
    return [frozenset(block) for block in found]


@check(60, EACH_KIND)
def monitor_output(stage, kind):
    """monitor of both clients on one agent shows the same events, and log lines."""
    one, two = stage.pair(kind, OTHER[kind])
    monitors = {}
    for by in KINDS:
        monitors[by] = stage.spawn([BINARIES[by], "monitor", f"-rpc-addr={one.rpc}", "-log-level=debug"], f"monitor-{by}")
    def ready():
        texts = [(stage.folder / f"monitor-{by}").read_text() for by in KINDS]
        return all("[" in text for text in texts), texts
    stage.wait("both monitors show the agent's log", ready, 10)
    two.do("event", "-coalesce=false", "deploy", "p")
    two.do("event", "-coalesce=false", "empty")
    asker = one if kind == "serf" else two
    asker.do("query", "-timeout=1s", "load", "now")
    three = stage.started(kind, "three", join=[one])
    wanted = {"user deploy": {'Event: "user"', 'Name: "deploy"', "Payload: []byte{0x70}", "Coalesce: false", "LTime: 1"},
              "user empty": {'Event: "user"', 'Name: "empty"', "Coalesce: false", "LTime: 2"},
              "query": {'Event: "query"', 'Name: "load"', "Payload: []byte{0x6e, 0x6f, 0x77}"},
              "member-join": {'Event: "member-join"'}}
    if kind == "starling" and not answers_queries("starling"):
        del wanted["query"]

    def shown():
        missing = [f"{what} at {by}" for by in KINDS for what, lines in wanted.items()
                   if not any(lines <= block for block in blocks((stage.folder / f"monitor-{by}").read_text()))]
        return not missing, missing
    stage.wait("both monitors show every event", shown, 12)
    for by, process in monitors.items():
        process.send_signal(signal.SIGINT)
        expect_equal(process.wait(timeout=8), 0, f"exit status of {by} monitor")

    def comparable(by):
        return sorted(sorted(block) for block in blocks((stage.folder / f"monitor-{by}").read_text())
                      if not any("member-" in line for line in block))
    expect_equal(comparable("starling"), comparable("serf"), "events shown")
    # An agent that goes away ends a monitor with status 1.
    last = stage.spawn([BINARIES[OTHER[kind]], "monitor", f"-rpc-addr={three.rpc}"], "monitor-last")
    stage.wait("the monitor is there", lambda: ("[" in (stage.folder / "monitor-last").read_text(), None), 8)
    three.kill()
    expect_equal(last.wait(timeout=8), 1, "exit status of a monitor whose agent crashed")
    expect("Remote side ended the monitor!" in (stage.folder / "monitor-last").read_text(), "the monitor says why it ended")


@check(45, EACH_KIND)
def rpc_token(stage, kind):
    """An agent with rpc_auth answers clients of either kind that have the token, by flag or environment, and no others."""
    agent = stage.agent(kind, "guarded", config={"rpc_auth": "secret"})
    agent.start(wait=False)
    stage.wait("the agent answers", lambda: (agent.cli("members", "-rpc-auth=secret").returncode == 0, None), 15)
    for by in KINDS:
        expect_equal(agent.cli("members", "-rpc-auth=secret", by=by).returncode, 0, f"{by} with the token")
        done = agent.cli("members", by=by, environment={"SERF_RPC_AUTH": "secret"})
        expect_equal(done.returncode, 0, f"{by} with the token from the environment")
    expect_same(both(agent, "members", "-rpc-auth=wrong"), "members with a wrong token", unnamed)
    expect_same(both(agent, "members"), "members without a token", unnamed)
    expect_same(both(agent, "event", "x"), "event without a token", unnamed)


@check(45)
def wrong_expectations_are_noticed(stage):
    """The checks can fail: deliberately wrong expectations about a live pair must raise."""
    one, two = stage.pair()
    one.do("event", "-coalesce=false", "deploy", "v1")
    time.sleep(1)
    from basics import expect_events_once, expect_tags
    for what, wrong in {
        "status": lambda: stage.expect_status([two], one.name, "failed", 1),
        "absence": lambda: stage.expect_status([two], one.name, None, 1),
        "members": lambda: stage.expect_all_alive([one, two], 1, names=["somebody", one.name]),
        "tags": lambda: expect_tags(stage, [two], one.name, {"a": "b"}, 1),
        "twice": lambda: expect_events_once(stage, [two], [("deploy", "v1;"), ("deploy", "v1;")], 1),
        "never": lambda: expect_events_once(stage, [two], [], 1),
        "other payload": lambda: expect_events_once(stage, [two], [("deploy", "v2;")], 1),
        "answers": lambda: expect_query_answered([], two),
        "output": lambda: expect_equal(one.do("event", "x"), "", "output of event"),
        "success": lambda: one.do("members", "-format=xml"),
        "exit": lambda: one.expect_exit(0, 0.2),
        "difference": lambda: expect_same({"starling": one.cli("members"), "serf": one.cli("info")}, "x"),
    }.items():
        try:
            wrong()
        except Failure:
            continue
        raise Failure(f"a wrong expectation went unnoticed: {what}")
