#!/usr/bin/env python3
"""Shows a small mixed cluster on loopback: it forms, passes an event and a tag, and notices a kill.

Started by scripts/demo. Starling agents and, when the Debian package is there, real serf agents run as processes of this
program on addresses 127.A.B.1 and up, chosen at random. Every process is ended at the end, also after an interrupt.
"""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
STARLING = os.environ.get("STARLING", str(ROOT / "build/agent/starling"))
SERF = os.environ.get("SERF", shutil.which("serf") or "")
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ

FAILED = re.compile(r"EventMemberFailed: (\S+)")
LEFT = re.compile(r"EventMemberLeave: (\S+)")
RECEIVED = re.compile(r"Received event: user-event: (\S+)")
UPDATED = re.compile(r"EventMemberUpdate: (\S+)")


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


def headline(text):
    print("\n" + paint("1;36", f"── {text} "), flush=True)


def kind_of(name):
    return paint("33", "serf    ") if name.startswith("serf") else paint("32", "starling")


class Agent:
    """One agent process; remembers when which event stood in its log."""

    def __init__(self, name, program, address, folder):
        self.name, self.program, self.address = name, program, address
        self.rpc = f"{address}:7373"
        self.seen = {}
        self.log = open(folder / f"{name}.log", "w")
        self.process = None

    def start(self, join=None):
        command = [self.program, "agent", f"-node={self.name}", f"-bind={self.address}:7946",
                   f"-rpc-addr={self.rpc}", "-profile=lan", "-log-level=debug", f"-tag=kind={self.name.split('-')[0]}"]
        if join:
            command.append(f"-join={join}:7946")
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                        stdin=subprocess.DEVNULL)
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        for line in self.process.stdout:
            now = time.monotonic()
            self.log.write(line)
            self.log.flush()
            for what, pattern in (("failed", FAILED), ("left", LEFT), ("event", RECEIVED), ("updated", UPDATED)):
                match = pattern.search(line)
                if match:
                    self.seen.setdefault((what, match[1]), now)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def members(self):
        done = subprocess.run([STARLING, "members", f"-rpc-addr={self.rpc}", "-format=json"], capture_output=True,
                              text=True, timeout=10)
        if done.returncode != 0:
            return {}
        return {member["name"]: member for member in json.loads(done.stdout)["members"] or []}

    def stop(self):
        if self.process is None:
            return
        if self.alive():
            self.process.kill()
        self.process.wait(timeout=10)
        self.log.close()


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.05)
    raise SystemExit(f"demo: after {seconds} s still not so: {what}")


def report(agents, key, since, verb):
    """One line for each agent that saw `key`; returns the delays in seconds."""
    delays = []
    for agent in agents:
        if key in agent.seen:
            delays.append(agent.seen[key] - since)
            print(f"   {kind_of(agent.name)} {agent.name:<12} {verb} after {delays[-1]:6.3f} s")
        else:
            print(f"   {kind_of(agent.name)} {agent.name:<12} {paint('31', 'did not notice')}")
    return delays


def run_cli(agent, *words):
    print(paint("2", f"   $ starling {' '.join(words)}"), flush=True)
    done = subprocess.run([STARLING, words[0], f"-rpc-addr={agent.rpc}", *words[1:]], text=True, timeout=20)
    if done.returncode != 0:
        raise SystemExit(f"demo: starling {words[0]} failed")


def play(agents):
    first = agents[0]
    headline("a cluster forms")
    for agent in agents:
        agent.start(join=None if agent is first else first.address)
        print(f"   {kind_of(agent.name)} {agent.name:<12} at {agent.address}:7946", flush=True)
        if agent is first:
            wait_for(lambda: first.members(), 10, "the first agent answers")
    began = time.monotonic()
    everybody = {agent.name for agent in agents}
    wait_for(lambda: all(set(name for name, member in agent.members().items() if member["status"] == "alive") == everybody
                         for agent in agents), 20, "every agent sees every agent")
    converged = time.monotonic() - began
    print(f"   every agent sees all {len(agents)} members, {converged:.1f} s after the last start")
    headline("the members, as a starling agent lists them")
    run_cli(first, "members")

    headline("an event")
    since = time.monotonic()
    run_cli(first, "event", "-coalesce=false", "deploy", "v42")
    wait_for(lambda: all(("event", "deploy") in agent.seen for agent in agents), 10, "the event is everywhere")
    events = report(agents, ("event", "deploy"), since, "received it")

    headline("a tag changes")
    since = time.monotonic()
    run_cli(first, "tags", "-set", "release=42")
    others = [agent for agent in agents if agent is not first]
    wait_for(lambda: all(("updated", first.name) in agent.seen for agent in others), 20, "the tag is everywhere")
    report(others, ("updated", first.name), since, "saw it")

    victim = agents[1]
    survivors = [agent for agent in agents if agent is not victim]
    headline(f"kill -9 {victim.name}")
    since = time.monotonic()
    victim.process.kill()
    wait_for(lambda: all(("failed", victim.name) in agent.seen for agent in survivors), 45, "the kill is noticed")
    kills = report(survivors, ("failed", victim.name), since, "noticed")

    leaver = agents[-1]
    stayers = [agent for agent in survivors if agent is not leaver]
    headline(f"{leaver.name} leaves")
    leaver.process.send_signal(signal.SIGINT)
    wait_for(lambda: all((agent.members().get(leaver.name) or {}).get("status") == "left" for agent in stayers), 20,
             "the leave is seen as a leave")
    run_cli(first, "members")

    headline("summary")
    print(f"   members        {len(agents)} ({sum(a.program == STARLING for a in agents)} starling, "
          f"{sum(a.program != STARLING for a in agents)} serf)")
    print(f"   convergence    {converged:.1f} s after the last start")
    print(f"   event          everywhere within {max(events):.3f} s")
    print(f"   kill noticed   first after {min(kills):.1f} s, by all after {max(kills):.1f} s")
    print("   leave          seen as left by everybody\n", flush=True)


def main():
    net = f"127.{random.randint(2, 250)}.{random.randint(0, 250)}"
    programs = [("starling", STARLING)] * 2 + [("serf", SERF)] * 2 + [("starling", STARLING)]
    if not SERF:
        print("the Debian package serf is not installed: only starling agents take part")
        programs = [("starling", STARLING)] * 4
    folder = pathlib.Path(tempfile.mkdtemp(prefix="starling-demo-"))
    counts = {}
    agents = []
    for number, (kind, program) in enumerate(programs, 1):
        counts[kind] = counts.get(kind, 0) + 1
        agents.append(Agent(f"{kind}-{counts[kind]}", program, f"{net}.{number}", folder))
    good = False
    try:
        play(agents)
        good = True
    finally:
        for agent in agents:
            agent.stop()
        if good:
            shutil.rmtree(folder)
        else:
            print(f"the agents' logs are in {folder}", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
