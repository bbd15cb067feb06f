"""Joining, tags, user events and queries, in both directions and under every packet setting."""
import json
import threading
import time

from harness import (BOTH_WAYS, EACH_KIND, OTHER, Failure, acks_and_answers, answers_queries, check, expect, expect_equal,
                     has_agent_flag, has_command, needs, new_key)

SETTINGS = {
    "plain": {},
    "uncompressed": {"compress": False},
    "encrypted": {"key": True},
    "encrypted-uncompressed": {"key": True, "compress": False},
}


def options_of(setting):
    options = dict(SETTINGS[setting])
    if options.get("key"):
        options["key"] = new_key()
    return options


def user_events(agent):
    return [(name, text) for _, name, _, text in agent.events("user")]


def expect_tags(stage, viewers, name, tags, seconds=10):
    for viewer in viewers:
        def probe():
            seen = viewer.members().get(name, {}).get("tags")
            return seen == tags, seen
        stage.wait(f"{viewer.name} sees the tags {tags} of {name}", probe, seconds)


def expect_events_once(stage, agents, wanted, seconds=35):
    """Every agent's handler ran exactly once for each wanted (name, payload line).

    Gossip is only likely to reach everybody; what it misses comes with the next push/pull, every 30 s.
    """
    wanted = sorted(wanted)
    for agent in agents:
        def probe():
            seen = sorted(user_events(agent))
            return len(seen) >= len(wanted), f"{len(seen)} of {len(wanted)} events"
        stage.wait(f"{agent.name} gets the events", probe, seconds)
    time.sleep(1.5)  # time for a second delivery to show up
    for agent in agents:
        seen = sorted(user_events(agent))
        if seen != wanted:
            extra = [event for event in seen if seen.count(event) != wanted.count(event)]
            raise Failure(f"{agent.name}: each event once, but saw {len(seen)} of {len(wanted)}, amiss: {extra[:4]}")


@check(40, BOTH_WAYS)
def join_by_command(stage, joiner, target):
    """The client joins a running agent to one of the other kind."""
    one = stage.started(target, "target", tags={"role": "db"})
    two = stage.started(joiner, "joiner", tags={"role": "web", "dc": "east"})
    output = two.do("join", one.address)
    expect_equal(output, "Successfully joined cluster by contacting 1 nodes.\n", "output of join")
    stage.expect_all_alive([one, two])
    for viewer in (one, two):
        members = viewer.members()
        for agent, tags in ((one, {"role": "db"}), (two, {"role": "web", "dc": "east"})):
            record = members[agent.name]
            expect_equal(record["addr"], f"{agent.address}:7946", f"address of {agent.name} at {viewer.name}")
            expect_equal(record["tags"], tags, f"tags of {agent.name} at {viewer.name}")
            expect_equal(record["protocol"], {"max": 5, "min": 2, "version": 5}, f"protocol of {agent.name} at {viewer.name}")


@check(40, BOTH_WAYS)
def join_at_start(stage, joiner, target):
    """-join and -retry-join; member-join is announced once on both sides."""
    one = stage.started(target, "target")
    two = stage.started(joiner, "joiner", join=[one])
    late = stage.started(joiner, "late", args=[f"-retry-join={one.address}", "-retry-interval=1s"])
    stage.expect_all_alive([one, two, late])
    stage.wait("the joiner says so",
               lambda: ("Join completed. Synced with 1 initial agents" in two.log(), two.log()[:600]), 5)
    for agent in (one, two, late):
        wanted = sorted(("member-join", other.name) for other in (one, two, late))
        stage.wait(f"{agent.name} announces every join once",
                   lambda: (sorted(agent.member_events()) == wanted, agent.member_events()), 10)


@check(40, {"nobody": ("starling",), "nobody-serf": ("serf",)})
def join_of_nobody_fails(stage, kind):
    """A join that reaches nobody says so and exits 1, and so does an agent told to join nobody."""
    one = stage.started(kind, "alone")
    done = one.cli("join", stage.addresses.take())
    expect_equal(done.returncode, 1, "exit status of join")
    expect(done.stdout.startswith("Error joining the cluster: "), f"output of join: {done.stdout[:200]}")
    two = stage.agent(kind, "lost", args=[f"-join={stage.addresses.take()}"])
    two.start(wait=False)
    two.expect_exit(1, 20)


@check(90, {f"{who}-{setting}": (who, setting) for who in ("starling", "serf") for setting in SETTINGS})
def basics(stage, first, setting):
    """Join, tags, events, a query and a leave in one cluster of three under one packet setting."""
    options = options_of(setting)
    one = stage.started(first, "one", tags={"role": "one", "padding": "x" * 200}, **options)
    two = stage.started(OTHER[first], "two", join=[one], tags={"role": "two", "padding": "x" * 200}, **options)
    three = stage.started(OTHER[first], "three", join=[two], **options)
    everyone = [one, two, three]
    stage.expect_all_alive(everyone)
    expect_tags(stage, everyone, "one", {"role": "one", "padding": "x" * 200})
    encrypted = "true" if options.get("key") else "false"
    expect_equal(json.loads(one.do("info", "-format=json"))["serf"]["encrypted"], encrypted, "info says encrypted")

    one.do("tags", "-set", "role=changed", "-delete", "padding")
    two.do("tags", "-set", "more=things")
    expect_tags(stage, everyone, "one", {"role": "changed"})
    expect_tags(stage, everyone, "two", {"role": "two", "padding": "x" * 200, "more": "things"})

    wanted = []
    for agent in everyone:
        for payload in ("", "small", "long " * 80):
            agent.do("event", "-coalesce=false", f"from-{agent.name}", payload)
            wanted.append((f"from-{agent.name}", payload + ";" if payload else ""))
    expect_events_once(stage, everyone, wanted)
    if answers_queries("starling"):
        expect_query_answered(everyone, asked=one)
        expect_query_answered(everyone, asked=two)

    two.do("leave")
    two.expect_exit(0, 10)
    stage.expect_status([one, three], "two", "left", 10)


def expect_query_answered(everyone, asked, by=None):
    """A query to all gets an ack and the handler's answer from each."""
    acks, responses = acks_and_answers(asked, "-timeout=2s", "whoami", by=by)
    names = sorted(agent.name for agent in everyone)
    expect_equal(acks, names, f"acks of a query by {asked.name}")
    expect_equal(responses, {name: f"i am {name}\n" for name in names}, f"answers to a query by {asked.name}")


@check(90, BOTH_WAYS)
def events_once(stage, sender, receiver):
    """Many events from one side arrive exactly once everywhere, in spite of retransmission and push/pull."""
    one, two = stage.pair(sender, receiver)
    three = stage.started(receiver, "third", join=[one])
    stage.expect_all_alive([one, two, three])
    wanted = []
    for number in range(40):
        one.do("event", "-coalesce=false", f"deploy-{number % 5}", f"payload {number}")
        wanted.append((f"deploy-{number % 5}", f"payload {number};"))
    expect_events_once(stage, [one, two, three], wanted)
    times = [int(ltime) for _, _, ltime, _ in two.events("user")]
    expect_equal(len(set(times)), 40, "different logical times")
    # Joining again replays nothing that was seen.
    three.do("join", one.address)
    expect_events_once(stage, [one, two, three], wanted)


@check(90, BOTH_WAYS)
def events_coalesced(stage, sender, receiver):
    """Events that may be coalesced arrive as the latest only."""
    one, two = stage.pair(sender, receiver)
    for number in range(6):
        one.do("event", "restart", str(number))
    for agent in (one, two):
        stage.wait(f"{agent.name} gets the last event",
                   lambda: (("restart", "5;") in user_events(agent), user_events(agent)), 35)
    time.sleep(1.5)
    expect_equal(user_events(two), [("restart", "5;")], "events at the receiver")


@check(90, BOTH_WAYS)
def events_replayed(stage, joiner, target):
    """A join with -replay gets the events of the past once; one without gets none."""
    one = stage.started(target, "target")
    companion = stage.started(target, "companion", join=[one])
    stage.expect_all_alive([one, companion])
    for number in range(3):
        one.do("event", "-coalesce=false", "old", str(number))
    stage.wait("the events are past", lambda: (len(user_events(companion)) == 3, user_events(companion)), 35)
    time.sleep(2.5)  # what is still being gossiped may reach a newcomer before its join has ended
    quiet = stage.started(joiner, "quiet")
    curious = stage.started(joiner, "curious")
    quiet.do("join", one.address)
    curious.do("join", "-replay", one.address)
    stage.wait("the past is replayed", lambda: (len(user_events(curious)) >= 3, user_events(curious)), 10)
    one.do("event", "-coalesce=false", "new", "3")
    stage.wait("the present arrives", lambda: (("new", "3;") in user_events(quiet), user_events(quiet)), 35)
    expect_events_once(stage, [curious], [("old", f"{number};") for number in range(3)] + [("new", "3;")])
    expect_equal(user_events(quiet), [("new", "3;")], "events without -replay")


@check(60)
def queries_pass_on(stage):
    """A query between two serf members that may only meet a starling member on its way reaches both."""
    one = stage.started("serf", "one")
    through = stage.started("starling", "through", join=[one])
    two = stage.started("serf", "two", join=[through])
    stage.expect_all_alive([one, through, two])
    acks, responses = acks_and_answers(one, "-timeout=2s", "whoami")
    expect({"one", "two"} <= set(acks), f"acks: {acks}")
    expect_equal({name: text for name, text in responses.items() if name != "through"},
                 {"one": "i am one\n", "two": "i am two\n"}, "answers of the serf members")


@check(60, BOTH_WAYS)
def queries(stage, asker, other):
    """Filters, acks, relays and answers across kinds."""
    needs(answers_queries("starling"), "starling has no query command")
    one = stage.started(asker, "one", tags={"role": "web"})
    two = stage.started(other, "two", join=[one], tags={"role": "db"})
    three = stage.started(other, "three", join=[one], tags={"role": "web"})
    everyone = [one, two, three]
    stage.expect_all_alive(everyone)
    expect_query_answered(everyone, one)
    expect_query_answered(everyone, two)

    def asked(*arguments):
        acks, responses = acks_and_answers(one, "-timeout=1500ms", *arguments, "whoami")
        return acks, sorted(responses)
    expect_equal(asked("-node=two"), (["two"], ["two"]), "query to one node")
    expect_equal(asked("-tag=role=web"), (["one", "three"], ["one", "three"]), "query by tag")
    expect_equal(asked("-tag=role=nobody"), ([], []), "query to nobody")
    expect_equal(asked("-no-ack", "-node=three"), ([], ["three"]), "query without acks")
    expect_equal(asked("-relay-factor=1"), (["one", "three", "two"], ["one", "three", "two"]), "query with relays")
    # The handlers of all kinds saw the queries with name and payload.
    one.do("query", "-timeout=1s", "shout", "loud")
    for agent in everyone:
        seen = [(name, text) for _, name, _, text in agent.events("query")]
        expect(("shout", "loud;") in seen, f"{agent.name} did not hand on the query: {seen[-3:]}")


@check(45, EACH_KIND)
def reachability_and_rtt(stage, asker):
    """Everybody acks the internal ping; coordinates are exchanged on probes."""
    needs(has_command("starling", "reachability") and has_command("starling", "rtt"), "starling has no rtt command")
    one, two = stage.pair(asker, OTHER[asker])
    output = one.do("reachability")
    expect("Successfully contacted all live nodes" in output, f"output of reachability: {output}")
    for agent in (one, two):
        def probe():
            done = agent.cli("rtt", one.name, two.name)
            return done.returncode == 0 and "rtt: " in done.stdout, done.stdout
        stage.wait(f"{agent.name} knows both coordinates", probe, 15)


@check(45, BOTH_WAYS)
def different_keys_stay_apart(stage, first, second):
    """Another key, or none, does not get in, and leaves no trace in the member list."""
    one = stage.started(first, "one", key=new_key())
    two = stage.started(second, "two", key=new_key())
    three = stage.started(second, "three")
    for stranger in (two, three):
        done = stranger.cli("join", one.address)
        expect_equal(done.returncode, 1, f"exit status of join by {stranger.name}")
        done = one.cli("join", stranger.address)
        expect_equal(done.returncode, 1, f"exit status of join to {stranger.name}")
    stage.expect_all_alive([one], names=["one"])
    stage.expect_all_alive([two], names=["two"])
    stage.expect_all_alive([three], names=["three"])


@check(60, BOTH_WAYS)
def keyring_files(stage, first, second):
    """Members whose keyrings share a primary key understand each other; a key that one alone has opens nothing."""
    needs(has_agent_flag("starling", "-keyring-file"), "starling has no -keyring-file flag")
    shared, own = new_key(), new_key(16)
    agents = []
    for name, kind, keys in (("one", first, [shared]), ("two", second, [shared, own]), ("three", first, [shared])):
        ring = stage.folder / f"{name}.keyring"
        ring.write_text(json.dumps(keys))
        agents.append(stage.started(kind, name, join=agents[:1], args=[f"-keyring-file={ring}"]))
    stage.expect_all_alive(agents)
    agents[1].do("event", "-coalesce=false", "sealed", "with a shared key")
    expect_events_once(stage, agents, [("sealed", "with a shared key;")])
    stranger = stage.started(second, "stranger", key=own)
    expect_equal(stranger.cli("join", agents[0].address).returncode, 1, "exit status of a join without the shared key")


@check(90, {f"{bytes_count}-bytes-{kind}": (kind, bytes_count) for kind, bytes_count in
            (("starling", 16), ("serf", 24), ("starling", 32))})
def keys_rotate(stage, asker, bytes_count):
    """Install, use and remove a key on a mixed cluster through one member; the keyring files follow."""
    needs(has_command("starling", "keys"), "starling has no keys command")
    old, new = new_key(bytes_count), new_key(bytes_count)
    agents = []
    for name, kind in (("one", asker), ("two", OTHER[asker]), ("three", OTHER[asker])):
        ring = stage.folder / f"{name}.keyring"
        ring.write_text(json.dumps([old]))
        agents.append(stage.started(kind, name, join=agents[:1], args=[f"-keyring-file={ring}"]))
    stage.expect_all_alive(agents)
    one = agents[0]

    def listed():
        return {line.split()[0]: line.split()[1] for line in one.do("keys", "-list").splitlines()
                if line and not line.startswith("==>")}
    expect_equal(listed(), {old: "[3/3]"}, "keys at first")
    one.do("keys", "-install", new)
    expect_equal(listed(), {old: "[3/3]", new: "[3/3]"}, "keys after install")
    done = one.cli("keys", "-remove", old)
    expect_equal(done.returncode, 1, "exit status of removing the primary key")
    one.do("keys", "-use", new)
    one.do("keys", "-remove", old)
    expect_equal(listed(), {new: "[3/3]"}, "keys after remove")
    for agent in agents:
        expect_equal(json.loads((stage.folder / f"{agent.name}.keyring").read_text()), [new], f"keyring file of {agent.name}")
    agents[1].do("event", "-coalesce=false", "after", "rotation")
    expect_events_once(stage, agents, [("after", "rotation;")])


@check(120, {f"ask-{kind}": (kind,) for kind in ("starling", "serf")})
def keys_rotate_under_load(stage, asker):
    """Events every 50 ms before, between and after the steps: every member of either kind gets every one of them."""
    needs(has_command("starling", "keys"), "starling has no keys command")
    old, new = new_key(32), new_key(32)
    agents = []
    for name, kind in (("one", asker), ("two", OTHER[asker]), ("three", asker), ("four", OTHER[asker])):
        ring = stage.folder / f"{name}.keyring"
        ring.write_text(json.dumps([old]))
        agents.append(stage.started(kind, name, join=agents[:1], args=[f"-keyring-file={ring}"]))
    stage.expect_all_alive(agents)
    stop, sent = threading.Event(), []

    def send():
        while not stop.wait(0.05):
            number = len(sent)
            agents[number % len(agents)].do("event", "-coalesce=false", f"load-{number}")
            sent.append(number)

    def expect_more(count):  # by number, not by time: a busy machine sends slowly
        wanted = len(sent) + count
        stage.wait(f"{count} more events are sent", lambda: (len(sent) >= wanted, len(sent)), 20)
    sender = threading.Thread(target=send)
    sender.start()
    try:
        for step in ("-install", new), ("-use", new), ("-remove", old):
            expect_more(8)
            agents[0].do("keys", *step)
        expect_more(8)
    finally:
        stop.set()
        sender.join()
    expect_events_once(stage, agents, [(f"load-{number}", "") for number in sent], seconds=60)
