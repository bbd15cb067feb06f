"""Queries beyond the basics: filters by expressions, answers that are refused, relays, members that are not reached."""
import time

from harness import BOTH_WAYS, EACH_KIND, OTHER, acks_and_answers, check, expect, expect_equal


def asked(agent, *arguments, timeout="1500ms", by=None):
    return acks_and_answers(agent, f"-timeout={timeout}", *arguments, by=by)


@check(60, BOTH_WAYS)
def query_filters(stage, asker, other):
    """Expressions are searched for anywhere in the value, a missing tag is empty, and all filters must agree."""
    one = stage.started(asker, "one", tags={"role": "web-front", "dc": "east"})
    two = stage.started(other, "two", join=[one], tags={"role": "db"})
    three = stage.started(other, "three", join=[one], tags={"role": "web-back", "dc": "west"})
    stage.expect_all_alive([one, two, three])
    for filters, names in [
            (["-tag=role=^web"], ["one", "three"]), (["-tag=role=b-f"], ["one"]), (["-tag=role=db|front"], ["one", "two"]),
            (["-tag=dc=^$"], ["two"]), (["-tag=dc=.+"], ["one", "three"]), (["-tag=role=web", "-tag=dc=west"], ["three"]),
            (["-node=one", "-node=two", "-tag=role=web"], ["one"]), (["-tag=role=("], []), (["-node=nobody"], [])]:
        acks, responses = asked(one, *filters, "whoami", timeout="900ms")
        expect_equal((acks, sorted(responses)), (names, names), f"query with {filters}")


@check(60, EACH_KIND)
def query_answers(stage, kind):
    """A script that fails does not answer, nor does one that says too much; what fits arrives unchanged."""
    handlers = [f"-event-handler=query:{name}={command}" for name, command in {
        "fails": "echo no; exit 3", "silent": "true", "large": "head -c 2000 /dev/zero | tr '\\0' x",
        "fits": "head -c 900 /dev/zero | tr '\\0' B", "echo": "cat; printf '%s' \"$SERF_EVENT $SERF_QUERY_NAME $SERF_QUERY_LTIME\" >&2",
    }.items()]
    one = stage.started(kind, "one", args=handlers)
    two = stage.started(OTHER[kind], "two", join=[one])
    stage.expect_all_alive([one, two])
    for agent in (two, one):
        for name in ("fails", "silent", "large"):
            expect_equal(asked(agent, name, timeout="900ms"), (["one", "two"], {}), f"answers to {name}")
        expect_equal(asked(agent, "fits")[1], {"one": "B" * 900}, "a long answer")
        answer = asked(agent, "echo", "said")[1]["one"]
        expect(answer.startswith("said\nquery echo "), f"what the script saw: {answer!r}")
        expect(int(answer.split()[-1]) > 0, f"the Lamport time: {answer!r}")
    expect("Failed to respond to query" in one.log(), f"{one.name} says nothing about the large answer")


@check(60, EACH_KIND)
def query_relays(stage, kind):
    """Relayed copies reach the asker through other kinds and are taken once."""
    agents = [stage.started(kind, "one")]
    for name in ("two", "three"):
        agents.append(stage.started(OTHER[kind], name, join=[agents[0]]))
    stage.expect_all_alive(agents)
    everybody = sorted(agent.name for agent in agents)
    for agent in agents:
        acks, responses = asked(agent, "-relay-factor=2", "whoami")
        expect_equal((acks, sorted(responses)), (everybody, everybody), f"query with relays by {agent.name}")
    relays = [agent.name for agent in agents if "Relaying response to addr" in agent.log()]
    expect(relays, "nobody has relayed anything")


@check(60, EACH_KIND)
def query_sizes(stage, kind):
    """The limit counts the encoded query; both kinds refuse with the same words."""
    one = stage.started(kind, "one")
    for by in (kind, OTHER[kind]):
        done = one.cli("query", "load", "x" * 1000, by=by)
        expect_equal((done.returncode, done.stdout), (1, "Error sending query: query exceeds limit of 1024 bytes\n"), f"by {by}")
    expect_equal(asked(one, "whoami", "x" * 800)[0], ["one"], "a long query")


@check(60, EACH_KIND)
def reachability(stage, asker):
    """Everybody acks the internal ping; one that is stopped is named."""
    one = stage.started(asker, "one")
    two = stage.started(OTHER[asker], "two", join=[one])
    three = stage.started(OTHER[asker], "three", join=[one])
    stage.expect_all_alive([one, two, three])
    for by in (asker, OTHER[asker]):
        expect_equal(one.do("reachability", by=by), "Total members: 3, live members: 3\nStarting reachability test...\n"
                     "Successfully contacted all live nodes\n", f"reachability by {by}")
    lines = one.do("reachability", "-verbose").splitlines()
    expect_equal(sorted(lines[2:5]), [f"\tAck from '{name}'" for name in ("one", "three", "two")], "acks")
    expect(lines[5].startswith("Query time: "), f"times: {lines[5]}")
    three.pause()
    time.sleep(0.2)
    done = one.cli("reachability", seconds=20)
    three.resume()
    expect_equal(done.returncode, 1, "exit status with a silent member")
    expect("Received less acks than live nodes! Missing acks from:\n\tthree\n" in done.stdout, f"output: {done.stdout}")
