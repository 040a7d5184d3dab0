"""A cluster of its own for a test: starts `timonel up --headless` in private folders, runs kubectl against it and checks.

A check names what it expects as regular expressions. The server is the sanitized build: at the end it must have stopped by
itself with status 0 and have printed no sanitizer's report. Without a kubectl a script that needs one is skipped (exit status 77).
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REPORTS = re.compile(r'(AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:|Assertion|CRITICAL \*\*|ERROR:)')


def kubectls():
    """The kubectls to test with, as tests/api/kubectl.sh installed them."""
    listed = os.environ.get('TIMONEL_TEST_KUBECTL', '')
    return [path for path in listed.split(':') if path and os.access(path, os.X_OK)]


def need_kubectl():
    found = kubectls()
    if not found:
        print('skipped: no kubectl could be had')
        sys.exit(SKIPPED)
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Cluster:
    """One cluster in folders of its own; `with Cluster(program) as cluster:`."""

    def __init__(self, program, name='test', kubectl=None, pace='1', nodes=None):
        self.program = os.path.abspath(program)  # commands run in folders of their own
        self.name = name
        self.kubectl_path = kubectl
        self.pace = pace
        self.nodes = nodes
        self.home = tempfile.mkdtemp(prefix='timonel-api-')
        self.failures = []
        self.checks = 0
        self.server = None
        self.port = free_port()
        self.environment = {
            'HOME': self.home, 'PATH': os.environ['PATH'], 'LC_ALL': 'C.UTF-8',
            'XDG_DATA_HOME': os.path.join(self.home, 'data'),
            'XDG_CONFIG_HOME': os.path.join(self.home, 'config'),
            'XDG_CACHE_HOME': os.path.join(self.home, 'cache'),
            'XDG_STATE_HOME': os.path.join(self.home, 'state'),
        }
        for name_, value in os.environ.items():
            if name_.startswith(('ASAN_', 'UBSAN_', 'LSAN_')):
                self.environment[name_] = value
        self.kubeconfig = os.path.join(self.home, 'data', 'timonel', 'clusters', name, 'kubeconfig')

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, error, trace):
        if self.server is not None:
            self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
        return False

    # ---- the server ----

    def start(self, *more):
        self.log = open(os.path.join(self.home, 'server.log'), 'a+', encoding='utf-8')
        command = [self.program, 'up', '--headless', '--name', self.name, '--listen', '127.0.0.1:%d' % self.port,
                   '--pace', self.pace, *more]
        if self.nodes is not None and not os.path.exists(self.kubeconfig):
            command += ['--nodes', str(self.nodes)]
        self.server = subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, stderr=self.log, text=True)
        first = self.server.stdout.readline().strip()
        second = self.server.stdout.readline().strip()
        if first != 'ready':
            raise SystemExit('the server did not come up: %r %s' % (first, self.server_log()))
        self.check(second == self.kubeconfig, 'up prints where the kubeconfig lies', second)

    def server_log(self):
        self.log.flush()
        with open(self.log.name, encoding='utf-8', errors='replace') as log:
            return log.read()

    def stop(self, how=signal.SIGTERM):
        self.server.send_signal(how)
        try:
            status = self.server.wait(60)
        except subprocess.TimeoutExpired:
            self.server.kill()
            status = self.server.wait()
            self.check(False, 'the server stops when asked to', self.server_log()[-3000:])
        self.server.stdout.close()
        if how != signal.SIGKILL:
            self.check(status == 0, 'the server ends with status 0', '%d\n%s' % (status, self.server_log()[-6000:]))
        report = REPORTS.search(self.server_log())
        self.check(report is None, 'no sanitizer reports anything', self.server_log()[-6000:] if report else '')
        self.log.close()
        self.server = None

    # ---- checks ----

    def check(self, holds, what, seen=''):
        self.checks += 1
        if not holds:
            self.failures.append(what)
            print('FAIL: %s\n%s\n' % (what, seen), flush=True)
        return holds

    def run(self, *command, status=0, expect=(), refuse=(), stdin=None, timeout=60, environment=None):
        """Runs a command, checks its status and that its output (both streams) matches every pattern. Returns the output."""
        begin = time.monotonic()
        try:
            done = subprocess.run(command, env={**self.environment, **(environment or {})}, input=stdin, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, cwd=ROOT, check=False)
            output, code = done.stdout, done.returncode
        except subprocess.TimeoutExpired as late:
            output, code = (late.stdout or b'').decode(errors='replace') if isinstance(late.stdout, bytes) else str(late.stdout), -1
        shown = '$ %s   (status %d, %.1f s)\n%s' % (' '.join(command[0:1] + command[1:]), code, time.monotonic() - begin, output)
        self.check(code == status, 'status %d' % status, shown)
        for pattern in [expect] if isinstance(expect, str) else expect:
            self.check(re.search(pattern, output, re.M) is not None, 'output matches /%s/' % pattern, shown)
        for pattern in [refuse] if isinstance(refuse, str) else refuse:
            self.check(re.search(pattern, output, re.M) is None, 'output does not match /%s/' % pattern, shown)
        return output

    def kubectl(self, words, **checks):
        """words: a command line as a person types it (quotes by a list instead)."""
        arguments = words.split() if isinstance(words, str) else list(words)
        return self.run(self.kubectl_path, '--kubeconfig', self.kubeconfig, *arguments, **checks)

    def kubectl_minor(self):
        """32 for v1.32.3; old ones speak of themselves as {Major:"1", Minor:"20+", ...}."""
        said = subprocess.run([self.kubectl_path, 'version', '--client'], text=True, capture_output=True, check=False).stdout
        found = re.search(r'v1\.(\d+)\.', said)
        return int(found.group(1)) if found else 0

    def timonel(self, words, **checks):
        return self.run(self.program, *(words.split() if isinstance(words, str) else words), **checks)

    def until(self, words, pattern, seconds=60, refuse=None):
        """Repeats a kubectl command until its output matches."""
        arguments = words.split() if isinstance(words, str) else list(words)
        end = time.monotonic() + seconds
        output = ''
        while time.monotonic() < end:
            done = subprocess.run([self.kubectl_path, '--kubeconfig', self.kubeconfig, *arguments], env=self.environment,
                                  text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, check=False)
            output = done.stdout
            if re.search(pattern, output, re.M) and not (refuse and re.search(refuse, output, re.M)):
                return self.check(True, '')
            time.sleep(0.2)
        return self.check(False, '%s shows /%s/ within %d s' % (' '.join(arguments), pattern, seconds), output)


def finish(*clusters):
    checks = sum(cluster.checks for cluster in clusters)
    failures = sum(len(cluster.failures) for cluster in clusters)
    print('%d checks, %d failed' % (checks, failures))
    sys.exit(1 if failures else 0)
