"""The house's rules, held: who may include whom, what core may not call, how long files and functions may be.

Run as `tests/tidy/tidy.py ROOT`; prints each breach as file:line: what and why, and exits 1 when there is any.
"""
import os
import re
import sys

# Folder -> folders it may include (DESIGN, section 2). The longest matching folder counts; a folder may include itself.
CORE_LOW = ['core/base', 'core/port', 'core/object', 'core/api', 'core/client']
COMPONENT = CORE_LOW + ['core/stream']
ENGINE = ['core/base', 'core/port', 'core/object', 'sim/engine']
FACES = ['sim', 'core/client', 'core/stream', 'core/object', 'core/api', 'core/base', 'core/port', 'core/cluster']
MAY_INCLUDE = {
    'core/base': [],
    'core/port': ['core/base', 'core/object'],
    'core/object': ['core/base'],
    'core/api': ['core/base', 'core/object', 'core/port'],
    'core/store': ['core/base', 'core/port', 'core/object'],
    'core/apiserver': ['core/base', 'core/port', 'core/object', 'core/api', 'core/store', 'core/stream'],
    'core/stream': ['core/base', 'core/object', 'core/port'],
    'core/http': ['core/base', 'core/port', 'core/object', 'core/api', 'core/apiserver', 'core/stream'],
    'core/client': ['core/base', 'core/port', 'core/object', 'core/api', 'core/stream'],
    'core/scheduler': CORE_LOW,
    'core/controllers': CORE_LOW,
    'core/cloud': CORE_LOW,
    'core/kubelet': COMPONENT,
    'core/proxy': CORE_LOW,
    'core/dns': CORE_LOW,
    'core/cluster': ['core'],
    'sim/engine': ENGINE,
    'sim/backend/simulated': ENGINE,
    'sim/backend/runc': ENGINE + ['core/api', 'core/proxy', 'core/dns', 'core/stream'],
    'sim/backend/host': ENGINE + ['core/http', 'core/api', 'core/client', 'core/stream'],
    'sim/backend/store': ENGINE + ['core/store'],
    'sim/fault': ENGINE + ['sim/backend', 'core/client', 'core/api'],
    'sim/traffic': ENGINE + ['sim/backend', 'core/client', 'core/api', 'sim/fault'],
    'sim/world': ['core', 'sim/engine', 'sim/backend', 'sim/fault', 'sim/traffic'],
    'sim/check': ['sim', 'core/cluster', 'core/client', 'core/object', 'core/api', 'core/base', 'core/port'],
    'sim/scenario': ['sim', 'core/cluster', 'core/client', 'core/object', 'core/api', 'core/base', 'core/port'],
    'tui': FACES,
    'cli': FACES + ['tui', 'core/http', 'core/apiserver', 'core/store'],
    'tests': ['core', 'sim', 'tui', 'cli', 'manifests', 'lessons'],
}

# What only the engine's pace and the real back ends may use: time, chance, threads and the environment of the machine.
BANNED_IN_CORE = {
    r'\b(time|gettimeofday|clock_gettime|g_get_real_time|g_get_monotonic_time|g_date_time_new_now\w*)\s*\(': 'the clock is a port',
    r'\b(rand|random|srand|g_random_\w+|getrandom|arc4random\w*)\s*\(': 'random numbers are a port',
    r'\b(g_thread_\w+|pthread_\w+|g_usleep|sleep|usleep|nanosleep)\s*\(': 'no threads and no sleeping in core',
    r'\b(getenv|g_getenv|setenv|g_setenv)\s*\(': 'the environment belongs to the commands',
    r'\b(exit|abort|_exit)\s*\(': 'only main ends the program',
    r'\b(g_hash_table_foreach\w*|g_hash_table_iter_init|g_hash_table_get_keys\w*|g_hash_table_get_values)\s*\(':
        'no order of a hash table may reach an outcome',
    r'\b(socket|connect|open|fopen|g_file_get_contents|g_file_set_contents)\s*\(': 'network and disk are ports',
}
# Where a rule does not hold, and why.
EXCUSED = {
    ('core/scheduler/scheduler.c', 'no order of a hash table may reach an outcome'): 'freeing, in any order',
    ('core/scheduler/static_fit.c', 'no order of a hash table may reach an outcome'): 'resets marks, in any order',
    ('sim/backend/simulated/host_volumes.c', 'no order of a hash table may reach an outcome'): 'freeing, in any order',
    ('core/scheduler/cache.c', 'no order of a hash table may reach an outcome'): 'freeing, in any order',
    ('core/http/stream.c', 'no order of a hash table may reach an outcome'): 'ends outside watches when the server stops',
    ('core/client/workqueue.c', 'no order of a hash table may reach an outcome'): 'a check that asserts, in any order',
    ('sim/backend/simulated/shell/machine.c', 'no order of a hash table may reach an outcome'): 'copies into another table',
    ('sim/backend/simulated/net.c', 'no order of a hash table may reach an outcome'): 'freeing, in any order',
    ('core/apiserver/token.c', 'random numbers are a port'): 'keys that guard a real door come from the machine',
}
BANNED_EVERYWHERE = {
    r'\b(strcpy|strcat|sprintf|vsprintf|gets)\s*\(': 'unbounded copies',
    r'\b(TODO|FIXME|XXX|HACK)\b': 'unfinished work is said in the closing note, not left in the code',
}
FILE_LINES_MAX = 1000
FUNCTION_LINES_MAX = 100

breaches = []


def breach(path, line, text):
    breaches.append('%s:%d: %s' % (path, line, text))


def folder_rule(path):
    """The longest folder of MAY_INCLUDE that holds the file."""
    matching = [folder for folder in MAY_INCLUDE if path.startswith(folder + '/')]
    return max(matching, key=len) if matching else None


def may_include(path, header):
    folder = folder_rule(path)
    if folder is None or header.startswith(folder + '/'):
        return True
    if path.startswith('tests/') and header.startswith('tests/'):
        return True
    return any(header.startswith(allowed + '/') for allowed in MAY_INCLUDE[folder])


def without_comments_and_strings(text):
    def blank(match):
        return re.sub(r'[^\n]', ' ', match.group(0))
    pattern = r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, blank, text, flags=re.S)


def check_includes(path, lines):
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if match and not may_include(path, match.group(1)):
            breach(path, number, '%s may not include %s' % (folder_rule(path), match.group(1)))


def check_words(path, code, rules):
    for number, line in enumerate(code.split('\n'), 1):
        if re.match(r'\s*#\s*define|^[a-z_ *]+\(', line) and not line.startswith(' '):
            continue
        for pattern, why in rules.items():
            if re.search(r'(?<![>.])' + pattern, line) and (path, why) not in EXCUSED:
                breach(path, number, '%s: %s' % (line.strip(), why))


def check_lengths(path, lines):
    if len(lines) > FILE_LINES_MAX:
        breach(path, 1, 'the file has %d lines, more than %d' % (len(lines), FILE_LINES_MAX))
    start = None
    for number, line in enumerate(lines, 1):
        if line == '{':
            start = number
        elif line.startswith('}') and start is not None:
            if number - start > FUNCTION_LINES_MAX:
                breach(path, start, 'the function has %d lines' % (number - start))
            start = None


def check_globals(path, lines):
    """A static variable at file level that is not const is a mutable global."""
    for number, line in enumerate(lines, 1):
        if re.match(r'static (?!const\b|inline\b|_Noreturn\b)[\w ]+[\w*]+(\[[^\]]*\])*\s*(=[^()]*)?;', line) and 'const' not in line:
            breach(path, number, '%s: a mutable global' % line.strip())


def check_file(root, path):
    with open(os.path.join(root, path), encoding='utf-8') as source:
        text = source.read()
    lines = text.split('\n')
    code = without_comments_and_strings(text)
    check_includes(path, lines)
    check_lengths(path, lines)
    if not path.startswith('tests/'):
        check_globals(path, lines)
    check_words(path, code, BANNED_EVERYWHERE)
    if path.startswith(('core/', 'sim/engine/', 'sim/backend/simulated/')):
        check_words(path, code, BANNED_IN_CORE)


def source_files(root):
    for top in ('core', 'sim', 'tui', 'cli', 'tests'):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith(('.c', '.h')):
                    yield os.path.relpath(os.path.join(folder, name), root)


def self_test():
    """The test can fail: each rule finds its own example."""
    assert not may_include('core/scheduler/queue.c', 'core/apiserver/apiserver.h')
    assert not may_include('core/base/heap.c', 'sim/engine/engine.h')
    assert may_include('core/scheduler/queue.c', 'core/api/pod.h')
    assert not may_include('sim/world/world.c', 'cli/command.h')
    before = len(breaches)
    check_words('core/example.c', '    int64_t now = time(NULL);', BANNED_IN_CORE)
    check_globals('core/example.c', ['static int counter;', 'static const int LIMIT = 3;'])
    check_lengths('core/example.c', ['{'] + ['x'] * (FUNCTION_LINES_MAX + 5) + ['}'])
    assert len(breaches) == before + 3, breaches[before:]
    del breaches[before:]


def main(root):
    self_test()
    for path in source_files(root):
        check_file(root, path)
    for text in breaches:
        print(text)
    print('%d breaches of the house rules' % len(breaches))
    return 1 if breaches else 0


sys.exit(main(sys.argv[1]))
