"""Queries between members one of whom cannot send to the other, so that only relays bring the answer. Needs root."""
from harness import KINDS, Space, check, expect, expect_equal
from queries import asked

# Who asks, who answers, who relays: wherever starling has a part.
PARTS = {"-".join(kinds): kinds for kinds in ((asker, responder, relay) for asker in KINDS for responder in KINDS for relay in KINDS)
         if "starling" in kinds}


class Switch:
    """A namespace for each agent, all on one bridge. What one sends to another can be made to disappear."""

    def __init__(self, stage):
        self.stage = stage
        self.spaces = {}
        self.middle = Space(stage, "bridge")
        self.middle.ip("link add bridge type bridge")
        self.middle.ip("link set bridge up")

    def started(self, kind, name, join=()):
        number = len(self.spaces) + 1
        space = self.spaces[name] = Space(self.stage, name)
        self.middle.cable_to(space, f"port-{number}", "eth0")
        self.middle.ip(f"link set port-{number} master bridge")
        space.ip(f"addr add 10.78.0.{number}/24 dev eth0")
        return self.stage.started(kind, name, join, address=f"10.78.0.{number}", rpc="127.0.0.1:7373", prefix=space.prefix)

    def lose(self, sender, receiver):
        """Nobody on the bridge has the address of the Ethernet to which the sender's frames then go."""
        self.spaces[sender.name].ip(f"neigh replace {receiver.address} lladdr 02:00:00:00:00:99 dev eth0 nud permanent")


@check(60, PARTS)
def query_relayed_round_a_lost_path(stage, asker, responder, relay):
    """What the responder sends to the asker is lost. With relays both its ack and its answer come, without them neither."""
    switch = Switch(stage)
    one = switch.started(asker, "one")
    two = switch.started(responder, "two", [one])
    others = [switch.started(relay, name, [one]) for name in ("three", "four")]
    stage.expect_all_alive([one, two, *others])
    switch.lose(two, one)
    # Of three others each is asked to relay, so that this is not left to chance.
    expect_equal(asked(one, "-node=two", "-relay-factor=3", "whoami", timeout="3s"), (["two"], {"two": "i am two\n"}), "with relays")
    expect_equal(asked(one, "-node=two", "whoami", timeout="3s"), ([], {}), "without relays")
    # The detector goes round the path as well.
    for viewer in (one, two):
        states = {name: member["status"] for name, member in viewer.members().items()}
        expect_equal(set(states.values()), {"alive"}, f"what {viewer.name} sees")
    expect(any("Relaying response to addr" in agent.log() for agent in others), "no relay says that it relays")
