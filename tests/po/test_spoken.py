"""Timonel speaks the person's language, on machines with and without that language's locale.

Run as `tests/po/test_spoken.py TIMONEL`.
"""
import os
import subprocess
import sys
import tempfile

SPANISH, ENGLISH = 'ninguna lección', 'no lesson'
# What the environment says, the option, and what must be in the answer.
CASES = [
    ({'LANG': 'es_ES.UTF-8'}, [], SPANISH),
    ({'LANG': 'en_US.UTF-8', 'LC_ALL': 'es_MX.utf8'}, [], SPANISH),
    ({'LANG': 'pt_BR.UTF-8'}, [], ENGLISH),
    ({'LANG': 'C'}, [], ENGLISH),
    ({}, [], ENGLISH),
    ({'LANG': 'es_ES.UTF-8'}, ['--lang', 'en'], ENGLISH),
    ({'LANG': 'C'}, ['--lang', 'es'], SPANISH),
    ({'LANG': 'C.UTF-8'}, ['--lang', 'es'], SPANISH),
    ({'LANG': '../../nowhere.UTF-8'}, [], ENGLISH),
]


def main():
    failures = 0
    with tempfile.TemporaryDirectory() as home:
        for language, option, wanted in CASES:
            environment = {name: value for name, value in os.environ.items()
                           if not name.startswith('LC_') and name not in ('LANG', 'LANGUAGE', 'LOCPATH')}
            environment.update(language, HOME=home, XDG_DATA_HOME=home, XDG_STATE_HOME=home, TMPDIR=home)
            done = subprocess.run([sys.argv[1], 'learn', *option, 'nowhere'], env=environment, capture_output=True,
                                  text=True, encoding='utf-8')
            if wanted not in done.stderr:
                failures += 1
                print(f'{language} {option}: wanted "{wanted}", found "{done.stderr.strip()}"')
            left = [name for name in os.listdir(home) if name.startswith('timonel-locale')]
            if left:
                failures += 1
                print(f'{language} {option}: left {left} behind')
    return 1 if failures else 0


sys.exit(main())
