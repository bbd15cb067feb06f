"""Crashes, restarts, pauses, leaves, removals and partitions, each kind watching the other."""
import json
import signal
import time

from harness import (BOTH_WAYS, EACH_KIND, OTHER, Failure, Space, answers_queries, check, detection_bound, expect, expect_equal,
                     has_agent_flag, needs, new_key)


def cluster(stage, kinds, **options):
    """Agents of these kinds, all joined and all seeing all."""
    agents = []
    for number, kind in enumerate(kinds, 1):
        agents.append(stage.started(kind, f"{kind}-{number}", join=agents[:1], **options))
    stage.expect_all_alive(agents)
    return agents


def never_failed(watchers, name):
    for watcher in watchers:
        kinds = [kind for kind, member in watcher.member_events() if member == name]
        expect("member-failed" not in kinds, f"{watcher.name} announced {name} as failed: {kinds}")


@check(110, {f"{kind}-{label}": (kind, label) for kind in ("starling", "serf") for label in ("plain", "encrypted")})
def killed_and_restarted(stage, victim_kind, setting):
    """A crash is seen as failed by both kinds within the protocol's bound; a restart under the same name as alive."""
    other = OTHER[victim_kind]
    options = {"key": new_key()} if setting == "encrypted" else {}
    agents = cluster(stage, [victim_kind, other, other, victim_kind], profile="local", **options)
    victim, watchers = agents[0], agents[1:]
    victim.kill()
    stage.expect_status(watchers, victim.name, "failed", detection_bound("local", 4))
    # The new process knows nothing: it must overrule its own death. Lost gossip is repaired every 15 s.
    victim.start(join=[watchers[0]])
    stage.expect_all_alive(agents, 35)
    stage.hold("the restarted member stays", lambda: (watchers[0].members()[victim.name]["status"] == "alive", None), 3)


@check(60, EACH_KIND)
def killed_in_a_pair(stage, victim_kind):
    """With nobody to confirm, the shortest suspicion counts: a pair notices within seconds."""
    victim, watcher = cluster(stage, [victim_kind, OTHER[victim_kind]], profile="local")
    victim.kill()
    took = stage.expect_status([watcher], victim.name, "failed", detection_bound("local", 2))
    expect(took > 2.5, f"failed after only {took:.1f} s: the suspicion lasts 3 s")
    stage.wait("the handler hears of it",
               lambda: (("member-failed", victim.name) in watcher.member_events(), watcher.member_events()), 8)


@check(60, {f"{kind}-{how}": (kind, how) for kind in ("starling", "serf") for how in ("command", "interrupt", "terminate")})
def leaves(stage, kind, how):
    """A graceful leave is left and never failed, at members of both kinds."""
    config = {"leave_on_terminate": True} if how == "terminate" else {}
    agents = cluster(stage, [kind, OTHER[kind], kind], config=config)
    leaver, watchers = agents[0], agents[1:]
    if how == "command":
        expect_equal(leaver.do("leave"), "Graceful leave complete\n", "output of leave")
    else:
        leaver.signal(signal.SIGINT if how == "interrupt" else signal.SIGTERM)
    leaver.expect_exit(0, 12)
    stage.expect_status(watchers, leaver.name, "left", 10)
    for watcher in watchers:
        stage.wait(f"{watcher.name} announces the leave",
                   lambda: (("member-leave", leaver.name) in watcher.member_events(), watcher.member_events()), 8)
    stage.hold("left is final", lambda: (watchers[0].members()[leaver.name]["status"] == "left", None), 4)
    never_failed(watchers, leaver.name)
    # Who left may come back.
    leaver.start(join=[watchers[0]])
    stage.expect_all_alive(agents, 15)


@check(45, EACH_KIND)
def terminated(stage, kind):
    """SIGTERM without leave_on_terminate is an abrupt end: status 1, and failed for the others."""
    victim, watcher = cluster(stage, [kind, OTHER[kind]], profile="local")
    victim.signal(signal.SIGTERM)
    victim.expect_exit(1, 8)
    stage.expect_status([watcher], victim.name, "failed", detection_bound("local", 2))


@check(110, BOTH_WAYS)
def force_leave(stage, asker_kind, victim_kind):
    """A failed member is declared left by the other kind; with -prune it disappears.

    The request is an intent that no push/pull repairs, and gossip goes to the recently dead as well: Serf itself loses one in
    ten here. Asking again is what an operator does, and enough.
    """
    asker, victim, third, pruned = cluster(stage, [asker_kind, victim_kind, victim_kind, victim_kind])
    victim.kill()
    pruned.kill()
    watchers = [asker, third]
    for dead in (victim, pruned):
        stage.expect_status(watchers, dead.name, "failed", detection_bound("lan", 4))
    for by, dead, arguments, status in ((asker, victim, [], "left"), (third, pruned, ["-prune"], None),
                                        (asker, victim, ["-prune"], None)):
        for attempts_left in (2, 1, 0):
            expect_equal(by.do("force-leave", *arguments, dead.name), "", "output of force-leave")
            try:
                stage.expect_status(watchers, dead.name, status, 5)
                break
            except Failure:
                if attempts_left == 0:
                    raise
    stage.hold("pruned members stay away", lambda: (len(asker.members()) == 2, sorted(asker.members())), 3)


@check(110, EACH_KIND)
def paused_long(stage, kind):
    """A frozen process is failed for the others, and alive again when it goes on and refutes."""
    agents = cluster(stage, [kind, OTHER[kind], OTHER[kind]], profile="local")
    sleeper, watchers = agents[0], agents[1:]
    sleeper.pause()
    stage.expect_status(watchers, sleeper.name, "failed", detection_bound("local", 3))
    stage.wait("the failure is announced",  # or it would be coalesced with the return
               lambda: (("member-failed", sleeper.name) in watchers[0].member_events(), watchers[0].member_events()), 8)
    sleeper.resume()
    stage.expect_all_alive(agents, 35)
    stage.wait("the return is announced",
               lambda: (watchers[0].member_events().count(("member-join", sleeper.name)) == 2, watchers[0].member_events()), 8)


@check(60, EACH_KIND)
def paused_briefly(stage, kind):
    """A pause shorter than probe plus suspicion is refuted: nobody ever calls it failed."""
    agents = cluster(stage, [kind, OTHER[kind], OTHER[kind]], profile="local")
    sleeper, watchers = agents[0], agents[1:]
    sleeper.pause()
    time.sleep(3.0)
    sleeper.resume()

    def alive():
        seen = [watcher.members()[sleeper.name]["status"] for watcher in watchers]
        return seen == ["alive"] * len(watchers), seen
    stage.hold("the sleeper stays alive", alive, 6)
    never_failed(watchers, sleeper.name)


@check(60, EACH_KIND)
def name_taken(stage, kind):
    """A second member with a taken name loses the vote and ends with status 0; the first stays."""
    needs(OTHER[kind] == "serf" or answers_queries("starling"), "starling asks no queries, so it calls no vote on its name")
    agents = cluster(stage, [kind, OTHER[kind], OTHER[kind]])
    double = stage.agent(OTHER[kind], "double", args=[f"-node={agents[0].name}"])
    double.start(join=[agents[1]], wait=False)
    double.expect_exit(0, 25)
    stage.hold("the first stays", lambda: (agents[1].members()[agents[0].name]["addr"] == f"{agents[0].address}:7946",
                                           agents[1].members()), 2)
    stage.expect_all_alive(agents, 20)


@check(60, BOTH_WAYS)
def snapshot_rejoins(stage, kind, writer_kind):
    """A member comes back through its snapshot alone, also through one that the other kind wrote."""
    needs(has_agent_flag("starling", "-snapshot"), "starling has no -snapshot flag")
    peer = stage.started(OTHER[writer_kind], "peer")
    snapshot = stage.folder / "member.snapshot"
    first = stage.started(writer_kind, "member", join=[peer], args=[f"-snapshot={snapshot}"])
    stage.expect_all_alive([peer, first])
    peer.do("event", "-coalesce=false", "once", "before the crash")
    stage.wait("the event arrives", lambda: (len(first.events("user")) == 1, first.events("user")), 8)
    time.sleep(2.0)  # member events are coalesced for a second, and the writer buffers for half of one
    peer.do("event", "-coalesce=false", "flush", "makes the writer flush")
    stage.wait("the event arrives", lambda: (len(first.events("user")) == 2, first.events("user")), 8)
    time.sleep(0.7)
    first.kill()
    lines = snapshot.read_text().splitlines()
    expect(f"alive: peer {peer.address}:7946" in lines, f"the snapshot lists the peer: {lines}")
    second = stage.started(kind, "member", address=first.address, args=[f"-snapshot={snapshot}"])
    stage.expect_all_alive([peer, second], 25)
    expect_equal(len([event for event in second.events("user") if event[1] == "once"]), 1, "runs of the handler for an old event")


@check(60, {f"{first}-then-{second}": (first, second) for first in ("starling", "serf") for second in ("starling", "serf")
            if first != second})
def snapshot_changes_hands(stage, first_kind, second_kind):
    """A member is replaced by one of the other kind, with its snapshot, name and address, and then by the first kind again."""
    peer = stage.started("serf", "peer")
    snapshot = stage.folder / "member.snapshot"
    options = {"args": [f"-snapshot={snapshot}"]}
    member = stage.started(first_kind, "member", join=[peer], **options)
    stage.expect_all_alive([peer, member])
    peer.do("event", "-coalesce=false", "once", "in the first life")
    stage.wait("the event arrives", lambda: (len(member.events("user")) == 1, member.events("user")), 8)
    for kind in (second_kind, first_kind):
        time.sleep(1.2)  # until the clocks are written
        peer.do("event", "-coalesce=false", "flush", "makes Serf write what it holds back")
        time.sleep(1.0)
        member.kill()
        member = stage.started(kind, "member", address=member.address, **options)
        stage.expect_all_alive([peer, member], 25)
        stage.hold("it stays alive", lambda: (peer.members()["member"]["status"] == "alive", None), 3)
    expect_equal(len([event for event in member.events("user") if event[1] == "once"]), 1, "runs of the handler for an old event")


@check(60, EACH_KIND)
def snapshot_after_a_leave(stage, kind):
    """After a leave a snapshot does not bring a member back, unless -rejoin asks for it."""
    peer = stage.started(OTHER[kind], "peer")
    snapshot = stage.folder / "member.snapshot"
    member = stage.started(kind, "member", join=[peer], args=[f"-snapshot={snapshot}"])
    stage.expect_all_alive([peer, member])
    time.sleep(1.5)
    member.do("leave")
    member.expect_exit(0, 10)
    stage.expect_status([peer], "member", "left", 10)
    expect("leave" in snapshot.read_text().splitlines(), f"the snapshot says that it left: {snapshot.read_text()}")
    alone = stage.started(kind, "member", address=member.address, args=[f"-snapshot={snapshot}"])
    stage.hold("it stays alone", lambda: (len(alone.members()) == 1, sorted(alone.members())), 3)
    alone.do("join", peer.address)
    stage.expect_all_alive([peer, alone], 15)
    time.sleep(1.5)
    alone.do("leave")
    alone.expect_exit(0, 10)
    back = stage.started(kind, "member", address=member.address, args=[f"-snapshot={snapshot}", "-rejoin"])
    stage.expect_all_alive([peer, back], 25)


@check(60, EACH_KIND)
def estimates_round_trips(stage, kind):
    """Coordinates pass between both kinds, and both programs' rtt understand both agents."""
    agents = cluster(stage, [kind, OTHER[kind], kind], profile="local")
    for asked in agents:
        for by in ("starling", "serf"):
            def probe():
                done = asked.cli("rtt", agents[0].name, agents[1].name, by=by)
                return done.returncode == 0, done.stdout
            stage.wait(f"{asked.name} estimates, asked by {by}", probe, 20)
            text = asked.do("rtt", agents[0].name, agents[1].name, by=by)
            expect(text.startswith(f"Estimated {agents[0].name} <-> {agents[1].name} rtt: ") and text.endswith(" ms\n"), text)
            own = asked.do("rtt", agents[0].name, by=by) if asked is not agents[0] else asked.do("rtt", agents[1].name, by=by)
            expect(f"<-> {asked.name} rtt: " in own, own)
            milliseconds = float(text.split()[-2])
            expect(0 <= milliseconds < 1000, f"a round trip on this machine: {text}")
            expect_equal(asked.cli("rtt", "nobody", by=by).stdout, "Could not find a coordinate for node \"nobody\"\n", "rtt of nobody")


@check(110, EACH_KIND)
def wan_killed(stage, kind):
    """The wan profile notices a crash within its own, longer bound; events pass as well."""
    victim, watcher = cluster(stage, [kind, OTHER[kind]], profile="wan")
    victim.do("event", "-coalesce=false", "hello", "wan")
    stage.wait("the event arrives", lambda: (len(watcher.events("user")) == 1, watcher.events()), 10)
    victim.kill()
    took = stage.expect_status([watcher], victim.name, "failed", detection_bound("wan", 2))
    expect(took > 25, f"failed after only {took:.1f} s: the suspicion lasts 30 s")


@check(60, EACH_KIND)
def wan_basics(stage, kind):
    """Join, tags and leave under the wan profile, encrypted."""
    one, two = cluster(stage, [kind, OTHER[kind]], profile="wan", key=new_key())
    one.do("tags", "-set", "a=b")
    stage.wait("the tag arrives", lambda: (two.members()[one.name]["tags"] == {"a": "b"}, two.members()), 12)
    one.do("leave", seconds=20)
    one.expect_exit(0, 10)
    stage.expect_status([two], one.name, "left", 15)


# ---- partition ----------------------------------------------------------------------------------------------------

class Islands:
    """Two network namespaces joined by two bridges and a link that can be cut. Addresses exist only inside them."""

    def __init__(self, stage):
        self.stage = stage
        self.spaces = {side: Space(stage, side) for side in "ab"}
        self.middle = Space(stage, "middle")
        self.middle.ip("link add cut-a type veth peer name cut-b")
        for side in "ab":
            self.middle.ip(f"link add bridge-{side} type bridge")
            self.middle.cable_to(self.spaces[side], f"port-{side}", "eth0")
            for end in f"cut-{side}", f"port-{side}":
                self.middle.ip(f"link set {end} master bridge-{side} up")
            self.middle.ip(f"link set bridge-{side} up")

    def agent(self, side, number, kind, **options):
        address = f"10.77.{'ab'.index(side) + 1}.{number}"
        self.spaces[side].ip(f"addr add {address}/16 dev eth0")
        return self.stage.agent(kind, f"{side}-{kind}-{number}", address=address, rpc=f"127.0.0.{number}:7373",
                                prefix=self.spaces[side].prefix, profile="local", **options)

    def cut(self):
        self.middle.ip("link set cut-a down")

    def heal(self):
        self.middle.ip("link set cut-a up")


@check(230)
def partition_heals(stage):
    """10 starling and 10 serf members in two halves: each half fails the other, and all agree again after the link is back."""
    islands = Islands(stage)
    agents = {side: [islands.agent(side, number, "starling" if number % 2 else "serf") for number in range(1, 11)]
              for side in "ab"}
    everyone = agents["a"] + agents["b"]
    for agent in everyone:
        agent.start(join=everyone[:1] if agent is not everyone[0] else [])
    stage.expect_all_alive(everyone, 30)
    islands.cut()
    bound = detection_bound("local", 20)
    for side, other in (("a", "b"), ("b", "a")):
        lost = {agent.name for agent in agents[other]}
        for viewer in agents[side]:
            def probe():
                failed = {name for name, member in viewer.members().items() if member["status"] == "failed"}
                return failed == lost, f"{len(failed)} failed"
            stage.wait(f"{viewer.name} fails the other half", probe, bound)
    # Each half lives on, and what happens there is known everywhere afterwards.
    agents["a"][0].do("tags", "-set", "half=a")
    agents["b"][1].do("tags", "-set", "half=b")
    agents["a"][1].do("event", "-coalesce=false", "during", "the cut")
    islands.heal()
    stage.expect_all_alive(everyone, 75)
    for name, half in ((agents["a"][0].name, "a"), (agents["b"][1].name, "b")):
        for viewer in everyone:
            stage.wait(f"{viewer.name} has the tag of {name}",
                       lambda: (viewer.members()[name]["tags"] == {"half": half}, viewer.members()[name]["tags"]), 20)
    views = {json.dumps(sorted(agent.members().items()), sort_keys=True) for agent in everyone}
    expect_equal(len(views), 1, "different views of the cluster")
