"""Members that a starling agent hosts, as real serf agents see them: ordinary members that share an address."""
import base64
import json
import os
import re
import signal
import time

from harness import check, expect, expect_equal

HOSTED = [f"gw-{number:04}" for number in range(1, 9)]
# Two probes of every member by a serf agent in a cluster of eleven, and what a probe may take.
TWO_ROUNDS_SECONDS = 24


def crowd(stage, join_from):
    """A starling agent that hosts eight, and two serf agents; `join_from` says who joins whom."""
    options = {"args": ["-host-members=gw:8", "-hosted-max=10"], "tags": {"role": "host"}}
    if join_from == "starling":
        one = stage.started("serf", "serf-1")
        two = stage.started("serf", "serf-2", join=[one])
        host = stage.started("starling", "host", join=[one], **options)
    else:
        host = stage.started("starling", "host", **options)
        one = stage.started("serf", "serf-1", join=[host])
        two = stage.started("serf", "serf-2", join=[host])
    stage.expect_all_alive([host, one, two], names=[host.name, one.name, two.name, *HOSTED], seconds=60)
    return host, one, two


def expect_no_failure(agents, when):
    for agent in agents:
        bad = [line for line in agent.log().splitlines() if re.search(r"EventMemberFailed|\bhas failed\b|conflict", line)]
        expect(not bad, f"{when}: {agent.name} says {bad[:2]}")


def hosted_names(host):
    return sorted(member["name"] for member in json.loads(host.do("hosted", "-format=json"))["members"] or [])


@check(110, {"starling-joins": ("starling",), "serf-joins": ("serf",)})
def hosted_members_are_members(stage, join_from):
    """Nine members at one address and port, alive for two rounds of probes; then the whole host leaves."""
    host, one, two = crowd(stage, join_from)
    expect("Hosted members: 8" in host.log(), "the agent does not say how many it hosts")
    for viewer in (host, one, two):
        addresses = {member["addr"] for name, member in viewer.members().items() if name in HOSTED or name == host.name}
        expect_equal(addresses, {f"{host.address}:7946"}, f"addresses of the hosted members at {viewer.name}")
    expect_equal(hosted_names(host), HOSTED, "what is hosted")

    def all_alive():
        seen = {name: member["status"] for name, member in one.members().items()}
        return set(seen.values()) == {"alive"} and len(seen) == 11, seen
    stage.hold("all stay alive", all_alive, TWO_ROUNDS_SECONDS)
    expect_no_failure([one, two], "two rounds of probes")
    expect_equal(json.loads(host.do("info", "-format=json"))["starling"]["probes_failed"], "0", "failed probes of the host")
    probed = one.log().count("Failed ping") + one.log().count("Was able to connect to")
    expect_equal(probed, 0, "pings that serf-1 could not have answered")

    host.do("leave", seconds=30)
    host.expect_exit(0, 15)
    for name in [host.name, *HOSTED]:
        stage.expect_status([one, two], name, "left", 15)
    expect_no_failure([one, two], "the leave")


@check(90)
def hosted_name_taken(stage):
    """A serf that takes the name of a hosted member loses the vote and ends; the member and its host stay."""
    host = stage.started("starling", "host", args=["-host-members=gw:3", "-hosted-max=10"])
    one = stage.started("serf", "serf-1", join=[host])
    stage.expect_all_alive([host, one], names=[host.name, one.name, *HOSTED[:3]], seconds=30)
    double = stage.agent("serf", "double", args=[f"-node={HOSTED[0]}"])
    double.start(join=[one], wait=False)
    double.expect_exit(0, 30)
    stage.hold("the member stays", lambda: (one.members()[HOSTED[0]]["addr"] == f"{host.address}:7946", one.members()), 2)
    expect_equal(hosted_names(host), HOSTED[:3], "what is hosted")


@check(90)
def hosted_name_lost(stage):
    """A hosted member whose name the majority knows elsewhere is let go; its host and the other hosted members stay."""
    first = stage.started("serf", "first", args=[f"-node={HOSTED[0]}"])
    others = [stage.started("serf", f"serf-{number}", join=[first]) for number in range(1, 5)]
    stage.expect_all_alive(others, names=[HOSTED[0], *(other.name for other in others)], seconds=30)
    host = stage.started("starling", "host", join=[others[0]], args=["-host-members=gw:2", "-hosted-max=10"])
    stage.wait("the host lets the member go", lambda: ((seen := hosted_names(host)) == HOSTED[1:2], seen), 40)
    expect(first.process.poll() is None, "who has the name goes on")
    expect("lost its name" in host.log(), "the host says why")
    for viewer in others:
        members = viewer.members()
        expect_equal(members[HOSTED[0]]["addr"], f"{first.address}:7946", f"the address of {HOSTED[0]} at {viewer.name}")
        expect_equal(members[HOSTED[0]]["status"], "alive", f"the status of {HOSTED[0]} at {viewer.name}")
        expect_equal([members[name]["status"] for name in (host.name, HOSTED[1])], ["alive", "alive"], f"at {viewer.name}")


@check(120)
def hosted_members_answer_about_keys(stage):
    """Serf counts an answer of each member when it lists or changes keys: hosted ones give theirs."""
    key, fresh = (base64.b64encode(os.urandom(16)).decode() for _ in range(2))
    host = stage.started("starling", "host", args=["-host-members=gw:8", f"-encrypt={key}"])
    one = stage.started("serf", "serf-1", join=[host], args=[f"-encrypt={key}"])
    stage.expect_all_alive([host, one], names=[host.name, one.name, *HOSTED], seconds=60)
    for asker in (one, host):
        listed = asker.do("keys", "-list")
        expect(f"{key}  [10/10]" in listed, f"keys as {asker.name} lists them: {listed}")
    one.do("keys", "-install", fresh)
    listed = host.do("keys", "-list")
    expect(f"{fresh}  [10/10]" in listed, f"keys after one was installed: {listed}")


@check(120)
def a_crowd_leaves(stage):
    """Sixty members at once: the one peer hears of every leave."""
    one = stage.started("serf", "serf-1")
    host = stage.started("starling", "host", join=[one], args=["-host-members=gw:60"])
    names = [host.name, *(f"gw-{number:04}" for number in range(1, 61))]
    stage.expect_all_alive([one, host], names=[one.name, *names], seconds=60)
    host.signal(signal.SIGINT)
    host.expect_exit(0, 45)

    def all_left():
        seen = {name: member["status"] for name, member in one.members().items()}
        odd = {name: status for name, status in seen.items() if status != "left" and name != one.name}
        return not odd, f"{len(odd)} of {len(names)} are not, such as {dict(list(odd.items())[:3])}"
    # The peer needs a moment for what it was told; whom it was told nothing of, it would take for failed.
    stage.wait("all are seen to have left", all_left, 4)


@check(100)
def hosted_members_change_one_by_one(stage):
    """Tags, a leave, a return, a newcomer and events, each of one member among eight; what cannot be is refused in words."""
    host, one, two = crowd(stage, "starling")
    viewers = [one, two, host]

    host.do("tags", "-member", HOSTED[2], "-set", "site=north", "-set", "rack=7")
    host.do("tags", "-member", HOSTED[2], "-delete", "rack")
    for viewer in viewers:
        stage.wait(f"{viewer.name} sees the new tags",
                   lambda: (viewer.members()[HOSTED[2]]["tags"] == {"site": "north"}, viewer.members()[HOSTED[2]]), 15)
        members = viewer.members()
        expect_equal(members[HOSTED[3]]["tags"], {}, "tags of another hosted member")
        expect_equal(members[host.name]["tags"], {"role": "host"}, "tags of the host")

    expect_equal(host.do("unhost", HOSTED[4], seconds=30), f"{HOSTED[4]} has left\n", "output of unhost")
    stage.expect_status(viewers, HOSTED[4], "left", 15)
    expect(HOSTED[4] not in hosted_names(host), "the member that left is still hosted")
    expect_equal(host.do("host", HOSTED[4], "-tag", "back=yes"), f"Hosting {HOSTED[4]}\n", "output of host")
    stage.expect_status(viewers, HOSTED[4], "alive", 15)
    host.do("host", "late")
    stage.expect_status(viewers, "late", "alive", 15)

    for arguments, reason in ((["host", "serf-1"], "another member is alive under this name"),
                              (["host", "late"], "this member is hosted already"),
                              (["host", "one-more"], "no room for another hosted member"),
                              (["unhost", "nobody"], 'no member "nobody" is hosted here'),
                              (["tags", "-member", "nobody", "-set", "a=b"], 'no member "nobody" is hosted here')):
        done = host.cli(*arguments)
        expect_equal(done.returncode, 1, f"exit status of {arguments}")
        expect(reason in done.stdout, f"{arguments}: {done.stdout.strip()}")
    refused = one.cli("hosted", by="starling")
    expect("Unsupported command" in refused.stdout, f"hosted at a real agent: {refused.stdout.strip()}")

    host.do("event", "-coalesce=false", "from-host", "x")
    one.do("event", "-coalesce=false", "from-serf", "y")
    for agent in (host, one, two):
        def once():
            seen = sorted(name for _, name, _, _ in agent.events("user"))
            return seen == ["from-host", "from-serf"], seen
        stage.wait(f"{agent.name} gets both events once", once, 35)
    time.sleep(1.5)  # time for a second delivery to show up
    for agent in (host, one, two):
        expect_equal(len(agent.events("user")), 2, f"events at {agent.name}")
    expect_no_failure([one, two], "changes one by one")


@check(230)
def hosted_members_fail_with_their_host(stage):
    """A killed host: all nine are failed for serf, and all are back when it comes back.

    So many failures at once make a serf agent doubt itself: at the worst health score it probes every nine seconds, and nine
    members are to be probed, then suspected for at most six times four seconds.
    """
    host, one, two = crowd(stage, "serf")
    host.kill()
    start = time.monotonic()
    for name in [host.name, *HOSTED]:
        stage.expect_status([one, two], name, "failed", max(1.0, 130 - (time.monotonic() - start)))
    for agent in (one, two):
        seen = {name: member["status"] for name, member in agent.members().items() if name.startswith("serf")}
        expect_equal(set(seen.values()), {"alive"}, f"the serf agents at {agent.name}")
    host.start(join=[one])
    stage.expect_all_alive([host, one, two], names=[host.name, one.name, two.name, *HOSTED], seconds=45)


@check(60)
def a_live_hosted_member_refutes(stage):
    """force-leave, which a serf agent says of a hosted member that is alive, is refuted by that member."""
    host, one, two = crowd(stage, "starling")
    one.do("force-leave", HOSTED[0])
    time.sleep(1)  # time for the claim to get about
    stage.expect_status([one, two, host], HOSTED[0], "alive", 30)
    stage.expect_all_alive([one, two, host], names=[host.name, one.name, two.name, *HOSTED], seconds=10)
    expect_no_failure([one, two], "force-leave of a live member")
