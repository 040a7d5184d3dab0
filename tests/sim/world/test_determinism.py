"""The same seed gives the same world twice; another seed gives another. Usage: test_determinism.py WORLD_DIGEST"""
import subprocess
import sys


def digests(program, seed):
    return subprocess.run([program, str(seed)], check=True, text=True, stdout=subprocess.PIPE).stdout


first, again, other = digests(sys.argv[1], 1), digests(sys.argv[1], 1), digests(sys.argv[1], 2)
print(first)
assert first.startswith('minute 1 events '), first
assert len(first.splitlines()) == 5, first
assert first == again, 'the same seed gave two worlds:\n' + again
assert first != other, 'another seed gave the same world'
