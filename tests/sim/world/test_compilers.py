"""gcc -O0 and clang -O2 give the same world as the build under test, to the last bit of the digest.

Usage: test_compilers.py SOURCE BUILD WORLD_DIGEST. Builds the one small tool twice, below BUILD; skipped where there is no clang.
"""
import os
import shutil
import subprocess
import sys

SKIPPED = 77
source, build, program = sys.argv[1:4]
WANTED = subprocess.run([program, '1'], check=True, text=True, stdout=subprocess.PIPE).stdout
for compiler, level in (('gcc', '0'), ('clang', '2')):
    if shutil.which(compiler) is None:
        print('skipped: no %s here' % compiler)
        sys.exit(SKIPPED)
for compiler, level in (('gcc', '0'), ('clang', '2')):
    folder = os.path.join(build, 'compilers', compiler)
    command = 'ccache ' + compiler if shutil.which('ccache') else compiler
    if not os.path.exists(os.path.join(folder, 'build.ninja')):
        subprocess.run(['meson', 'setup', folder, source, '--buildtype=plain', '-Doptimization=' + level, '-Dtests=enabled'],
                       env={**os.environ, 'CC': command}, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(['ninja', '-C', folder, 'tests/sim/world/world_digest'], check=True, stdout=subprocess.DEVNULL)
    seen = subprocess.run([os.path.join(folder, 'tests', 'sim', 'world', 'world_digest'), '1'], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    print('%s -O%s\n%s' % (compiler, level, seen))
    assert seen == WANTED, 'the build under test said:\n' + WANTED
