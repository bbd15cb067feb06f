"""Members that find each other by multicast DNS, between two network namespaces with a virtual cable between them. Needs root."""
import os
import secrets
import time

from harness import KINDS, Skip, check, expect_equal

PAIRS = {f"{one}-{other}": (one, other) for one in KINDS for other in KINDS if "starling" in (one, other)}


def spaces(stage):
    """Two namespaces with addresses 10.79.0.1 and .2 on interfaces called cable; (name, address) each."""
    if os.geteuid() != 0:
        raise Skip("network namespaces need root")
    mark = secrets.token_hex(3)
    names = [f"starling-mdns-{mark}-{side}" for side in "ab"]
    for name in names:
        done = stage.run(["ip", "netns", "add", name])
        if done.returncode != 0:
            raise Skip(f"no network namespaces here: {done.stderr.strip()[:100]}")
        stage.at_end(lambda name=name: stage.run(["ip", "netns", "del", name]))

    def ip(name, words):
        done = stage.run(["ip", "-n", name, *words.split()])
        if done.returncode != 0:
            raise Skip(f"ip {words}: {done.stderr.strip()[:100]}")
    ip(names[0], f"link add cable type veth peer name cable netns {names[1]}")
    addresses = ["10.79.0.1", "10.79.0.2"]
    for name, address in zip(names, addresses):
        ip(name, "link set lo up")
        ip(name, "link set cable up")
        ip(name, f"addr add {address}/24 dev cable")
        ip(name, "route add default dev cable")
    # Serf gives up asking when its IPv6 address cannot be used yet.
    for name in names:
        def settled(name=name):
            done = stage.run(["ip", "-n", name, "-6", "addr", "show", "dev", "cable", "tentative"])
            return not done.stdout.strip(), done.stdout
        stage.wait(f"the IPv6 address of {name} is usable", settled, 10)
    return list(zip(names, addresses))


@check(60, PAIRS)
def discover(stage, first, second):
    """Two agents with one cluster name join without being told an address; a third of another name stays alone."""
    agents = []
    places = spaces(stage)
    for name, kind, (space, address), cluster in (("one", first, places[0], "here"), ("two", second, places[1], "here")):
        agents.append(stage.started(kind, name, address=address, rpc="127.0.0.1:7373", prefix=["ip", "netns", "exec", space],
                                    args=[f"-discover={cluster}", "-iface=cable"]))
    stage.expect_all_alive(agents)
    other = stage.started("starling", "other", address="127.0.0.9", rpc="127.0.0.1:7374",
                          prefix=["ip", "netns", "exec", places[0][0]], args=["-discover=elsewhere", "-mdns-iface=cable"])
    time.sleep(2)
    expect_equal(set(other.members()), {"other"}, "who the stranger knows")
    expect_equal(set(agents[0].members()), {"one", "two"}, "who the first knows")
