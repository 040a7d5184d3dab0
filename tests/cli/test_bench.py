"""`timonel bench` in small sizes: each figure is one line of JSON with its sizes, and a wrong word is refused.

How fast it is, is never tested."""
import json
import subprocess
import sys

TIMONEL = sys.argv[1]
COMMON = {"name", "value", "unit", "sizes", "transport", "store", "cpu_seconds", "peak_rss_mb"}


def bench(*words):
    return subprocess.run([TIMONEL, "bench", *words], capture_output=True, text=True, timeout=240)


def figures(*words):
    done = bench(*words)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for line in lines:
        assert set(line) == COMMON, line
        assert line["value"] > 0, line
    return {line["name"]: line for line in lines}


def test_engine_counts_events():
    line = figures("engine", "--events", "200000")["engine.events"]
    assert line["sizes"]["events"] == 200000 and line["unit"] == "events/s"


def test_scheduler_binds_each_workload():
    found = figures("scheduler", "--nodes", "30", "--pods", "10")
    assert set(found) == {"scheduler." + name for name in
                          ("basic", "anti-affinity", "topology-spread", "node-affinity")}
    assert found["scheduler.basic"]["sizes"]["nodes"] == 30


def test_scheduler_measures_one_workload_when_it_is_named():
    assert set(figures("scheduler", "basic", "--nodes", "5", "--pods", "5")) == {"scheduler.basic"}


def test_cluster_brings_all_pods_up():
    line = figures("cluster", "--nodes", "4", "--pods", "40", "--deployments", "5")["cluster.pods_running"]
    assert (line["sizes"]["pods"], line["sizes"]["deployments"]) == (40, 5)


def test_wrong_words_are_refused():
    assert bench("nothing").returncode == 2
    assert bench("cluster", "--nodes", "-1").returncode == 2
    assert bench("scheduler", "nothing").returncode == 1


def test_without_a_word_it_lists_the_benchmarks():
    assert bench().stdout.split() == ["engine", "scheduler", "cluster", "http", "start"]


for name, test in sorted(globals().copy().items()):
    if name.startswith("test_"):
        test()
        print("ok", name)
